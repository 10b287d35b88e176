/* Covers by cliques, heaviest independent sets, and the colouring by extraction built on them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "oracle.h"
#include "search/extraction.h"

static const uint64_t seed = 20261122;

enum { MAX_N = 256 };

/* ---- covers ---- */

static bool in_clique(const prism_cover_t *cover, int32_t c, int32_t v) {
  for (int64_t i = cover->start[c]; i < cover->start[c + 1]; ++i)
    if (cover->member[i] == v) return true;
  return false;
}

static void check_cliques(const prism_graph_t *graph, const prism_cover_t *cover) {
  for (int32_t c = 0; c < cover->cliques; ++c) {
    const int64_t from = cover->start[c], to = cover->start[c + 1];
    assert_true(to - from >= 2);
    for (int64_t i = from; i < to; ++i)
      for (int64_t j = from; j < i; ++j)
        assert_true(oracle_joined(graph, cover->member[i], cover->member[j]));
    for (int32_t v = 0; v < graph->n; ++v) { /* maximal */
      bool joined = !in_clique(cover, c, v);
      for (int64_t i = from; joined && i < to; ++i)
        joined = oracle_joined(graph, v, cover->member[i]);
      assert_false(joined);
    }
  }
}

static int64_t uncovered(const prism_graph_t *graph, const prism_cover_t *cover) {
  int64_t count = 0;
  for (int32_t u = 0; u < graph->n; ++u)
    for (int64_t e = graph->offset[u]; e < graph->offset[u + 1]; ++e) {
      bool covered = graph->neighbor[e] < u;
      for (int32_t c = 0; c < cover->cliques && !covered; ++c)
        covered = in_clique(cover, c, u) && in_clique(cover, c, graph->neighbor[e]);
      count += !covered;
    }
  return count;
}

static void covers_hold_every_edge(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  int kept_short = 0;
  for (int round = 0; round < 60; ++round) {
    const int32_t n = 1 + (int32_t)prism_rng_below(&rng, 50);
    prism_graph_t *graph = oracle_random_graph(&rng, n, oracle_density(&rng));
    prism_cover_t *cover = NULL;
    assert_int_equal(prism_cover_create(graph, n * n, &cover), PRISM_OK);
    assert_true(cover->whole);
    check_cliques(graph, cover);
    assert_int_equal(uncovered(graph, cover), 0);
    const int32_t all = cover->cliques;
    prism_cover_destroy(&cover);
    const int32_t most = (int32_t)prism_rng_below(&rng, 12);
    assert_int_equal(prism_cover_create(graph, most, &cover), PRISM_OK);
    assert_true(cover->cliques <= most);
    assert_int_equal(cover->whole, all <= most);
    kept_short += !cover->whole;
    check_cliques(graph, cover);
    prism_cover_destroy(&cover);
    prism_graph_destroy(&graph);
  }
  assert_true(kept_short > 10);
}

/* Small cliques tell early that so few will not do. */
static void hopeless_covers_end_early(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  prism_graph_t *graph = oracle_random_graph(&rng, MAX_N, 0.3);
  prism_cover_t *cover = NULL;
  assert_int_equal(prism_cover_create(graph, MAX_N, &cover), PRISM_OK);
  assert_false(cover->whole);
  assert_true(cover->cliques < MAX_N / 2);
  prism_cover_destroy(&cover);
  prism_graph_destroy(&graph);
}

/* ---- heaviest sets ---- */

static void set_of(prism_heavy_set_t *set, const prism_graph_t *graph, prism_rng_t *rng) {
  assert_int_equal(prism_heavy_init(set, graph->n, 2 * graph->m), PRISM_OK);
  set->n = graph->n;
  memcpy(set->offset, graph->offset, ((size_t)graph->n + 1) * sizeof *set->offset);
  memcpy(set->neighbor, graph->neighbor, 2 * (size_t)graph->m * sizeof *set->neighbor);
  for (int32_t v = 0; v < graph->n; ++v) {
    set->weight[v] = 1 + (int32_t)prism_rng_below(rng, 1000);
    set->in[v] = false;
  }
}

static int64_t heaviest(const prism_graph_t *graph, const int32_t *weight) {
  int64_t best = 0;
  for (uint32_t chosen = 0; chosen < UINT32_C(1) << graph->n; ++chosen) {
    int64_t sum = 0;
    for (int32_t v = 0; v < graph->n && sum >= 0; ++v) {
      if ((chosen >> v & 1) == 0) continue;
      sum += weight[v];
      for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e)
        if (chosen >> graph->neighbor[e] & 1) sum = INT64_MIN / 2;
    }
    if (sum > best) best = sum;
  }
  return best;
}

static void heaviest_sets_are_found(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 3, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 30; ++round) {
    const int32_t n = 1 + (int32_t)prism_rng_below(&rng, 12);
    prism_graph_t *graph = oracle_random_graph(&rng, n, oracle_density(&rng));
    prism_heavy_set_t whole, pieces;
    set_of(&whole, graph, &rng);
    set_of(&pieces, graph, &rng);
    memcpy(pieces.weight, whole.weight, (size_t)n * sizeof *whole.weight);
    enum { STEPS = 20000 };
    prism_heavy_begin(&whole, STEPS, 0, 0.5, 0.05);
    prism_heavy_begin(&pieces, STEPS, 0, 0.5, 0.05);
    assert_int_equal(prism_heavy_run(&whole, 2 * STEPS, seed, 5, 77, NULL), STEPS);
    while (pieces.step < STEPS) { /* cut anywhere, also handed over */
      prism_heavy_run(&pieces, 1 + prism_rng_below(&rng, 3000), seed, 5, 77, NULL);
      prism_heavy_begin(&pieces, STEPS, pieces.step, 0.5, 0.05);
    }
    assert_memory_equal(whole.best, pieces.best, (size_t)n * sizeof *whole.best);
    assert_memory_equal(whole.in, pieces.in, (size_t)n * sizeof *whole.in);
    int64_t sum = 0;
    for (int32_t v = 0; v < n; ++v) {
      if (!whole.best[v]) continue;
      sum += whole.weight[v];
      for (int32_t u = 0; u < v; ++u)
        assert_false(whole.best[u] && oracle_joined(graph, u, v));
    }
    assert_int_equal(sum, whole.best_value);
    assert_int_equal(sum, heaviest(graph, whole.weight));
    prism_heavy_release(&whole);
    prism_heavy_release(&pieces);
    prism_graph_destroy(&graph);
  }
}

/* ---- extraction ---- */

/* Paths around a ring of links, `k` on every link: each of k colors is cut into paths at random
 * places. Two that share a link are joined, so that `links` cliques of k vertices cover all. */
static prism_graph_t *ring(prism_rng_t *rng, int32_t links, int32_t k, int32_t most) {
  static bool on[MAX_N][64];
  static int32_t pairs[MAX_N * MAX_N];
  int32_t n = 0;
  int64_t count = 0;
  memset(on, 0, sizeof on);
  for (int32_t c = 0; c < k; ++c) {
    const int32_t first = (int32_t)prism_rng_below(rng, (uint32_t)links);
    for (int32_t done = 0; done < links; ++n) {
      int32_t length = 1 + (int32_t)prism_rng_below(rng, (uint32_t)most);
      if (length > links - done) length = links - done;
      for (int32_t i = 0; i < length; ++i) on[n][(first + done + i) % links] = true;
      done += length;
    }
  }
  for (int32_t u = 0; u < n; ++u)
    for (int32_t v = 0; v < u; ++v) {
      bool shared = false;
      for (int32_t link = 0; link < links; ++link) shared |= on[u][link] && on[v][link];
      if (!shared) continue;
      pairs[2 * count] = u;
      pairs[2 * count++ + 1] = v;
    }
  prism_graph_t *graph = NULL;
  assert_int_equal(prism_graph_from_edges(n, pairs, count, NULL, &graph), PRISM_OK);
  return graph;
}

static const prism_search_params_t params = {.version = 1, .method = PRISM_METHOD_EXTRACTION,
                                             .tenure_base = 10.0, .tenure_slope = 0.6};

static prism_extraction_t *extraction_of(const prism_problem_t *problem, int32_t k,
                                         uint32_t individual) {
  const prism_extraction_setup_t setup = {.problem = problem, .isa = prism_isa_select(0), .k = k,
                                          .seed = seed, .individual = individual,
                                          .tenure_longest = 1000};
  const int32_t color[MAX_N] = {0};
  prism_extraction_t *extraction = NULL;
  assert_int_equal(prism_extraction_create(&setup, color, &extraction), PRISM_OK);
  assert_int_equal(extraction->best_f, problem->graph->m);
  assert_false(extraction->tried);
  return extraction;
}

/* One color more than on a link: a class may miss few of them. */
static void rings_are_colored(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 4, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 10; ++round) {
    const int32_t k = 9 + round % 5, links = 20 + 2 * round;
    prism_graph_t *graph = ring(&rng, links, k - 1, 5);
    prism_problem_t *problem = NULL;
    assert_int_equal(prism_problem_create(graph, 1 << 20, &problem), PRISM_OK);
    prism_extraction_t *e = extraction_of(problem, k, (uint32_t)round);
    assert_true(e->cover->whole && e->cover->cliques <= 2 * links);
    int64_t used = 0;
    assert_int_equal(prism_extraction_run(e, &params, 200000000, NULL, &used), PRISM_OK);
    assert_int_equal(e->best_f, 0);
    assert_true(oracle_legal(graph, e->best_color, k));
    assert_int_equal(prism_extraction_run(e, &params, 1000, NULL, &used), PRISM_OK);
    assert_int_equal(used, 0);
    prism_extraction_destroy(&e);
    prism_problem_destroy(&problem);
    prism_graph_destroy(&graph);
  }
}

/* One color too few: attempts go on, with more effort, and what they report is counted. */
static void attempts_get_longer(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 5, 0, PRISM_RNG_TEST);
  prism_graph_t *graph = ring(&rng, 20, 8, 5);
  for (int32_t k = 1; k < 8; ++k) {
    prism_problem_t *problem = NULL;
    assert_int_equal(prism_problem_create(graph, 1 << 20, &problem), PRISM_OK);
    prism_extraction_t *e = extraction_of(problem, k, 9);
    int32_t effort = 0, attempts = 0;
    int64_t best = e->best_f;
    for (int piece = 0; piece < 4000 && attempts < 4; ++piece) {
      int64_t used = 0;
      const int64_t budget = 1 + (int64_t)prism_rng_below(&rng, 9000);
      assert_int_equal(prism_extraction_run(e, &params, budget, NULL, &used), PRISM_OK);
      assert_int_equal(used, budget);
      assert_true(e->best_f <= best && e->best_f > 0);
      assert_int_equal(e->best_f, oracle_conflicts(graph, e->best_color));
      for (int32_t v = 0; v < graph->n; ++v) assert_in_range(e->best_color[v], 0, k - 1);
      best = e->best_f;
      if (e->attempt == attempts) continue;
      attempts = e->attempt;
      assert_int_equal(e->tried, attempts > 1);
      assert_true(attempts == 1 || e->effort > effort);
      effort = e->effort;
    }
    assert_int_equal(attempts, 4);
    prism_extraction_destroy(&e);
    prism_problem_destroy(&problem);
  }
  prism_graph_destroy(&graph);
}

static int no_leaks(void **state) {
  (void)state;
  return prism_mem_live_blocks() == 0 ? 0 : -1;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(covers_hold_every_edge, no_leaks),
      cmocka_unit_test_teardown(hopeless_covers_end_early, no_leaks),
      cmocka_unit_test_teardown(heaviest_sets_are_found, no_leaks),
      cmocka_unit_test_teardown(rings_are_colored, no_leaks),
      cmocka_unit_test_teardown(attempts_get_longer, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
