#include "search/crossover.h"

#include <string.h>

#include "base/mem.h"

prism_status_t prism_crossover_init(prism_crossover_t *x, int32_t n, int32_t k) {
  *x = (prism_crossover_t){.n = n, .k = k};
  for (int p = 0; p < 2; ++p) {
    PRISM_TRY(PRISM_ALLOC(k, &x->size[p]));
    PRISM_TRY(PRISM_ALLOC(k + 1, &x->start[p]));
    PRISM_TRY(PRISM_ALLOC(n, &x->list[p]));
  }
  PRISM_TRY(PRISM_ALLOC_ZERO((size_t)k, &x->overlap));
  PRISM_TRY(PRISM_ALLOC(3 * (size_t)n, &x->pair));
  PRISM_TRY(PRISM_ALLOC((size_t)n + 2, &x->bucket));
  return PRISM_OK;
}

void prism_crossover_release(prism_crossover_t *x) {
  for (int p = 0; p < 2; ++p) {
    prism_free(x->size[p]);
    prism_free(x->start[p]);
    prism_free(x->list[p]);
  }
  prism_free(x->overlap);
  prism_free(x->pair);
  prism_free(x->bucket);
  memset(x, 0, sizeof *x);
}

/* Classes as lists: list[start[c] .. start[c + 1] - 1] are the vertices of class c. */
static void list_classes(const prism_crossover_t *x, int parent, const int32_t *color) {
  int32_t *start = x->start[parent], *list = x->list[parent];
  memset(start, 0, ((size_t)x->k + 1) * sizeof *start);
  for (int32_t v = 0; v < x->n; ++v) ++start[color[v] + 1];
  for (int32_t c = 0; c < x->k; ++c) {
    x->size[parent][c] = start[c + 1];
    start[c + 1] += start[c];
  }
  for (int32_t v = 0; v < x->n; ++v) list[start[color[v]]++] = v;
  for (int32_t c = x->k; c > 0; --c) start[c] = start[c - 1];
  start[0] = 0;
}

/* Largest class; ties go to a random one. */
static int32_t largest_class(const int32_t *size, int32_t k, prism_rng_t *rng) {
  int32_t best = 0, ties = 0;
  for (int32_t c = 0; c < k; ++c) {
    if (size[c] > size[best] || ties == 0) {
      best = c;
      ties = 1;
    } else if (size[c] == size[best] && prism_rng_below(rng, (uint32_t)++ties) == 0) {
      best = c;
    }
  }
  return best;
}

void prism_crossover_gpx(prism_crossover_t *x, const int32_t *a, const int32_t *b,
                         prism_rng_t *rng, int32_t *child) {
  const int32_t *parent[2] = {a, b};
  list_classes(x, 0, a);
  list_classes(x, 1, b);
  for (int32_t v = 0; v < x->n; ++v) child[v] = -1;
  for (int32_t c = 0; c < x->k; ++c) {
    int from = c & 1, other = 1 - from;
    int32_t chosen = largest_class(x->size[from], x->k, rng);
    for (int32_t i = x->start[from][chosen]; i < x->start[from][chosen + 1]; ++i) {
      int32_t v = x->list[from][i];
      if (child[v] >= 0) continue;
      child[v] = c;
      --x->size[other][parent[other][v]];
    }
    x->size[from][chosen] = 0;
  }
  for (int32_t v = 0; v < x->n; ++v)
    if (child[v] < 0) child[v] = (int32_t)prism_rng_below(rng, (uint32_t)x->k);
}

int32_t prism_crossover_similarity(prism_crossover_t *x, const int32_t *a, const int32_t *b) {
  /* Overlap cells (class of a, class of b): at most n of them are not zero. */
  list_classes(x, 0, a);
  int32_t *weight = x->pair, *left = x->pair + x->n, *right = x->pair + 2 * (size_t)x->n;
  int32_t cells = 0;
  for (int32_t c = 0; c < x->k; ++c) {
    int32_t first = cells;
    for (int32_t i = x->start[0][c]; i < x->start[0][c + 1]; ++i) {
      int32_t d = b[x->list[0][i]];
      if (x->overlap[d]++ == 0) {
        left[cells] = c;
        right[cells++] = d;
      }
    }
    for (int32_t j = first; j < cells; ++j) {
      weight[j] = x->overlap[right[j]];
      x->overlap[right[j]] = 0;
    }
  }
  /* Counting sort by overlap, largest first; x->list[1] takes the order. */
  int32_t *bucket = x->bucket, *order = x->list[1];
  memset(bucket, 0, ((size_t)x->n + 2) * sizeof *bucket);
  for (int32_t j = 0; j < cells; ++j) ++bucket[x->n - weight[j] + 1];
  for (int32_t w = 0; w <= x->n; ++w) bucket[w + 1] += bucket[w];
  for (int32_t j = 0; j < cells; ++j) order[bucket[x->n - weight[j]]++] = j;
  int32_t *taken_a = x->size[0], *taken_b = x->size[1], similarity = 0;
  memset(taken_a, 0, (size_t)x->k * sizeof *taken_a);
  memset(taken_b, 0, (size_t)x->k * sizeof *taken_b);
  for (int32_t j = 0; j < cells; ++j) {
    int32_t cell = order[j];
    if (taken_a[left[cell]] || taken_b[right[cell]]) continue;
    taken_a[left[cell]] = taken_b[right[cell]] = 1;
    similarity += weight[cell];
  }
  return similarity;
}
