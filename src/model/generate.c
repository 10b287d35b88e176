/* Random graphs (model/generate.h); the structured families are in generate_grid.c. */
#include "model/generate.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/pairs.h"

static prism_status_t check_probability(double p) {
  if (!(p >= 0 && p <= 1)) PRISM_FAIL(PRISM_INVALID, "a probability is between 0 and 1, not %g", p);
  return PRISM_OK;
}

static prism_status_t check_vertices(int32_t n) {
  if (n < 1) PRISM_FAIL(PRISM_INVALID, "a graph needs at least 1 vertex, not %d", n);
  return PRISM_OK;
}

/* Distance to the next success of a Bernoulli(p) sequence, at least 1 (Batagelj &
 * Brandes 2005): whole runs of absent pairs are skipped with one logarithm. */
static int64_t skip(prism_rng_t *rng, double log_q) {
  double steps = floor(log1p(-prism_rng_uniform(rng)) / log_q);
  return steps < 9e18 ? (int64_t)steps + 1 : INT64_MAX;
}

/* Every pair u < v with probability p, unless `group` puts both in one class. */
static prism_status_t random_pairs(int32_t n, double p, const int32_t *group, prism_rng_t *rng,
                                   prism_pairs_t *pairs) {
  if (p <= 0) return PRISM_OK;
  double log_q = log1p(-p); /* -inf at p = 1: every skip is 1 */
  for (int32_t v = 1; v < n; ++v) {
    /* One row at a time; a skip past its end is forgotten, which changes nothing for
     * a memoryless sequence. */
    for (int64_t u = -1;;) {
      int64_t step = skip(rng, log_q);
      if (step >= v - u) break;
      u += step;
      if (group != NULL && group[u] == group[v]) continue;
      PRISM_TRY(prism_pairs_add(pairs, (int32_t)u, v));
    }
  }
  return PRISM_OK;
}

prism_status_t prism_generate_gnp(int32_t n, double p, uint64_t seed, prism_generated_t *out) {
  PRISM_TRY(check_vertices(n));
  PRISM_TRY(check_probability(p));
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_GENERATE);
  prism_pairs_t pairs = {0};
  prism_status_t status = random_pairs(n, p, NULL, &rng, &pairs);
  if (status == PRISM_OK) status = prism_pairs_finish(&pairs, n, out);
  prism_pairs_release(&pairs);
  PRISM_TRY(status);
  if (p <= 0 || p >= 1) {
    out->known_colors = p <= 0 ? 1 : n;
    out->known_is_exact = 1;
  }
  snprintf(out->description, sizeof out->description, "G(n, p) n=%d p=%g seed=%llu", n, p,
           (unsigned long long)seed);
  return PRISM_OK;
}

/* ---- Planted colorings ---- */

/* Scratch of the bipartite graph between two classes. */
typedef struct between {
  bool *joined;      /* [a count][b count] */
  int32_t *quota_a;  /* [a count] edges that each vertex gets */
  int32_t *quota_b;  /* [b count] edges still to give */
  int32_t *order;    /* [max count] */
  int32_t *edge;     /* [2 * edges] places in a and b */
} between_t;

static void between_release(between_t *w) {
  prism_free(w->joined);
  prism_free(w->quota_a);
  prism_free(w->quota_b);
  prism_free(w->order);
  prism_free(w->edge);
}

/* Share `edges` among `count` vertices as evenly as possible; who gets one more is
 * left to chance. */
static void share_evenly(int64_t edges, int32_t *quota, int32_t count, int32_t *order,
                         prism_rng_t *rng) {
  int32_t base = (int32_t)(edges / count), extra = (int32_t)(edges % count);
  for (int32_t i = 0; i < count; ++i) {
    quota[i] = base;
    order[i] = i;
  }
  prism_rng_shuffle(rng, order, count);
  for (int32_t i = 0; i < extra; ++i) ++quota[order[i]];
}

/* Move the vertices with the largest quotas to the front of a random order, `most`
 * of them at least. Quotas differ by little, so one pass per value is cheap. */
static void largest_first(const int32_t *quota, int32_t count, int32_t most, int32_t *order,
                          prism_rng_t *rng) {
  for (int32_t i = 0; i < count; ++i) order[i] = i;
  prism_rng_shuffle(rng, order, count);
  int32_t front = 0;
  while (front < most) {
    int32_t highest = 0;
    for (int32_t i = front; i < count; ++i)
      if (quota[order[i]] > highest) highest = quota[order[i]];
    for (int32_t i = front; i < count; ++i) {
      if (quota[order[i]] != highest) continue;
      int32_t kept = order[front];
      order[front++] = order[i];
      order[i] = kept;
    }
  }
}

/* Exchange the ends of random pairs of edges: degrees stay, the regular pattern of
 * the construction goes. */
static void mix_edges(between_t *w, int64_t edges, int32_t count_b, prism_rng_t *rng) {
  if (edges < 2) return;
  for (int64_t i = 0; i < 10 * edges; ++i) {
    uint32_t x = prism_rng_below(rng, (uint32_t)edges), y = prism_rng_below(rng, (uint32_t)edges);
    int32_t *e = w->edge + 2 * (size_t)x, *f = w->edge + 2 * (size_t)y;
    bool *old_e = &w->joined[(size_t)e[0] * (size_t)count_b + (size_t)e[1]];
    bool *old_f = &w->joined[(size_t)f[0] * (size_t)count_b + (size_t)f[1]];
    bool *new_e = &w->joined[(size_t)e[0] * (size_t)count_b + (size_t)f[1]];
    bool *new_f = &w->joined[(size_t)f[0] * (size_t)count_b + (size_t)e[1]];
    if (*new_e || *new_f) continue;
    *old_e = *old_f = false;
    *new_e = *new_f = true;
    int32_t kept = e[1];
    e[1] = f[1];
    f[1] = kept;
  }
}

/* Join classes a and b by round(p |a| |b|) edges, degrees differing by at most 1 on
 * either side: each vertex of a takes the vertices of b with most left to give. */
static prism_status_t join_flat(const int32_t *a, int32_t count_a, const int32_t *b,
                                int32_t count_b, double p, prism_rng_t *rng,
                                prism_pairs_t *pairs) {
  int64_t edges = llround(p * (double)count_a * (double)count_b);
  if (edges > INT32_MAX) PRISM_FAIL(PRISM_INVALID, "too many edges between two planted classes");
  between_t w = {0};
  prism_status_t status = PRISM_OK;
  int32_t larger = count_a > count_b ? count_a : count_b;
  PRISM_TRY_GOTO(status, PRISM_ALLOC_ZERO((size_t)count_a * (size_t)count_b, &w.joined), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(count_a, &w.quota_a), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(count_b, &w.quota_b), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(larger, &w.order), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(2 * edges, &w.edge), done);
  share_evenly(edges, w.quota_a, count_a, w.order, rng);
  share_evenly(edges, w.quota_b, count_b, w.order, rng);
  int64_t at = 0;
  for (int32_t i = 0; i < count_a; ++i) {
    largest_first(w.quota_b, count_b, w.quota_a[i], w.order, rng);
    for (int32_t j = 0; j < w.quota_a[i]; ++j) {
      int32_t y = w.order[j];
      --w.quota_b[y];
      w.joined[(size_t)i * (size_t)count_b + (size_t)y] = true;
      w.edge[2 * at] = i;
      w.edge[2 * at + 1] = y;
      ++at;
    }
  }
  mix_edges(&w, edges, count_b, rng);
  for (int64_t e = 0; e < edges; ++e)
    PRISM_TRY_GOTO(status, prism_pairs_add(pairs, a[w.edge[2 * e]], b[w.edge[2 * e + 1]]), done);
done:
  between_release(&w);
  return status;
}

/* First of the vertices of class c when n are dealt to k classes. */
static int32_t class_start(int32_t n, int32_t k, int32_t c) {
  return (int32_t)((int64_t)n * c / k);
}

static prism_status_t planted_pairs(int32_t n, int32_t k, double p, bool flat, prism_rng_t *rng,
                                    prism_pairs_t *pairs) {
  int32_t *dealt = NULL, *group = NULL;
  prism_status_t status = PRISM_OK;
  PRISM_TRY_GOTO(status, PRISM_ALLOC(n, &dealt), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(n, &group), done);
  for (int32_t v = 0; v < n; ++v) dealt[v] = v;
  prism_rng_shuffle(rng, dealt, n);
  for (int32_t c = 0; c < k; ++c)
    for (int32_t i = class_start(n, k, c); i < class_start(n, k, c + 1); ++i) group[dealt[i]] = c;
  if (!flat) {
    status = random_pairs(n, p, group, rng, pairs);
    goto done;
  }
  for (int32_t a = 0; a < k; ++a)
    for (int32_t b = a + 1; b < k; ++b) {
      int32_t first_a = class_start(n, k, a), first_b = class_start(n, k, b);
      PRISM_TRY_GOTO(status,
                     join_flat(dealt + first_a, class_start(n, k, a + 1) - first_a,
                               dealt + first_b, class_start(n, k, b + 1) - first_b, p, rng, pairs),
                     done);
    }
done:
  prism_free(dealt);
  prism_free(group);
  return status;
}

prism_status_t prism_generate_planted(int32_t n, int32_t k, double p, int flat, uint64_t seed,
                                      prism_generated_t *out) {
  PRISM_TRY(check_vertices(n));
  PRISM_TRY(check_probability(p));
  if (k < 1 || k > n)
    PRISM_FAIL(PRISM_INVALID, "planted classes: 1 to %d (the vertices), not %d", n, k);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_GENERATE);
  prism_pairs_t pairs = {0};
  prism_status_t status = planted_pairs(n, k, p, flat != 0, &rng, &pairs);
  if (status == PRISM_OK) status = prism_pairs_finish(&pairs, n, out);
  prism_pairs_release(&pairs);
  PRISM_TRY(status);
  out->known_colors = k;
  out->known_is_exact = p >= 1 || k == 1;
  snprintf(out->description, sizeof out->description,
           "%s k-colorable graph n=%d k=%d p=%g seed=%llu", flat != 0 ? "flat" : "planted", n, k,
           p, (unsigned long long)seed);
  return PRISM_OK;
}

/* ---- Geometric graphs ---- */

/* Points of the unit square sorted into cells at least `radius` wide, so that only
 * neighboring cells need comparing. */
typedef struct cells {
  double *x, *y;   /* [n] */
  int32_t side;    /* cells along one side */
  int32_t *start;  /* [side * side + 1] */
  int32_t *point;  /* [n] by cell */
} cells_t;

static void cells_release(cells_t *c) {
  prism_free(c->x);
  prism_free(c->y);
  prism_free(c->start);
  prism_free(c->point);
}

static int32_t cell_of(const cells_t *c, int32_t v) {
  int32_t column = (int32_t)(c->x[v] * c->side), row = (int32_t)(c->y[v] * c->side);
  return row * c->side + column;
}

static prism_status_t cells_build(int32_t n, double radius, uint64_t seed, cells_t *c) {
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_GENERATE);
  PRISM_TRY(PRISM_ALLOC(n, &c->x));
  PRISM_TRY(PRISM_ALLOC(n, &c->y));
  PRISM_TRY(PRISM_ALLOC(n, &c->point));
  for (int32_t v = 0; v < n; ++v) {
    c->x[v] = prism_rng_uniform(&rng);
    c->y[v] = prism_rng_uniform(&rng);
  }
  /* About as many cells as points at most; none narrower than the radius. */
  int32_t side = (int32_t)sqrt((double)n);
  if (radius * side > 1) side = (int32_t)(1 / radius);
  c->side = side > 1 ? side : 1;
  int32_t count = c->side * c->side;
  PRISM_TRY(PRISM_ALLOC_ZERO((size_t)count + 1, &c->start));
  for (int32_t v = 0; v < n; ++v) ++c->start[cell_of(c, v) + 1];
  for (int32_t i = 0; i < count; ++i) c->start[i + 1] += c->start[i];
  for (int32_t v = 0; v < n; ++v) c->point[c->start[cell_of(c, v)]++] = v;
  for (int32_t i = count; i > 0; --i) c->start[i] = c->start[i - 1];
  c->start[0] = 0;
  return PRISM_OK;
}

static bool is_near(const cells_t *c, int32_t u, int32_t v, double radius) {
  double dx = c->x[u] - c->x[v], dy = c->y[u] - c->y[v];
  return dx * dx + dy * dy < radius * radius;
}

/* Join v to the earlier points within reach. */
static prism_status_t near_pairs(const cells_t *c, int32_t v, double radius,
                                 prism_pairs_t *pairs) {
  int32_t cell = cell_of(c, v), row = cell / c->side, column = cell % c->side;
  for (int32_t i = row > 0 ? row - 1 : 0; i <= row + 1 && i < c->side; ++i)
    for (int32_t j = column > 0 ? column - 1 : 0; j <= column + 1 && j < c->side; ++j)
      for (int32_t at = c->start[i * c->side + j]; at < c->start[i * c->side + j + 1]; ++at) {
        int32_t u = c->point[at];
        if (u < v && is_near(c, u, v, radius)) PRISM_TRY(prism_pairs_add(pairs, u, v));
      }
  return PRISM_OK;
}

static prism_status_t far_pairs(const cells_t *c, int32_t v, double radius, prism_pairs_t *pairs) {
  for (int32_t u = 0; u < v; ++u)
    if (!is_near(c, u, v, radius)) PRISM_TRY(prism_pairs_add(pairs, u, v));
  return PRISM_OK;
}

prism_status_t prism_generate_geometric(int32_t n, double radius, int complement, uint64_t seed,
                                        prism_generated_t *out) {
  PRISM_TRY(check_vertices(n));
  if (!(radius >= 0)) PRISM_FAIL(PRISM_INVALID, "a radius is at least 0, not %g", radius);
  cells_t cells = {0};
  prism_pairs_t pairs = {0};
  prism_status_t status = PRISM_OK;
  PRISM_TRY_GOTO(status, cells_build(n, radius, seed, &cells), done);
  for (int32_t v = 0; v < n; ++v)
    PRISM_TRY_GOTO(status,
                   complement != 0 ? far_pairs(&cells, v, radius, &pairs)
                                   : near_pairs(&cells, v, radius, &pairs),
                   done);
  status = prism_pairs_finish(&pairs, n, out);
done:
  cells_release(&cells);
  prism_pairs_release(&pairs);
  PRISM_TRY(status);
  snprintf(out->description, sizeof out->description,
           "random geometric graph%s n=%d radius=%g seed=%llu",
           complement != 0 ? " (complement)" : "", n, radius, (unsigned long long)seed);
  return PRISM_OK;
}
