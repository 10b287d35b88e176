/* A GPU for each rank: which one, when there are too few, when they are shared; and the list
 * that --list-devices prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/gpus.h"
#include "base/mem.h"
#include "temp_file.h"

enum { MOST = 64 };
static prism_gpu_claim_t claim[MOST];
static prism_gpu_share_t share[MOST];

/* Rank `r` on node `node` sees the GPUs named by letters: "ABC". */
static void set(int r, uint64_t node, const char *gpus) {
  memset(&claim[r], 0, sizeof claim[r]);
  claim[r].node = node;
  claim[r].wish = -1;
  snprintf(claim[r].host, sizeof claim[r].host, "node%d", (int)node);
  for (; *gpus != '\0'; ++gpus)
    snprintf(claim[r].uuid[claim[r].gpus++], PRISM_GPU_UUID_BYTES, "GPU-%c", *gpus);
}

/* The letters that the ranks take, '-' for none. */
static const char *taken(int32_t ranks, bool shared) {
  static char text[MOST + 1];
  prism_error_clear();
  prism_status_t status = prism_gpus_assign(claim, ranks, shared, share);
  if (status != PRISM_OK) {
    assert_int_equal(status, PRISM_DEVICE);
    return "error";
  }
  for (int32_t r = 0; r < ranks; ++r)
    text[r] = share[r].place < 0 ? '-' : claim[r].uuid[share[r].place][4];
  text[ranks] = '\0';
  return text;
}

static void expect_error(int32_t ranks, bool shared, const char *word) {
  assert_string_equal(taken(ranks, shared), "error");
  assert_non_null(strstr(prism_error_text(), word));
  assert_non_null(strstr(prism_error_text(), "node"));
}

static void one_each(void **state) {
  (void)state;
  set(0, 1, "A");
  assert_string_equal(taken(1, false), "A");
  set(0, 1, "ABCD"); /* more than there are ranks */
  assert_string_equal(taken(1, false), "A");
  for (int r = 0; r < 4; ++r) set(r, 1, "ABCD"); /* unbound: by place */
  assert_string_equal(taken(4, false), "ABCD");
  for (int r = 0; r < 4; ++r) assert_int_equal(share[r].sharers, 1);
  set(0, 1, "C"); /* bound by the scheduler: each its own */
  set(1, 1, "A");
  set(2, 1, "D");
  set(3, 1, "B");
  assert_string_equal(taken(4, false), "CADB");
  for (int r = 0; r < 4; ++r) set(r, r % 2 == 0 ? 1 : 2, r % 2 == 0 ? "AB" : "XY");
  assert_string_equal(taken(4, false), "AXBY"); /* ranks dealt out in turns */
}

static void other_orders(void **state) {
  (void)state;
  set(0, 1, "ABC"); /* each sees its own first */
  set(1, 1, "BCA");
  set(2, 1, "CAB");
  const char *text = taken(3, false);
  assert_true(text[0] != text[1] && text[1] != text[2] && text[0] != text[2]);
  set(0, 1, "AB"); /* the second has no choice */
  set(1, 1, "A");
  assert_string_equal(taken(2, false), "BA");
  set(0, 1, "ABCD");
  claim[0].wish = 2; /* gpu.device_id */
  assert_string_equal(taken(1, false), "C");
}

static void without_gpus(void **state) {
  (void)state;
  set(0, 1, "");
  assert_string_equal(taken(1, false), "-");
  assert_int_equal(share[0].sharers, 0);
  for (int r = 0; r < 4; ++r) set(r, 1 + (uint64_t)(r / 2), r / 2 == 0 ? "AB" : "");
  assert_string_equal(taken(4, false), "AB--"); /* a node with, a node without */
}

static void too_few(void **state) {
  (void)state;
  for (int r = 0; r < 3; ++r) set(r, 1, "AB");
  expect_error(3, false, "3 ranks, which see 2 GPUs");
  set(0, 1, "A"); /* the scheduler bound two ranks to one GPU */
  set(1, 1, "A");
  expect_error(2, false, "2 ranks, which see 1 GPU:");
  set(0, 1, "A"); /* one rank sees none */
  set(1, 1, "");
  expect_error(2, false, "2 ranks, which see 1 GPU:");
  set(0, 1, "A");
  set(1, 2, "X");
  set(2, 2, "X");
  expect_error(3, false, "node2");
  set(0, 1, "A"); /* enough together, but bound to the same */
  set(1, 1, "A");
  set(2, 1, "ABC");
  expect_error(3, false, "ranks 0 and 1 on node1");
  set(0, 1, "A"); /* two nodes, as they say, with one GPU */
  set(1, 2, "A");
  expect_error(2, false, "ranks 0 and 1");
}

static void shared(void **state) {
  (void)state;
  for (int r = 0; r < 5; ++r) set(r, 1, "AB");
  assert_string_equal(taken(5, true), "ABABA");
  assert_int_equal(share[0].sharers, 3);
  assert_int_equal(share[1].sharers, 2);
  for (int r = 0; r < 3; ++r) claim[r].wish = 1;
  assert_string_equal(taken(3, true), "BBB");
  for (int r = 0; r < 2; ++r) set(r, 1, "AB"); /* there is enough: as without */
  assert_string_equal(taken(2, true), "AB");
  assert_int_equal(share[1].sharers, 1);
  set(1, 1, "");
  assert_string_equal(taken(2, true), "A-");
}

static void listed(void **state) {
  (void)state;
  static prism_gpus_t gpus;
  prism_text_t text = {0};
  memset(&gpus, 0, sizeof gpus);
  snprintf(gpus.none, sizeof gpus.none, "no driver");
  assert_int_equal(prism_gpus_format(&gpus, temp_path("nosys"), &text), PRISM_OK);
  assert_string_equal(text.data, "GPU     none: no driver\n");
  prism_text_free(&text);

  char folder[600];
  snprintf(folder, sizeof folder, "%s", temp_path("sys/module/nvidia"));
  assert_int_equal(prism_file_make_folders(folder), PRISM_OK);
  snprintf(folder, sizeof folder, "%s", temp_path("sys/bus/pci/devices/0000:1b:00.0"));
  assert_int_equal(prism_file_make_folders(folder), PRISM_OK);
  temp_write_text("sys/module/nvidia/version", "580.65.06\n");
  temp_write_text("sys/bus/pci/devices/0000:1b:00.0/numa_node", "1\n");
  gpus.count = 2;
  gpus.gpu[0] = (prism_gpu_seen_t){.index = 0, .name = "NVIDIA H100", .uuid = "GPU-0a",
                                   .pci = "0000:1B:00.0", .versions = "CUDA 13.0",
                                   .memory_bytes = (size_t)80 << 30};
  gpus.gpu[1] = (prism_gpu_seen_t){.index = 1, .name = "Old", .uuid = "GPU-0b",
                                   .pci = "0000:2B:00.0", .versions = "CUDA 13.0",
                                   .memory_bytes = (size_t)8 << 30, .refused = "it is too old"};
  assert_int_equal(prism_gpus_format(&gpus, temp_path("sys"), &text), PRISM_OK);
  assert_string_equal(text.data,
                      "GPU 0   NVIDIA H100, 80.0 GiB, usable\n"
                      "        GPU-0a, PCI 0000:1B:00.0, NUMA node 1, CUDA 13.0 (580.65.06)\n"
                      "GPU 1   Old, 8.0 GiB, not usable: it is too old\n"
                      "        GPU-0b, PCI 0000:2B:00.0, CUDA 13.0 (580.65.06)\n");
  prism_text_free(&text);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* What this machine has: never an error, and a reason where there is none. */
static void looked_for(void **state) {
  (void)state;
  static prism_gpus_t gpus;
  prism_gpus_look(&gpus);
  assert_true(gpus.count >= 0 && gpus.count <= PRISM_GPUS_MAX);
  assert_true((gpus.count == 0) == (gpus.none[0] != '\0'));
  assert_string_equal(prism_error_text(), "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_each),     cmocka_unit_test(other_orders),
      cmocka_unit_test(without_gpus), cmocka_unit_test(too_few),
      cmocka_unit_test(shared),       cmocka_unit_test(listed),
      cmocka_unit_test(looked_for),
  };
  return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
