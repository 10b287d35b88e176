/* Solution files: format and reader. What is refused stands in tests/malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/solution.h"
#include "temp_file.h"

enum { SEED = 20261121 };

static void format_is_exact(void **state) {
  (void)state;
  const int32_t pairs[] = {0, 1, 1, 2}, color[] = {1, 0, 1};
  prism_graph_t *graph = NULL;
  prism_text_t text = {0};
  char hash[PRISM_SHA256_HEX], expected[512];
  assert_int_equal(prism_graph_from_edges(3, pairs, 2, NULL, &graph), PRISM_OK);
  prism_graph_hash(graph, hash);
  assert_int_equal(prism_solution_format(graph, color, NULL, "by a test\nk = 2", &text), PRISM_OK);
  snprintf(expected, sizeof expected,
           "c by a test\nc k = 2\nc graph-hash %s\ns col 2\nl 1 2\nl 2 1\nl 3 2\n", hash);
  assert_string_equal(text.data, expected);
  prism_text_free(&text);
  const int32_t open[] = {0, -1, 0};
  assert_int_equal(prism_solution_format(graph, open, NULL, NULL, &text), PRISM_INVALID);
  prism_text_free(&text);
  prism_graph_destroy(&graph);
}

static void round_trip(void **state) {
  (void)state;
  print_message("seed %d\n", SEED);
  prism_rng_t rng = prism_rng_stream(SEED, 0, 1, PRISM_RNG_TEST);
  for (int round = 0; round < 30; ++round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, 3000);
    int32_t k = 1 + (int32_t)prism_rng_below(&rng, (uint32_t)n);
    int32_t *color = NULL;
    prism_graph_t *graph = NULL;
    prism_text_t text = {0};
    prism_solution_t solution;
    char hash[PRISM_SHA256_HEX];
    assert_int_equal(PRISM_ALLOC(n, &color), PRISM_OK);
    for (int32_t v = 0; v < n; ++v)
      color[v] = v < k ? v : (int32_t)prism_rng_below(&rng, (uint32_t)k);
    assert_int_equal(prism_graph_from_edges(n, NULL, 0, NULL, &graph), PRISM_OK);
    prism_graph_hash(graph, hash);
    assert_int_equal(prism_solution_format(graph, color, round % 2 ? hash : NULL, NULL, &text),
                     PRISM_OK);
    const char *path = temp_write("s.sol", text.data, text.length);
    assert_int_equal(prism_solution_read(path, n, &solution), PRISM_OK);
    assert_int_equal(solution.n, n);
    assert_int_equal(solution.k, k);
    assert_true(solution.has_hash);
    assert_string_equal(solution.hash, hash);
    assert_memory_equal(solution.color, color, (size_t)n * sizeof *color);
    prism_solution_release(&solution);
    prism_solution_release(&solution);
    prism_text_free(&text);
    prism_graph_destroy(&graph);
    prism_free(color);
  }
}

static void hash_may_be_absent_and_order_is_free(void **state) {
  (void)state;
  prism_solution_t solution;
  const char *text = "comment\n\ns col 3\r\nl 3 3\r\nl 1 1\n  l\t2 2\nc end";
  assert_int_equal(prism_solution_read(temp_write_text("s.sol", text), 3, &solution), PRISM_OK);
  assert_false(solution.has_hash);
  const int32_t expected[] = {0, 1, 2};
  assert_memory_equal(solution.color, expected, sizeof expected);
  prism_solution_release(&solution);
}

static void gzip_is_recognised(void **state) {
  (void)state;
  const char *text = "s col 1\nl 1 1\n";
  uint8_t packed[128];
  size_t size = temp_gzip(text, strlen(text), packed);
  prism_solution_t solution;
  assert_int_equal(prism_solution_read(temp_write("s", packed, size), 1, &solution), PRISM_OK);
  assert_int_equal(solution.k, 1);
  prism_solution_release(&solution);
}

/* A solution of a larger graph cannot be read, but tells whose it is. */
static void hash_survives_a_misfit(void **state) {
  (void)state;
  const char *hex = "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff";
  char text[256];
  prism_solution_t solution;
  snprintf(text, sizeof text, "c graph-hash %s\ns col 2\nl 1 1\nl 9 2\n", hex);
  assert_int_equal(prism_solution_read(temp_write_text("s", text), 3, &solution), PRISM_FORMAT);
  assert_non_null(strstr(prism_error_text(), ":4: the vertex '9' is outside 1 to 3"));
  assert_true(solution.has_hash);
  assert_string_equal(solution.hash,
                      "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
  assert_null(solution.color);
  assert_int_equal(prism_solution_read(temp_path("absent"), 3, &solution), PRISM_IO);
  assert_false(solution.has_hash);
  assert_int_equal(prism_solution_read(temp_path("s"), 0, &solution), PRISM_INVALID);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(format_is_exact),
      cmocka_unit_test(round_trip),
      cmocka_unit_test(hash_may_be_absent_and_order_is_free),
      cmocka_unit_test(gzip_is_recognised),
      cmocka_unit_test(hash_survives_a_misfit),
  };
  return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
