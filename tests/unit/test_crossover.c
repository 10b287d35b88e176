/* GPX against its definition, and the fast similarity against the exact one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/coloring.h"
#include "search/crossover.h"

static const uint64_t seed = 20261203;

enum { MAX_N = 120, MAX_K = 12 };

static void draw(prism_rng_t *rng, int32_t n, int32_t k, int32_t *color) {
  for (int32_t v = 0; v < n; ++v) color[v] = (int32_t)prism_rng_below(rng, (uint32_t)k);
}

typedef struct gpx_case {
  int32_t n, k;
  const int32_t *parent[2], *child;
  bool covered[MAX_N];
} gpx_case_t;

/* Can classes c.. of the child come from GPX steps? Each must hold the rest of a
 * largest class of its parent, whole; what no class covered may have any color, so
 * there can be several explanations. */
static bool explain(gpx_case_t *g, int32_t c) {
  if (c == g->k) return true;
  const int32_t *p = g->parent[c & 1];
  int32_t size[MAX_K] = {0}, inside[MAX_K] = {0}, most = 0;
  for (int32_t v = 0; v < g->n; ++v) {
    if (g->covered[v]) continue;
    ++size[p[v]];
    inside[p[v]] += g->child[v] == c;
  }
  for (int32_t d = 0; d < g->k; ++d) most = size[d] > most ? size[d] : most;
  if (most == 0) return true; /* all is covered */
  for (int32_t d = 0; d < g->k; ++d) {
    if (size[d] != most || inside[d] != most) continue;
    bool before[MAX_N];
    memcpy(before, g->covered, sizeof before);
    for (int32_t v = 0; v < g->n; ++v) g->covered[v] |= p[v] == d;
    if (explain(g, c + 1)) return true;
    memcpy(g->covered, before, sizeof before);
  }
  return false;
}

static void check_gpx(int32_t n, int32_t k, const int32_t *a, const int32_t *b,
                      const int32_t *child) {
  gpx_case_t g = {.n = n, .k = k, .parent = {a, b}, .child = child};
  for (int32_t v = 0; v < n; ++v) assert_true(child[v] >= 0 && child[v] < k);
  assert_true(explain(&g, 0));
}

static void gpx_takes_the_largest_classes(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 2000; ++round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, MAX_N);
    int32_t k = 1 + (int32_t)prism_rng_below(&rng, MAX_K);
    int32_t a[MAX_N], b[MAX_N], child[MAX_N], again[MAX_N];
    draw(&rng, n, round % 3 == 0 ? 1 + (k - 1) / 2 : k, a); /* also with empty classes */
    draw(&rng, n, k, b);
    prism_crossover_t x = {0};
    assert_int_equal(prism_crossover_init(&x, n, k), PRISM_OK);
    prism_rng_t stream = prism_rng_stream(seed, (uint64_t)round, 1, PRISM_RNG_CROSSOVER);
    prism_rng_t same = stream;
    prism_crossover_gpx(&x, a, b, &stream, child);
    check_gpx(n, k, a, b, child);
    prism_crossover_similarity(&x, a, b); /* the scratch is shared */
    prism_crossover_gpx(&x, a, b, &same, again);
    assert_memory_equal(child, again, (size_t)n * sizeof *child);
    prism_crossover_release(&x);
  }
}

/* Parents that are one partition under two names: the child is that partition. */
static void gpx_keeps_what_both_have(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 1, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 200; ++round) {
    enum { N = 100, K = 7 };
    int32_t a[N], b[N], child[N], distance = -1;
    draw(&rng, N, K, a);
    int32_t shift = 1 + (int32_t)prism_rng_below(&rng, K - 1);
    for (int32_t v = 0; v < N; ++v) b[v] = (a[v] + shift) % K;
    prism_crossover_t x = {0};
    assert_int_equal(prism_crossover_init(&x, N, K), PRISM_OK);
    prism_crossover_gpx(&x, a, b, &rng, child);
    assert_int_equal(prism_coloring_distance(a, child, N, K, &distance), PRISM_OK);
    assert_int_equal(distance, 0);
    prism_crossover_release(&x);
  }
}

/* Ties go to every largest class in turn. */
static void gpx_breaks_ties_at_random(void **state) {
  (void)state;
  enum { N = 40, K = 4 };
  int32_t a[N], child[N], chosen[K] = {0};
  for (int32_t v = 0; v < N; ++v) a[v] = v % K;
  prism_crossover_t x = {0};
  assert_int_equal(prism_crossover_init(&x, N, K), PRISM_OK);
  for (uint64_t round = 0; round < 400; ++round) {
    prism_rng_t rng = prism_rng_stream(seed, round, 2, PRISM_RNG_CROSSOVER);
    prism_crossover_gpx(&x, a, a, &rng, child);
    int32_t first = -1;
    for (int32_t v = 0; v < N && first < 0; ++v)
      if (child[v] == 0) first = a[v];
    ++chosen[first];
  }
  for (int32_t c = 0; c < K; ++c) assert_in_range(chosen[c], 50, 150); /* 100 expected */
  prism_crossover_release(&x);
}

static void similarity_is_a_lower_bound(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(seed, 2, 0, PRISM_RNG_TEST);
  int exact = 0;
  for (int round = 0; round < 3000; ++round) {
    int32_t n = 1 + (int32_t)prism_rng_below(&rng, MAX_N);
    int32_t k = 1 + (int32_t)prism_rng_below(&rng, MAX_K);
    int32_t a[MAX_N], b[MAX_N], distance = -1;
    draw(&rng, n, k, a);
    draw(&rng, n, k, b);
    uint32_t noise = prism_rng_below(&rng, 10);
    for (int32_t v = 0; v < n; ++v)
      if (prism_rng_below(&rng, 10) >= noise) b[v] = (a[v] + 1) % k;
    prism_crossover_t x = {0};
    assert_int_equal(prism_crossover_init(&x, n, k), PRISM_OK);
    int32_t similarity = prism_crossover_similarity(&x, a, b);
    assert_int_equal(prism_crossover_similarity(&x, a, b), similarity);
    assert_int_equal(prism_coloring_distance(a, b, n, k, &distance), PRISM_OK);
    assert_true(similarity <= n - distance);
    assert_true(2 * similarity >= n - distance); /* a greedy matching has half the weight */
    if (noise == 0) assert_int_equal(similarity, n);
    exact += similarity == n - distance;
    assert_int_equal(prism_crossover_similarity(&x, a, a), n);
    prism_crossover_release(&x);
  }
  assert_true(exact > 1500);
}

/* The greedy matching itself, spelt out. */
static int32_t naive_similarity(int32_t n, int32_t k, const int32_t *a, const int32_t *b) {
  int32_t overlap[MAX_K][MAX_K] = {{0}}, similarity = 0;
  for (int32_t v = 0; v < n; ++v) ++overlap[a[v]][b[v]];
  for (;;) {
    int32_t best = 0, row = -1, column = -1;
    for (int32_t c = 0; c < k; ++c)
      for (int32_t d = 0; d < k; ++d)
        if (overlap[c][d] > best) {
          best = overlap[c][d];
          row = c;
          column = d;
        }
    if (row < 0) return similarity;
    similarity += best;
    for (int32_t c = 0; c < k; ++c) overlap[row][c] = overlap[c][column] = 0;
  }
}

/* With overlaps that all differ there is but one greedy matching. */
static void similarity_is_the_greedy_matching(void **state) {
  (void)state;
  enum { K = 4, N = K * K * (K * K + 1) / 2 };
  prism_rng_t rng = prism_rng_stream(seed, 3, 0, PRISM_RNG_TEST);
  for (int round = 0; round < 300; ++round) {
    int32_t order[K * K], a[N], b[N], at = 0;
    for (int32_t i = 0; i < K * K; ++i) order[i] = i;
    for (int32_t i = K * K - 1; i > 0; --i) {
      int32_t j = (int32_t)prism_rng_below(&rng, (uint32_t)i + 1), t = order[i];
      order[i] = order[j];
      order[j] = t;
    }
    for (int32_t i = 0; i < K * K; ++i) /* cell order[i] gets i + 1 vertices */
      for (int32_t j = 0; j <= i; ++j, ++at) {
        a[at] = order[i] / K;
        b[at] = order[i] % K;
      }
    assert_int_equal(at, N);
    prism_crossover_t x = {0};
    assert_int_equal(prism_crossover_init(&x, N, K), PRISM_OK);
    assert_int_equal(prism_crossover_similarity(&x, a, b), naive_similarity(N, K, a, b));
    prism_crossover_release(&x);
  }
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gpx_takes_the_largest_classes),
      cmocka_unit_test(gpx_keeps_what_both_have),
      cmocka_unit_test(gpx_breaks_ties_at_random),
      cmocka_unit_test(similarity_is_a_lower_bound),
      cmocka_unit_test(similarity_is_the_greedy_matching),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
