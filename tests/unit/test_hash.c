/* SHA-256: the examples of FIPS 180-4, and every length in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

static void digest(const void *data, size_t size, char hex[PRISM_SHA256_HEX]) {
  prism_sha256_t hash;
  prism_sha256_begin(&hash);
  prism_sha256_add(&hash, data, size);
  prism_sha256_end(&hash, hex);
}

static void published_examples(void **state) {
  (void)state;
  char hex[PRISM_SHA256_HEX];
  digest("", 0, hex);
  assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  digest("abc", 3, hex);
  assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  digest(two_blocks, strlen(two_blocks), hex);
  assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  static char million[1000000];
  memset(million, 'a', sizeof million);
  digest(million, sizeof million, hex);
  assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* The end falls on every place of a block; pieces of every size give the same. */
static void pieces_do_not_matter(void **state) {
  (void)state;
  uint8_t data[300];
  for (size_t i = 0; i < sizeof data; ++i) data[i] = (uint8_t)(i * 7 + 3);
  prism_sha256_t all;
  prism_sha256_begin(&all);
  for (size_t size = 0; size <= sizeof data; ++size) {
    char whole[PRISM_SHA256_HEX], pieces[PRISM_SHA256_HEX];
    digest(data, size, whole);
    assert_int_equal(strlen(whole), 64);
    prism_sha256_add(&all, whole, 64);
    for (size_t step = 1; step < 130; step += 17) {
      prism_sha256_t hash;
      prism_sha256_begin(&hash);
      for (size_t at = 0; at < size; at += step)
        prism_sha256_add(&hash, data + at, size - at < step ? size - at : step);
      prism_sha256_end(&hash, pieces);
      assert_string_equal(pieces, whole);
    }
  }
  /* All 301 digests, compared with Python's hashlib by one digest over them. */
  char hex[PRISM_SHA256_HEX];
  prism_sha256_end(&all, hex);
  assert_string_equal(hex, "9ab015b3431ba48c0f99e81c5bb7d903f6bfea343d7d7b190120d07cc51e653b");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(published_examples),
      cmocka_unit_test(pieces_do_not_matter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
