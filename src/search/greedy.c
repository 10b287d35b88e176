/* Constructive heuristics: sequential orders and DSATUR. All are near-linear in
 * time and linear in memory, so that they serve graphs of millions of vertices. */
#include "search/bounds.h"

#include <string.h>

#include "base/bitset.h"
#include "base/mem.h"
#include "base/rng.h"
#include "search/rlf.h"

enum {
  TIES = 16,             /* equal candidates of DSATUR that chance chooses from */
  STOP_VERTICES = 1024,  /* vertices between two looks at the stop flag */
  EXACT_DEGREES = 768,   /* degrees with a bucket of their own */
  DEGREE_BUCKETS = 1024, /* the rest share buckets by size */
  BUCKET_WORDS = DEGREE_BUCKETS / 64
};

static bool asked_to_stop(const atomic_int *stop) {
  return stop != NULL && atomic_load_explicit(stop, memory_order_relaxed);
}

/* ---- Sequential coloring along an order ---- */

static prism_status_t color_in_order(const prism_graph_t *graph, const int32_t *order,
                                     const atomic_int *stop, int32_t *color, int32_t *colors) {
  int32_t n = graph->n, used = 0;
  int32_t *mark = NULL; /* [n + 1] step at which a color was last seen next door */
  PRISM_TRY(PRISM_ALLOC_ZERO((size_t)n + 1, &mark));
  for (int32_t v = 0; v < n; ++v) color[v] = -1;
  for (int32_t i = 0; i < n; ++i) {
    if (i % STOP_VERTICES == 0 && asked_to_stop(stop)) {
      prism_free(mark);
      PRISM_FAIL(PRISM_INTERRUPTED, "the coloring was stopped");
    }
    int32_t v = order == NULL ? i : order[i];
    for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e) {
      int32_t c = color[graph->neighbor[e]];
      if (c >= 0) mark[c] = i + 1;
    }
    int32_t c = 0;
    while (mark[c] == i + 1) ++c;
    color[v] = c;
    if (c >= used) used = c + 1;
  }
  prism_free(mark);
  *colors = used;
  return PRISM_OK;
}

/* Sort vertices by degree (rising); `order` holds them in the order that equal
 * degrees keep. [out] sorted [n], start [max degree + 2] first place of each degree. */
static void sort_by_degree(const prism_graph_t *graph, const int32_t *order, int32_t max_degree,
                           int32_t *sorted, int32_t *start) {
  int32_t n = graph->n;
  memset(start, 0, ((size_t)max_degree + 2) * sizeof *start);
  for (int32_t v = 0; v < n; ++v) ++start[prism_graph_degree(graph, v) + 1];
  for (int32_t d = 0; d <= max_degree; ++d) start[d + 1] += start[d];
  for (int32_t i = 0; i < n; ++i) sorted[start[prism_graph_degree(graph, order[i])]++] = order[i];
  for (int32_t d = max_degree + 1; d > 0; --d) start[d] = start[d - 1];
  start[0] = 0;
}

/* Turn vertices sorted by degree into the order of their removal by smallest
 * remaining degree. What is left stays sorted: a vertex that loses a neighbor swaps
 * places with the first of its degree (after Batagelj & Zaversnik 2003). `start`
 * holds the first place of each degree; place [n] and degree [n] are scratch. */
static void remove_smallest(const prism_graph_t *graph, prism_rng_t *rng, int32_t *sorted,
                            int32_t *start, int32_t *place, int32_t *degree) {
  int32_t n = graph->n;
  for (int32_t i = 0; i < n; ++i) {
    place[sorted[i]] = i;
    degree[sorted[i]] = prism_graph_degree(graph, sorted[i]);
  }
  for (int32_t i = 0; i < n; ++i) {
    int32_t equal = start[degree[sorted[i]] + 1] - i; /* as many share its degree */
    int32_t j = i + (int32_t)prism_rng_below(rng, (uint32_t)equal);
    int32_t v = sorted[j];
    sorted[j] = sorted[i];
    place[sorted[j]] = j;
    sorted[i] = v;
    place[v] = i;
    for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e) {
      int32_t u = graph->neighbor[e];
      if (place[u] <= i) continue;
      int32_t d = degree[u];
      int32_t first = start[d] > i ? start[d] : i + 1;
      int32_t w = sorted[first];
      sorted[first] = u;
      sorted[place[u]] = w;
      place[w] = place[u];
      place[u] = first;
      start[d] = first + 1;
      --degree[u];
    }
  }
}

static void reverse(int32_t *items, int32_t count) {
  for (int32_t i = 0, j = count - 1; i < j; ++i, --j) {
    int32_t kept = items[i];
    items[i] = items[j];
    items[j] = kept;
  }
}

static prism_status_t color_by_degree(const prism_graph_t *graph, bool smallest_last,
                                      uint64_t seed, const atomic_int *stop, int32_t *color,
                                      int32_t *colors) {
  int32_t n = graph->n, max_degree = prism_graph_max_degree(graph);
  int32_t *shuffled = NULL, *order = NULL, *start = NULL, *place = NULL;
  prism_status_t status = PRISM_OK;
  PRISM_TRY_GOTO(status, PRISM_ALLOC(n, &shuffled), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(n, &order), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC((size_t)max_degree + 2, &start), done);
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_INITIAL);
  for (int32_t v = 0; v < n; ++v) shuffled[v] = v;
  prism_rng_shuffle(&rng, shuffled, n);
  sort_by_degree(graph, shuffled, max_degree, order, start);
  if (smallest_last) {
    PRISM_TRY_GOTO(status, PRISM_ALLOC(n, &place), done);
    remove_smallest(graph, &rng, order, start, place, shuffled);
  }
  reverse(order, n);
  status = color_in_order(graph, order, stop, color, colors);
done:
  prism_free(shuffled);
  prism_free(order);
  prism_free(start);
  prism_free(place);
  return status;
}

/* ---- DSATUR ---- */

/* Uncolored vertices in doubly linked lists, one per (saturation, degree bucket).
 * The degree is the one in the uncolored rest; it only falls, so it is brought up
 * to date when a vertex comes up for choice instead of at every change. */
typedef struct dsatur {
  const prism_graph_t *graph;
  prism_rng_t rng;
  int32_t *saturation;   /* [n] distinct colors next door */
  int32_t *degree;       /* [n] uncolored neighbors */
  int32_t *bucket;       /* [n] bucket it stands in: saturation * DEGREE_BUCKETS + ... */
  int32_t *next, *previous; /* [n]; previous of a first one: -1 */
  int32_t *head;         /* [levels][DEGREE_BUCKETS], -1: empty */
  uint64_t *filled;      /* [levels][BUCKET_WORDS] which heads are not empty */
  int32_t levels;        /* saturations that have lists */
  int32_t top;           /* no list above this saturation is filled */
  int64_t *seen_offset;  /* [n + 1] in words */
  uint64_t *seen;        /* colors next door, one bit each, up to the vertex's degree */
} dsatur_t;

static int32_t degree_bucket(int32_t degree) {
  if (degree < EXACT_DEGREES) return degree;
  /* 8 buckets per factor of two above the exact ones. */
  int32_t high = 31 - __builtin_clz((unsigned)degree);
  int32_t bucket = EXACT_DEGREES + (high - 9) * 8 + ((degree >> (high - 3)) & 7);
  return bucket < DEGREE_BUCKETS ? bucket : DEGREE_BUCKETS - 1;
}

static void dsatur_release(dsatur_t *d) {
  prism_free(d->saturation);
  prism_free(d->degree);
  prism_free(d->bucket);
  prism_free(d->next);
  prism_free(d->previous);
  prism_free(d->head);
  prism_free(d->filled);
  prism_free(d->seen_offset);
  prism_free(d->seen);
}

static prism_status_t dsatur_add_levels(dsatur_t *d, int32_t levels) {
  if (levels <= d->levels) return PRISM_OK;
  if (levels < 2 * d->levels) levels = 2 * d->levels;
  size_t old = (size_t)d->levels, fresh = (size_t)levels;
  PRISM_TRY(PRISM_GROW(&d->head, old * DEGREE_BUCKETS, fresh * DEGREE_BUCKETS));
  PRISM_TRY(PRISM_GROW(&d->filled, old * BUCKET_WORDS, fresh * BUCKET_WORDS));
  memset(d->head + old * DEGREE_BUCKETS, 0xFF,
         (fresh - old) * DEGREE_BUCKETS * sizeof *d->head);
  memset(d->filled + old * BUCKET_WORDS, 0, (fresh - old) * BUCKET_WORDS * sizeof *d->filled);
  d->levels = levels;
  return PRISM_OK;
}

static void dsatur_insert(dsatur_t *d, int32_t v) {
  int32_t within = degree_bucket(d->degree[v]);
  int32_t level = d->saturation[v], bucket = level * DEGREE_BUCKETS + within;
  int32_t first = d->head[bucket];
  d->bucket[v] = bucket;
  d->previous[v] = -1;
  d->next[v] = first;
  if (first >= 0) d->previous[first] = v;
  d->head[bucket] = v;
  prism_bitset_add(d->filled + (size_t)level * BUCKET_WORDS, within);
  if (level > d->top) d->top = level;
}

static void dsatur_remove(dsatur_t *d, int32_t v) {
  int32_t bucket = d->bucket[v], next = d->next[v], previous = d->previous[v];
  if (next >= 0) d->previous[next] = previous;
  if (previous >= 0) {
    d->next[previous] = next;
    return;
  }
  d->head[bucket] = next;
  if (next < 0)
    prism_bitset_remove(d->filled + (size_t)(bucket / DEGREE_BUCKETS) * BUCKET_WORDS,
                        bucket % DEGREE_BUCKETS);
}

/* Highest filled bucket; -1 when everything is colored. */
static int32_t dsatur_highest(dsatur_t *d) {
  for (; d->top >= 0; --d->top) {
    const uint64_t *filled = d->filled + (size_t)d->top * BUCKET_WORDS;
    for (int32_t w = BUCKET_WORDS - 1; w >= 0; --w)
      if (filled[w] != 0)
        return d->top * DEGREE_BUCKETS + w * 64 + 63 - __builtin_clzll(filled[w]);
  }
  return -1;
}

/* Take out the vertex of highest saturation, then highest degree in the rest, then
 * by chance among the first few. */
static int32_t dsatur_pop(dsatur_t *d) {
  for (;;) {
    int32_t bucket = dsatur_highest(d);
    if (bucket < 0) return -1;
    int32_t v = d->head[bucket];
    if (d->next[v] >= 0)
      for (uint32_t i = prism_rng_below(&d->rng, TIES); i > 0 && d->next[v] >= 0; --i)
        v = d->next[v];
    dsatur_remove(d, v);
    if (degree_bucket(d->degree[v]) == bucket % DEGREE_BUCKETS) return v;
    dsatur_insert(d, v);
  }
}

/* Does another neighbor of u already wear color c? For colors beyond u's bits. */
static bool seen_by_scan(const prism_graph_t *graph, const int32_t *color, int32_t u, int32_t c,
                         int32_t except) {
  for (int64_t e = graph->offset[u]; e < graph->offset[u + 1]; ++e) {
    int32_t w = graph->neighbor[e];
    if (w != except && color[w] == c) return true;
  }
  return false;
}

static prism_status_t dsatur_notify(dsatur_t *d, const int32_t *color, int32_t v) {
  const prism_graph_t *graph = d->graph;
  int32_t c = color[v];
  for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e) {
    int32_t u = graph->neighbor[e];
    if (color[u] >= 0) continue;
    --d->degree[u];
    int64_t bits = (d->seen_offset[u + 1] - d->seen_offset[u]) * 64;
    if (c < bits) {
      uint64_t *seen = d->seen + d->seen_offset[u];
      if (prism_bitset_has(seen, c)) continue;
      prism_bitset_add(seen, c);
    } else if (seen_by_scan(graph, color, u, c, v)) {
      continue;
    }
    PRISM_TRY(dsatur_add_levels(d, d->saturation[u] + 2));
    dsatur_remove(d, u);
    ++d->saturation[u];
    dsatur_insert(d, u);
  }
  return PRISM_OK;
}

/* A vertex of degree d is never given a color above d, so its bits need not reach
 * further: all sets together take O(n + m) bits, whatever the number of colors. */
static prism_status_t dsatur_prepare(dsatur_t *d) {
  const prism_graph_t *graph = d->graph;
  int32_t n = graph->n;
  PRISM_TRY(PRISM_ALLOC_ZERO(n, &d->saturation));
  PRISM_TRY(PRISM_ALLOC(n, &d->degree));
  PRISM_TRY(PRISM_ALLOC(n, &d->bucket));
  PRISM_TRY(PRISM_ALLOC(n, &d->next));
  PRISM_TRY(PRISM_ALLOC(n, &d->previous));
  PRISM_TRY(PRISM_ALLOC((size_t)n + 1, &d->seen_offset));
  d->seen_offset[0] = 0;
  for (int32_t v = 0; v < n; ++v) {
    d->degree[v] = prism_graph_degree(graph, v);
    d->seen_offset[v + 1] = d->seen_offset[v] + d->degree[v] / 64 + 1;
  }
  PRISM_TRY(PRISM_ALLOC_ZERO(d->seen_offset[n], &d->seen));
  PRISM_TRY(dsatur_add_levels(d, 16));
  /* A random order of insertion: equal degrees are no longer in the graph's order. */
  int32_t *order = NULL;
  PRISM_TRY(PRISM_ALLOC(n, &order));
  for (int32_t v = 0; v < n; ++v) order[v] = v;
  prism_rng_shuffle(&d->rng, order, n);
  for (int32_t i = 0; i < n; ++i) dsatur_insert(d, order[i]);
  prism_free(order);
  return PRISM_OK;
}

static prism_status_t color_by_dsatur(const prism_graph_t *graph, uint64_t seed,
                                      const atomic_int *stop, int32_t *color, int32_t *colors) {
  dsatur_t d = {.graph = graph, .rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_INITIAL)};
  prism_status_t status = PRISM_OK;
  int32_t used = 0, step = 0;
  PRISM_TRY_GOTO(status, dsatur_prepare(&d), done);
  for (int32_t v = 0; v < graph->n; ++v) color[v] = -1;
  for (int32_t v; (v = dsatur_pop(&d)) >= 0; ++step) {
    if (step % STOP_VERTICES == 0 && asked_to_stop(stop)) {
      status = prism_error_record(PRISM_INTERRUPTED, __FILE__, __LINE__, __func__,
                                  "the coloring was stopped");
      goto done;
    }
    const uint64_t *seen = d.seen + d.seen_offset[v];
    int32_t w = 0;
    while (~seen[w] == 0) ++w;
    color[v] = w * 64 + prism_bitset_lowest(~seen[w]);
    if (color[v] >= used) used = color[v] + 1;
    PRISM_TRY_GOTO(status, dsatur_notify(&d, color, v), done);
  }
  *colors = used;
done:
  dsatur_release(&d);
  return status;
}

/* ---- Public functions ---- */

const char *prism_greedy_name(prism_greedy_t heuristic) {
  switch (heuristic) {
#define CASE(name, text)     \
  case PRISM_GREEDY_##name: \
    return text;
    PRISM_GREEDY_LIST(CASE)
#undef CASE
    case PRISM_GREEDY_COUNT:
      break;
  }
  return "unknown";
}

prism_status_t prism_greedy_color(const prism_graph_t *graph, prism_greedy_t heuristic,
                                  uint64_t seed, const atomic_int *stop, int32_t *color,
                                  int32_t *colors) {
  switch (heuristic) {
    case PRISM_GREEDY_NATURAL:
      PRISM_TRY(color_in_order(graph, NULL, stop, color, colors));
      return PRISM_OK;
    case PRISM_GREEDY_LARGEST_FIRST:
    case PRISM_GREEDY_SMALLEST_LAST:
      PRISM_TRY(color_by_degree(graph, heuristic == PRISM_GREEDY_SMALLEST_LAST, seed, stop, color,
                                colors));
      return PRISM_OK;
    case PRISM_GREEDY_DSATUR:
      PRISM_TRY(color_by_dsatur(graph, seed, stop, color, colors));
      return PRISM_OK;
    case PRISM_GREEDY_RLF:
      PRISM_TRY(prism_rlf_color(graph, seed, stop, color, colors));
      return PRISM_OK;
    case PRISM_GREEDY_COUNT:
      break;
  }
  PRISM_FAIL(PRISM_INVALID, "there is no constructive heuristic number %d", (int)heuristic);
}
