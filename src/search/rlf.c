/* RLF (Leighton 1979): color by color, each class grown from the vertex with the
 * most uncolored neighbors by the vertex with the most neighbors among those
 * already shut out of the class, fewest neighbors among the candidates on a tie.
 *
 * Candidates stand in linked lists by the first number. It only rises within a
 * class, so the highest filled list is found in constant amortised time. Ties are
 * looked at in the first TIES entries of that list, so that graphs of millions of
 * vertices stay feasible. */
#include "search/rlf.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum {
  TIES = 256,
  STOP_PICKS = 64 /* picks between two looks at the stop flag */
};

typedef enum place { CANDIDATE, SHUT_OUT, COLORED } place_t;

typedef struct rlf {
  const prism_graph_t *graph;
  prism_rng_t rng;
  uint8_t *place;     /* [n] place_t */
  int32_t *uncolored; /* [uncolored_count] in random order */
  int32_t uncolored_count;
  int32_t *degree;    /* [n] uncolored neighbors */
  int32_t *inside;    /* [n] neighbors among the candidates */
  int32_t *outside;   /* [n] neighbors shut out of the class */
  int32_t *next, *previous; /* [n] lists by `outside` */
  int32_t *head;      /* [max degree + 1], -1: empty */
  int32_t top;        /* no list above is filled */
} rlf_t;

static void rlf_release(rlf_t *r) {
  prism_free(r->place);
  prism_free(r->uncolored);
  prism_free(r->degree);
  prism_free(r->inside);
  prism_free(r->outside);
  prism_free(r->next);
  prism_free(r->previous);
  prism_free(r->head);
}

static prism_status_t rlf_prepare(rlf_t *r) {
  const prism_graph_t *graph = r->graph;
  int32_t n = graph->n;
  size_t lists = (size_t)prism_graph_max_degree(graph) + 1;
  PRISM_TRY(PRISM_ALLOC(n, &r->place));
  PRISM_TRY(PRISM_ALLOC(n, &r->uncolored));
  PRISM_TRY(PRISM_ALLOC(n, &r->degree));
  PRISM_TRY(PRISM_ALLOC(n, &r->inside));
  PRISM_TRY(PRISM_ALLOC(n, &r->outside));
  PRISM_TRY(PRISM_ALLOC(n, &r->next));
  PRISM_TRY(PRISM_ALLOC(n, &r->previous));
  PRISM_TRY(PRISM_ALLOC(lists, &r->head));
  memset(r->head, 0xFF, lists * sizeof *r->head);
  r->uncolored_count = n;
  for (int32_t v = 0; v < n; ++v) {
    r->place[v] = CANDIDATE;
    r->degree[v] = prism_graph_degree(graph, v);
    int32_t j = (int32_t)prism_rng_below(&r->rng, (uint32_t)v + 1);
    r->uncolored[v] = r->uncolored[j];
    r->uncolored[j] = v;
  }
  return PRISM_OK;
}

static void list_insert(rlf_t *r, int32_t v) {
  int32_t list = r->outside[v], first = r->head[list];
  r->previous[v] = -1;
  r->next[v] = first;
  if (first >= 0) r->previous[first] = v;
  r->head[list] = v;
  if (list > r->top) r->top = list;
}

static void list_remove(rlf_t *r, int32_t v) {
  int32_t next = r->next[v], previous = r->previous[v];
  if (next >= 0) r->previous[next] = previous;
  if (previous >= 0)
    r->next[previous] = next;
  else
    r->head[r->outside[v]] = next;
}

/* Make all uncolored vertices candidates; returns the first of the class. */
static int32_t class_begin(rlf_t *r) {
  int32_t kept = 0, first = -1;
  for (int32_t i = 0; i < r->uncolored_count; ++i) {
    int32_t v = r->uncolored[i];
    if (r->place[v] == COLORED) continue;
    r->uncolored[kept++] = v;
    r->place[v] = CANDIDATE;
    r->inside[v] = r->degree[v];
    r->outside[v] = 0;
    list_insert(r, v);
    if (first < 0 || r->degree[v] > r->degree[first]) first = v;
  }
  r->uncolored_count = kept;
  return first;
}

/* Most neighbors shut out, then fewest among the candidates, then by chance;
 * -1 when no candidate is left. */
static int32_t class_next(rlf_t *r) {
  while (r->top >= 0 && r->head[r->top] < 0) --r->top;
  if (r->top < 0) return -1;
  int32_t best = -1;
  uint32_t equal = 0;
  int looked = 0;
  for (int32_t v = r->head[r->top]; v >= 0 && looked < TIES; v = r->next[v], ++looked) {
    if (best < 0 || r->inside[v] < r->inside[best]) {
      best = v;
      equal = 1;
    } else if (r->inside[v] == r->inside[best] && prism_rng_below(&r->rng, ++equal) == 0) {
      best = v;
    }
  }
  return best;
}

/* A candidate that the class now shuts out. */
static void shut_out(rlf_t *r, int32_t u) {
  const prism_graph_t *graph = r->graph;
  list_remove(r, u);
  r->place[u] = SHUT_OUT;
  for (int64_t e = graph->offset[u]; e < graph->offset[u + 1]; ++e) {
    int32_t w = graph->neighbor[e];
    if (r->place[w] != CANDIDATE) continue;
    list_remove(r, w);
    ++r->outside[w];
    --r->inside[w];
    list_insert(r, w);
  }
}

static void class_add(rlf_t *r, int32_t v, int32_t c, int32_t *color) {
  const prism_graph_t *graph = r->graph;
  list_remove(r, v);
  r->place[v] = COLORED;
  color[v] = c;
  for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e) {
    int32_t u = graph->neighbor[e];
    --r->degree[u];
    if (r->place[u] == CANDIDATE) shut_out(r, u);
  }
}

prism_status_t prism_rlf_color(const prism_graph_t *graph, uint64_t seed, const atomic_int *stop,
                               int32_t *color, int32_t *colors) {
  rlf_t r = {.graph = graph, .rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_INITIAL)};
  prism_status_t status = PRISM_OK;
  int32_t used = 0, picks = 0;
  PRISM_TRY_GOTO(status, rlf_prepare(&r), done);
  for (int32_t v; (v = class_begin(&r)) >= 0; ++used) {
    do {
      if (++picks % STOP_PICKS == 0 && stop != NULL &&
          atomic_load_explicit(stop, memory_order_relaxed)) {
        status = prism_error_record(PRISM_INTERRUPTED, __FILE__, __LINE__, __func__,
                                    "the coloring was stopped");
        goto done;
      }
      class_add(&r, v, used, color);
    } while ((v = class_next(&r)) >= 0);
  }
  *colors = used;
done:
  rlf_release(&r);
  return status;
}
