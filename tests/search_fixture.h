/* Local searches on random graphs, for the tests of the gamma kernels. */
#ifndef PRISM_TESTS_SEARCH_FIXTURE_H
#define PRISM_TESTS_SEARCH_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/bitset.h"
#include "base/mem.h"
#include "base/rng.h"
#include "oracle.h"
#include "search/state.h"

enum { SEARCH_MAX_N = 256 };

/* A state with all it borrows, and the random hooks it was given. */
typedef struct search {
  prism_graph_t *graph;
  prism_problem_t *problem;
  prism_state_t *state;
  const prism_kernels_t *kernels;
  prism_tabu_params_t tabu;
  bool partial;
  prism_hooks_t hooks;
  float score[SEARCH_MAX_N];
  int32_t vertex_weight[SEARCH_MAX_N];
  int32_t *edge_weight;
  uint64_t frozen[SEARCH_MAX_N / 64];
  int32_t start[SEARCH_MAX_N];
} search_t;

typedef struct search_case {
  prism_graph_t *graph; /* owned by the search from then on */
  int32_t k;
  prism_cell_t cell;
  bool dense, partial, reactive, hooked;
} search_case_t;

static inline void search_must(prism_status_t status) {
  if (status != PRISM_OK) exit(98);
}

/* Symmetric by construction: both arcs take the same number. */
static inline int32_t search_edge_weight(int32_t u, int32_t v) {
  return 1 + (u < v ? u * 7 + v : v * 7 + u) % 5;
}

static inline void search_draw_hooks(search_t *s, prism_rng_t *rng) {
  const prism_graph_t *g = s->graph;
  search_must(PRISM_ALLOC(2 * g->m, &s->edge_weight));
  for (int32_t v = 0; v < g->n; ++v) {
    s->score[v] = (float)prism_rng_below(rng, 3) / 2.0f;
    s->vertex_weight[v] = 1 + (int32_t)prism_rng_below(rng, 4);
    if (prism_rng_below(rng, 5) == 0) prism_bitset_add(s->frozen, v);
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      s->edge_weight[e] = search_edge_weight(v, g->neighbor[e]);
  }
  s->hooks.counters = prism_rng_below(rng, 2) == 0;
  if (prism_rng_below(rng, 2) == 0) s->hooks.score = s->score;
  if (prism_rng_below(rng, 2) == 0) s->hooks.vertex_weight = s->vertex_weight;
  if (prism_rng_below(rng, 2) == 0) s->hooks.edge_weight = s->edge_weight;
  if (prism_rng_below(rng, 2) == 0) s->hooks.frozen = s->frozen;
}

static inline bool search_is_frozen(const search_t *s, int32_t v) {
  return s->hooks.frozen != NULL && prism_bitset_has(s->hooks.frozen, v);
}

/* Random colors; PartialCol leaves some out and has no conflict. */
static inline void search_draw_colors(search_t *s, prism_rng_t *rng, int32_t k) {
  const prism_graph_t *g = s->graph;
  for (int32_t v = 0; v < g->n; ++v) s->start[v] = (int32_t)prism_rng_below(rng, (uint32_t)k);
  for (int32_t v = 0; s->partial && v < g->n; ++v)
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
      if (s->start[g->neighbor[e]] == s->start[v]) {
        s->start[v] = -1;
        prism_bitset_remove(s->frozen, v);
        break;
      }
}

static inline search_t *search_create(const search_case_t *c, const prism_isa_t *isa,
                                      uint64_t seed) {
  prism_rng_t rng = prism_rng_stream(seed, 0, 99, PRISM_RNG_TEST);
  search_t *s = NULL;
  search_must(PRISM_ALLOC_ZERO(1, &s));
  s->graph = c->graph;
  s->partial = c->partial;
  search_must(prism_problem_create(c->graph, c->dense ? (size_t)1 << 30 : 0, &s->problem));
  if (c->hooked) search_draw_hooks(s, &rng);
  search_draw_colors(s, &rng, c->k);
  s->kernels = isa->cell[c->cell];
  s->tabu = (prism_tabu_params_t){10.0, 0.6, c->reactive, seed, 7};
  int32_t longest = 12 + 2 * c->graph->n;
  search_must(prism_state_create(s->problem, c->k, c->cell, longest, &s->state));
  if (c->hooked) search_must(prism_state_set_hooks(s->state, &s->hooks));
  for (int32_t v = 0; v < c->graph->n; ++v) s->state->color[v] = s->start[v];
  search_must(s->kernels->start(s->state, c->partial));
  return s;
}

static inline prism_run_end_t search_run(search_t *s, int64_t iterations) {
  prism_run_end_t end = PRISM_RUN_BUDGET;
  if (s->partial)
    search_must(s->kernels->partialcol(s->state, &s->tabu, iterations, NULL, &end));
  else
    search_must(s->kernels->tabucol(s->state, &s->tabu, iterations, NULL, &end));
  return end;
}

static inline void search_destroy(search_t *s) {
  prism_state_destroy(&s->state);
  prism_problem_destroy(&s->problem);
  prism_graph_destroy(&s->graph);
  prism_free(s->edge_weight);
  prism_free(s);
}

#endif
