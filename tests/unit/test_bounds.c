/* Cliques and constructive heuristics on known graphs: ours, and benchmark
 * instances where they are at hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/dimacs.h"
#include "model/generate.h"
#include "model/reduce.h"
#include "model/verify.h"
#include "oracle.h"
#include "search/bounds.h"

static int32_t clique_of(const prism_graph_t *graph) {
  int32_t *clique = NULL, size = 0;
  assert_int_equal(PRISM_ALLOC(graph->n, &clique), PRISM_OK);
  assert_int_equal(prism_clique_find(graph, 1, 30, 0, clique, &size), PRISM_OK);
  assert_true(prism_verify_clique(graph, clique, size));
  prism_free(clique);
  return size;
}

static int32_t greedy_of(const prism_graph_t *graph, prism_greedy_t heuristic) {
  int32_t *color = NULL, colors = 0;
  assert_int_equal(PRISM_ALLOC(graph->n, &color), PRISM_OK);
  assert_int_equal(prism_greedy_color(graph, heuristic, 1, NULL, color, &colors), PRISM_OK);
  assert_true(oracle_legal(graph, color, colors));
  prism_free(color);
  return colors;
}

static void test_names(void **state) {
  (void)state;
  assert_string_equal(prism_greedy_name(PRISM_GREEDY_DSATUR), "dsatur");
  assert_string_equal(prism_greedy_name(PRISM_GREEDY_SMALLEST_LAST), "smallest last");
  assert_string_equal(prism_greedy_name(PRISM_GREEDY_COUNT), "unknown");
}

static void test_meshes_and_boards(void **state) {
  (void)state;
  prism_generated_t made;
  assert_int_equal(prism_generate_mesh27(20, 20, 20, &made), PRISM_OK);
  assert_int_equal(clique_of(made.graph), 8);
  assert_int_equal(greedy_of(made.graph, PRISM_GREEDY_NATURAL), 8);
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_generate_rook(20, 30, &made), PRISM_OK);
  assert_int_equal(clique_of(made.graph), 30);
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_generate_queen(13, 13, &made), PRISM_OK);
  assert_int_equal(clique_of(made.graph), 13);
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* Sparse and large: nothing may need quadratic memory or time. */
static void test_large_sparse(void **state) {
  (void)state;
  prism_generated_t made;
  assert_int_equal(prism_generate_gnp(100000, 8.0 / 100000, 1, &made), PRISM_OK);
  assert_in_range(clique_of(made.graph), 3, 4);
  for (int h = 0; h < PRISM_GREEDY_COUNT; ++h)
    assert_in_range(greedy_of(made.graph, (prism_greedy_t)h), 4, 12);
  assert_true(prism_mem_peak_bytes() < 200u << 20);
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* A star has one vertex of huge degree and leaves that see colors beyond their own
 * degree. */
static void test_star(void **state) {
  (void)state;
  enum { LEAVES = 5000 };
  int32_t *pairs = NULL;
  assert_int_equal(PRISM_ALLOC(2 * LEAVES, &pairs), PRISM_OK);
  for (int32_t v = 0; v < LEAVES; ++v) {
    pairs[2 * v] = LEAVES;
    pairs[2 * v + 1] = v;
  }
  prism_graph_t *graph = NULL;
  assert_int_equal(prism_graph_from_edges(LEAVES + 1, pairs, LEAVES, NULL, &graph), PRISM_OK);
  prism_free(pairs);
  assert_int_equal(clique_of(graph), 2);
  for (int h = 0; h < PRISM_GREEDY_COUNT; ++h)
    assert_int_equal(greedy_of(graph, (prism_greedy_t)h), 2);
  prism_graph_destroy(&graph);
}

/* Many colors next to vertices of small degree: DSATUR's bits do not reach those. */
static void test_dsatur_wide_colors(void **state) {
  (void)state;
  prism_generated_t made;
  enum { CORE = 200 };
  assert_int_equal(prism_generate_gnp(CORE, 1, 1, &made), PRISM_OK);
  int64_t count = 0;
  int32_t *pairs = NULL;
  assert_int_equal(PRISM_ALLOC(2 * (made.graph->m + 4 * CORE), &pairs), PRISM_OK);
  for (int32_t v = 0; v < CORE; ++v)
    for (int32_t u = 0; u < v; ++u) {
      pairs[2 * count] = u;
      pairs[2 * count++ + 1] = v;
    }
  for (int32_t v = 0; v < CORE; ++v) /* a leaf on two far-off core vertices, and a chain */
    for (int32_t j = 0; j < 3; ++j) {
      pairs[2 * count] = CORE + v;
      pairs[2 * count++ + 1] = j == 0 ? v : j == 1 ? (v + 97) % CORE : CORE + (v + 1) % CORE;
    }
  prism_graph_t *graph = NULL;
  assert_int_equal(prism_graph_from_edges(2 * CORE, pairs, count, NULL, &graph), PRISM_OK);
  prism_free(pairs);
  prism_graph_destroy(&made.graph);
  assert_int_equal(greedy_of(graph, PRISM_GREEDY_DSATUR), CORE);
  assert_int_equal(clique_of(graph), CORE);
  prism_graph_destroy(&graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void test_stop(void **state) {
  (void)state;
  prism_generated_t made;
  assert_int_equal(prism_generate_gnp(300, 0.5, 1, &made), PRISM_OK);
  atomic_int stop = 1;
  int32_t color[300], colors = -7;
  for (int h = 0; h < PRISM_GREEDY_COUNT; ++h) {
    assert_int_equal(
        prism_greedy_color(made.graph, (prism_greedy_t)h, 1, &stop, color, &colors),
        PRISM_INTERRUPTED);
    assert_int_equal(colors, -7);
  }
  prism_error_clear();
  prism_graph_destroy(&made.graph);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* X(file, colors): a clique of that size, and a coloring to match after the
 * reductions, so that the bounds meet without any search. */
#define PROVED_LIST(X)                                                                          \
  X("queen5_5", 5)      X("le450_25a", 25)   X("le450_25b", 25)   X("mulsol.i.1", 49)           \
  X("mulsol.i.2", 31)   X("mulsol.i.4", 31)  X("mulsol.i.5", 31)  X("zeroin.i.1", 49)           \
  X("zeroin.i.3", 30)   X("inithx.i.1", 54)  X("inithx.i.3", 31)  X("fpsol2.i.1", 65)           \
  X("fpsol2.i.2", 30)   X("fpsol2.i.3", 30)  X("miles250", 8)     X("miles500", 20)             \
  X("miles1000", 42)    X("miles1500", 73)   X("anna", 11)        X("homer", 13)                \
  X("r250.1", 8)        X("r125.1c", 46)     X("games120", 9)

/* X(file, size): the largest clique, found in well under a second. */
#define CLIQUE_LIST(X) \
  X("school1", 14) X("wap05a", 50) X("wap01a", 41) X("qg.order30", 30) X("queen13_13", 13)

typedef struct instance {
  const char *name;
  int32_t colors;
} instance_t;

static bool instances_path(const char *name, char *out, size_t size) {
  const char *folder = getenv("PRISM_INSTANCES");
  if (folder == NULL || folder[0] == '\0') return false;
  int length = snprintf(out, size, "%s/%s.col.gz", folder, name);
  return length > 0 && (size_t)length < size && access(out, R_OK) == 0;
}

static void check_meets(const prism_graph_t *graph, int32_t expected) {
  prism_kernel_t *kernel = NULL;
  assert_int_equal(clique_of(graph), expected);
  assert_int_equal(prism_kernel_create(graph, expected, 20000000, &kernel), PRISM_OK);
  const prism_graph_t *rest = prism_kernel_graph(kernel);
  int32_t universal = prism_kernel_universal(kernel), best = 0;
  for (int h = 0; h < PRISM_GREEDY_COUNT && rest != NULL; ++h) {
    int32_t colors = greedy_of(rest, (prism_greedy_t)h);
    if (best == 0 || colors < best) best = colors;
  }
  assert_true(best + universal <= expected);
  prism_kernel_destroy(&kernel);
}

static void test_instances(void **state) {
  (void)state;
#define ROW(file, size) {file, size},
  static const instance_t proved[] = {PROVED_LIST(ROW)}, cliques[] = {CLIQUE_LIST(ROW)};
#undef ROW
  char path[1024];
  int found = 0;
  for (size_t i = 0; i < sizeof proved / sizeof *proved; ++i) {
    prism_graph_t *graph = NULL;
    if (!instances_path(proved[i].name, path, sizeof path)) continue;
    assert_int_equal(prism_dimacs_read(path, NULL, &graph), PRISM_OK);
    check_meets(graph, proved[i].colors);
    prism_graph_destroy(&graph);
    ++found;
  }
  for (size_t i = 0; i < sizeof cliques / sizeof *cliques; ++i) {
    prism_graph_t *graph = NULL;
    if (!instances_path(cliques[i].name, path, sizeof path)) continue;
    assert_int_equal(prism_dimacs_read(path, NULL, &graph), PRISM_OK);
    assert_int_equal(clique_of(graph), cliques[i].colors);
    prism_graph_destroy(&graph);
    ++found;
  }
  if (found == 0) {
    print_message("PRISM_INSTANCES names no folder with benchmark graphs\n");
    skip();
  }
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names),        cmocka_unit_test(test_meshes_and_boards),
      cmocka_unit_test(test_large_sparse), cmocka_unit_test(test_star),
      cmocka_unit_test(test_dsatur_wide_colors),
      cmocka_unit_test(test_stop),         cmocka_unit_test(test_instances),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
