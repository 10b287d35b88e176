/* The CSR graph against an adjacency matrix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/graph.h"

enum { MAX_N = 40, SEED = 20261121, CASES = 300 };

typedef struct sample {
  int32_t n;
  int64_t count;
  int32_t pairs[2 * 400];
  uint8_t matrix[MAX_N][MAX_N];
  int64_t edges, loops, repeats;
} sample_t;

static void sample_draw(prism_rng_t *rng, sample_t *s) {
  memset(s, 0, sizeof *s);
  s->n = 1 + (int32_t)prism_rng_below(rng, MAX_N);
  s->count = (int64_t)prism_rng_below(rng, 400);
  for (int64_t e = 0; e < s->count; ++e) {
    int32_t u = (int32_t)prism_rng_below(rng, (uint32_t)s->n);
    int32_t v = (int32_t)prism_rng_below(rng, (uint32_t)s->n);
    s->pairs[2 * e] = u;
    s->pairs[2 * e + 1] = v;
    if (u == v) {
      ++s->loops;
    } else if (s->matrix[u][v]) {
      ++s->repeats;
    } else {
      s->matrix[u][v] = s->matrix[v][u] = 1;
      ++s->edges;
    }
  }
}

static void check_equal(const prism_graph_t *graph, const sample_t *s) {
  assert_int_equal(graph->n, s->n);
  assert_int_equal(graph->m, s->edges);
  assert_int_equal(graph->offset[0], 0);
  assert_int_equal(graph->offset[s->n], 2 * s->edges);
  int32_t max_degree = 0;
  for (int32_t u = 0; u < s->n; ++u) {
    int32_t degree = 0;
    int64_t at = graph->offset[u];
    for (int32_t v = 0; v < s->n; ++v) {
      assert_int_equal(prism_graph_has_edge(graph, u, v), s->matrix[u][v]);
      if (!s->matrix[u][v]) continue;
      ++degree;
      assert_int_equal(graph->neighbor[at++], v);
    }
    assert_int_equal(at, graph->offset[u + 1]);
    assert_int_equal(prism_graph_degree(graph, u), degree);
    if (degree > max_degree) max_degree = degree;
  }
  assert_int_equal(prism_graph_max_degree(graph), max_degree);
}

static void from_edges_matches_matrix(void **state) {
  (void)state;
  print_message("seed %d\n", SEED);
  prism_rng_t rng = prism_rng_stream(SEED, 0, 1, PRISM_RNG_TEST);
  static sample_t s;
  for (int round = 0; round < CASES; ++round) {
    sample_draw(&rng, &s);
    prism_graph_t *graph = NULL;
    prism_graph_stats_t stats;
    assert_int_equal(prism_graph_from_edges(s.n, s.pairs, s.count, &stats, &graph), PRISM_OK);
    check_equal(graph, &s);
    assert_int_equal(stats.self_loops, s.loops);
    assert_int_equal(stats.repeated_edges, s.repeats);
    prism_graph_destroy(&graph);
    assert_null(graph);
  }
}

static void from_csr_symmetrises(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 0, 2, PRISM_RNG_TEST);
  static sample_t s;
  for (int round = 0; round < CASES; ++round) {
    sample_draw(&rng, &s);
    /* Each pair goes into the row of its first end alone, or into both rows. */
    bool both = round % 2 == 0;
    int64_t offset[MAX_N + 1] = {0}, at[MAX_N];
    int32_t neighbor[2 * 800];
    static uint8_t seen[MAX_N][MAX_N];
    memset(seen, 0, sizeof seen);
    int64_t repeats = 0, loops = 0;
    for (int64_t e = 0; e < s.count; ++e) {
      ++offset[s.pairs[2 * e] + 1];
      if (both) ++offset[s.pairs[2 * e + 1] + 1];
    }
    for (int32_t v = 0; v < s.n; ++v) offset[v + 1] += offset[v];
    memcpy(at, offset, sizeof at);
    for (int64_t e = 0; e < s.count; ++e)
      for (int way = 0; way <= both; ++way) {
        int32_t u = s.pairs[2 * e + way], v = s.pairs[2 * e + 1 - way];
        neighbor[at[u]++] = v;
        if (u == v)
          ++loops;
        else if (seen[u][v])
          ++repeats;
        seen[u][v] = 1;
      }
    prism_graph_t *graph = NULL;
    prism_graph_stats_t stats;
    assert_int_equal(prism_graph_from_csr(s.n, offset, neighbor, &stats, &graph), PRISM_OK);
    check_equal(graph, &s);
    assert_int_equal(stats.self_loops, loops);
    assert_int_equal(stats.repeated_edges, repeats);
    prism_graph_destroy(&graph);
  }
}

static void bad_arguments_are_refused(void **state) {
  (void)state;
  prism_graph_t *graph = NULL;
  const int32_t high[2] = {0, 3}, low[2] = {-1, 2};
  assert_int_equal(prism_graph_from_edges(3, high, 1, NULL, &graph), PRISM_INVALID);
  assert_null(graph);
  assert_int_equal(prism_graph_from_edges(3, low, 1, NULL, &graph), PRISM_INVALID);
  assert_int_equal(prism_graph_from_edges(0, NULL, 0, NULL, &graph), PRISM_INVALID);
  assert_int_equal(prism_graph_from_edges(INT32_MAX, NULL, 0, NULL, &graph), PRISM_INVALID);
  assert_int_equal(prism_graph_from_edges(3, high, -1, NULL, &graph), PRISM_INVALID);
  const int64_t falling[4] = {0, 2, 1, 1}, late[4] = {1, 1, 1, 1}, fine[4] = {0, 1, 1, 1};
  const int32_t row[2] = {1, 2}, wild[1] = {7};
  assert_int_equal(prism_graph_from_csr(3, falling, row, NULL, &graph), PRISM_INVALID);
  assert_int_equal(prism_graph_from_csr(3, late, row, NULL, &graph), PRISM_INVALID);
  assert_int_equal(prism_graph_from_csr(3, fine, wild, NULL, &graph), PRISM_INVALID);
  assert_null(graph);
  const int32_t one[2] = {0, 1}, twice[2] = {1, 1}, outside[1] = {3};
  prism_graph_t *edge = NULL, *part = NULL;
  assert_int_equal(prism_graph_from_edges(3, one, 1, NULL, &edge), PRISM_OK);
  assert_int_equal(prism_graph_induced(edge, twice, 2, &part), PRISM_INVALID);
  assert_int_equal(prism_graph_induced(edge, outside, 1, &part), PRISM_INVALID);
  assert_int_equal(prism_graph_induced(edge, one, 0, &part), PRISM_INVALID);
  assert_null(part);
  prism_graph_destroy(&edge);
}

static void adopt_takes_over_and_checks(void **state) {
  (void)state;
  int64_t *offset = NULL;
  int32_t *neighbor = NULL;
  prism_graph_t *graph = NULL;
  assert_int_equal(PRISM_ALLOC(3, &offset), PRISM_OK);
  assert_int_equal(PRISM_ALLOC(2, &neighbor), PRISM_OK);
  memcpy(offset, (int64_t[]){0, 1, 2}, 3 * sizeof *offset);
  memcpy(neighbor, (int32_t[]){0, 0}, 2 * sizeof *neighbor);
  assert_int_equal(prism_graph_adopt(2, offset, neighbor, &graph), PRISM_INVALID); /* a loop */
  assert_null(graph);
  neighbor[0] = 1;
  assert_int_equal(prism_graph_adopt(2, offset, neighbor, &graph), PRISM_OK);
  assert_int_equal(graph->m, 1);
  assert_true(prism_graph_has_edge(graph, 1, 0));
  prism_graph_destroy(&graph);
}

static void induced_matches_matrix(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 0, 3, PRISM_RNG_TEST);
  static sample_t s, part;
  for (int round = 0; round < CASES; ++round) {
    sample_draw(&rng, &s);
    int32_t vertices[MAX_N];
    for (int32_t i = 0; i < s.n; ++i) vertices[i] = i;
    for (int32_t i = s.n - 1; i > 0; --i) {
      int32_t j = (int32_t)prism_rng_below(&rng, (uint32_t)i + 1), keep = vertices[i];
      vertices[i] = vertices[j];
      vertices[j] = keep;
    }
    memset(&part, 0, sizeof part);
    part.n = 1 + (int32_t)prism_rng_below(&rng, (uint32_t)s.n);
    for (int32_t i = 0; i < part.n; ++i)
      for (int32_t j = 0; j < part.n; ++j) {
        part.matrix[i][j] = s.matrix[vertices[i]][vertices[j]];
        part.edges += i < j && part.matrix[i][j];
      }
    prism_graph_t *graph = NULL, *induced = NULL;
    assert_int_equal(prism_graph_from_edges(s.n, s.pairs, s.count, NULL, &graph), PRISM_OK);
    assert_int_equal(prism_graph_induced(graph, vertices, part.n, &induced), PRISM_OK);
    check_equal(induced, &part);
    prism_graph_destroy(&induced);
    prism_graph_destroy(&graph);
  }
}

/* Smallest-last by definition: the vertex taken at each step has the smallest degree left. */
static void smallest_last_matches_definition(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 0, 4, PRISM_RNG_TEST);
  static sample_t s;
  for (int round = 0; round < CASES; ++round) {
    sample_draw(&rng, &s);
    prism_graph_t *graph = NULL;
    int32_t order[MAX_N], core[MAX_N], degeneracy = -1, level = 0;
    assert_int_equal(prism_graph_from_edges(s.n, s.pairs, s.count, NULL, &graph), PRISM_OK);
    assert_int_equal(prism_graph_smallest_last(graph, order, core, &degeneracy), PRISM_OK);
    bool gone[MAX_N] = {false};
    for (int32_t i = s.n - 1; i >= 0; --i) {
      int32_t smallest = INT32_MAX, mine = -1;
      for (int32_t v = 0; v < s.n; ++v) {
        if (gone[v]) continue;
        int32_t degree = 0;
        for (int32_t u = 0; u < s.n; ++u) degree += s.matrix[v][u] && !gone[u];
        if (degree < smallest) smallest = degree;
        if (v == order[i]) mine = degree;
      }
      assert_int_equal(mine, smallest);
      if (smallest > level) level = smallest;
      assert_int_equal(core[order[i]], level);
      gone[order[i]] = true;
    }
    assert_int_equal(degeneracy, level);
    assert_int_equal(prism_graph_smallest_last(graph, order, NULL, NULL), PRISM_OK);
    prism_graph_destroy(&graph);
  }
}

static void components_match_closure(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 0, 5, PRISM_RNG_TEST);
  static sample_t s;
  for (int round = 0; round < CASES; ++round) {
    sample_draw(&rng, &s);
    prism_graph_t *graph = NULL;
    int32_t component[MAX_N], count = 0, expected = 0;
    s.count %= 30; /* few edges: many components */
    assert_int_equal(prism_graph_from_edges(s.n, s.pairs, s.count, NULL, &graph), PRISM_OK);
    assert_int_equal(prism_graph_components(graph, component, &count), PRISM_OK);
    bool reach[MAX_N][MAX_N];
    for (int32_t u = 0; u < s.n; ++u)
      for (int32_t v = 0; v < s.n; ++v) reach[u][v] = u == v || prism_graph_has_edge(graph, u, v);
    for (int32_t w = 0; w < s.n; ++w)
      for (int32_t u = 0; u < s.n; ++u)
        for (int32_t v = 0; v < s.n; ++v) reach[u][v] |= reach[u][w] && reach[w][v];
    for (int32_t u = 0; u < s.n; ++u) {
      int32_t lowest = 0;
      while (!reach[u][lowest]) ++lowest;
      if (lowest == u) assert_int_equal(component[u], expected++);
      assert_int_equal(component[u], component[lowest]);
    }
    assert_int_equal(count, expected);
    prism_graph_destroy(&graph);
  }
}

static void bitrows_match_matrix(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 0, 6, PRISM_RNG_TEST);
  static sample_t s;
  sample_draw(&rng, &s);
  prism_graph_t *graph = NULL;
  prism_bitrows_t *rows = NULL;
  assert_int_equal(prism_graph_from_edges(s.n, s.pairs, s.count, NULL, &graph), PRISM_OK);
  assert_int_equal(prism_bitrows_create(graph, &rows), PRISM_OK);
  assert_int_equal(rows->words % 8, 0);
  for (int32_t u = 0; u < s.n; ++u)
    for (int32_t v = 0; v < rows->words * 64; ++v)
      assert_int_equal(prism_bitset_has(rows->row + (size_t)u * (size_t)rows->words, v),
                       v < s.n && s.matrix[u][v]);
  prism_bitrows_destroy(&rows);
  prism_bitrows_destroy(&rows);
  prism_graph_destroy(&graph);
}

/* Expected digests computed with Python's hashlib over the bytes that the format prescribes. */
static void hash_follows_the_format(void **state) {
  (void)state;
  char hex[PRISM_SHA256_HEX], again[PRISM_SHA256_HEX];
  prism_graph_t *graph = NULL;
  assert_int_equal(prism_graph_from_edges(1, NULL, 0, NULL, &graph), PRISM_OK);
  prism_graph_hash(graph, hex);
  assert_string_equal(hex, "7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8");
  prism_graph_destroy(&graph);
  const int32_t triangle[] = {2, 1, 1, 0, 0, 2, 2, 2, 0, 1};
  assert_int_equal(prism_graph_from_edges(3, triangle, 5, NULL, &graph), PRISM_OK);
  prism_graph_hash(graph, hex);
  assert_string_equal(hex, "e3810f3cff905f89cc2b11def9ed1651c651f4f9280f541f905fc1140c2703c2");
  prism_graph_destroy(&graph);
  const int32_t tidy[] = {0, 1, 0, 2, 1, 2};
  assert_int_equal(prism_graph_from_edges(3, tidy, 3, NULL, &graph), PRISM_OK);
  prism_graph_hash(graph, again);
  assert_string_equal(hex, again);
  prism_graph_destroy(&graph);
  /* Large enough to pass the internal buffer several times: a path. */
  static int32_t path[2 * 2999];
  for (int32_t i = 0; i < 2999; ++i) {
    path[2 * i] = i;
    path[2 * i + 1] = i + 1;
  }
  assert_int_equal(prism_graph_from_edges(3000, path, 2999, NULL, &graph), PRISM_OK);
  prism_graph_hash(graph, hex);
  assert_string_equal(hex, "6b27b360b3efd228f69d3c6c4b795ce1b2f3b5934def3c93e89b8dc03fcfa91c");
  assert_true(prism_graph_density(graph) > 0.00066 && prism_graph_density(graph) < 0.00067);
  prism_graph_destroy(&graph);
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(from_edges_matches_matrix),
      cmocka_unit_test(from_csr_symmetrises),
      cmocka_unit_test(bad_arguments_are_refused),
      cmocka_unit_test(adopt_takes_over_and_checks),
      cmocka_unit_test(induced_matches_matrix),
      cmocka_unit_test(smallest_last_matches_definition),
      cmocka_unit_test(components_match_closure),
      cmocka_unit_test(bitrows_match_matrix),
      cmocka_unit_test(hash_follows_the_format),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
