/* Cliques for the lower bound: greedy starts, then branch and bound inside the
 * right-neighbourhoods of a smallest-last order.
 *
 * Vertices are renamed by their place in the order, so that every vertex sees at
 * most `degeneracy` lower names. A clique has one vertex of highest name, and the
 * rest of it lies in that vertex's right-neighbourhood (its lower neighbours): n
 * small independent searches replace one large one, and memory stays linear in
 * the graph. The search inside is a bit-parallel branch and bound with a greedy
 * colouring as the bound and one recolouring step (Tomita & Seki 2003; San Segundo
 * et al. 2011; Tomita et al. 2010). Rounds with growing node budgets keep one hard
 * neighbourhood from starving the others. */
#include "search/bounds.h"

#include <stdlib.h>
#include <string.h>

#include "base/bitset.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "search/clique_swap.h"

enum {
  LOCAL_LIMIT = 16384,   /* largest neighbourhood given a bit matrix (32 MiB) */
  SWAP_LIMIT = 4096,     /* largest candidate set given to the local search */
  SWAP_STEPS = 16,       /* its steps that count as one node */
  CLOCK_NODES = 512,     /* nodes between two looks at the clock */
  START_NODES = 64,      /* greedy starts that count as one node */
  FIRST_ROUND_NODES = 1000,
  ROUND_GROWTH = 16
};

/* The renamed graph: lower neighbours only. */
typedef struct oriented {
  int32_t n;
  int32_t *order;    /* [n] vertex of each name */
  int32_t *core;     /* [n] core number by name */
  int64_t *offset;   /* [n + 1] */
  int32_t *lower;    /* [m] lower neighbours by name, ascending */
} oriented_t;

/* One level of the branch and bound. */
typedef struct frame {
  uint64_t *candidates; /* [words] */
  int32_t *order;       /* [p] candidates in the order of their colour */
  int32_t *bound;       /* [p] that colour, from 1 */
  int32_t capacity;     /* p these arrays were made for */
} frame_t;

typedef struct search {
  oriented_t graph;
  double deadline;       /* 0: none */
  int64_t node_limit;    /* 0: none */
  int64_t nodes;
  int64_t round_end;     /* node count at which this neighbourhood gives up */
  bool stopped;          /* deadline or node limit */
  bool cut;              /* this neighbourhood was left unfinished */
  int32_t *best;         /* [n] names */
  int32_t best_size;
  /* the neighbourhood being searched */
  int32_t p, words;
  int32_t *vertex;       /* [degeneracy + 1] names, in local order */
  int32_t *local;        /* [n] local index of a name, -1 outside */
  int32_t *degree;       /* [degeneracy + 1] scratch */
  int32_t *scratch;      /* [degeneracy + 1] scratch */
  uint64_t *matrix;      /* [p][words] */
  size_t matrix_words;   /* allocated */
  uint64_t *color_class; /* [p + 1][words], for recolouring */
  size_t class_words;
  uint64_t *rest;        /* [2][words] scratch of the colouring */
  int32_t *current;      /* [degeneracy + 1] local indices on the path */
  frame_t *frame;        /* [frames] */
  int32_t frames;
} search_t;

static void oriented_release(oriented_t *o) {
  prism_free(o->order);
  prism_free(o->core);
  prism_free(o->offset);
  prism_free(o->lower);
}

static int compare_int32(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

/* Fills `o`; on failure the caller releases what is there. */
static prism_status_t oriented_build(const prism_graph_t *graph, oriented_t *o,
                                     int32_t *degeneracy) {
  int32_t n = graph->n;
  int32_t *name = NULL;
  prism_status_t status = PRISM_OK;
  o->n = n;
  PRISM_TRY(PRISM_ALLOC(n, &o->order));
  PRISM_TRY(PRISM_ALLOC(n, &o->core));
  PRISM_TRY(PRISM_ALLOC((size_t)n + 1, &o->offset));
  PRISM_TRY(PRISM_ALLOC(graph->m, &o->lower));
  PRISM_TRY(PRISM_ALLOC(n, &name));
  PRISM_TRY_GOTO(status, prism_graph_smallest_last(graph, o->order, name, degeneracy), done);
  for (int32_t i = 0; i < n; ++i) o->core[i] = name[o->order[i]];
  for (int32_t i = 0; i < n; ++i) name[o->order[i]] = i;
  int64_t at = 0;
  for (int32_t i = 0; i < n; ++i) {
    int32_t v = o->order[i];
    o->offset[i] = at;
    for (int64_t e = graph->offset[v]; e < graph->offset[v + 1]; ++e) {
      int32_t u = name[graph->neighbor[e]];
      if (u < i) o->lower[at++] = u;
    }
    qsort(o->lower + o->offset[i], (size_t)(at - o->offset[i]), sizeof *o->lower, compare_int32);
  }
  o->offset[n] = at;
done:
  prism_free(name);
  return status;
}

static int32_t lower_count(const oriented_t *o, int32_t v) {
  return (int32_t)(o->offset[v + 1] - o->offset[v]);
}

/* Is {u, v} an edge, u < v? */
static bool adjacent(const oriented_t *o, int32_t u, int32_t v) {
  int64_t low = o->offset[v], high = o->offset[v + 1];
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (o->lower[middle] < u)
      low = middle + 1;
    else
      high = middle;
  }
  return low < o->offset[v + 1] && o->lower[low] == u;
}

static bool out_of_budget(search_t *s) {
  if (!s->stopped) {
    if (s->node_limit > 0 && s->nodes >= s->node_limit) s->stopped = true;
    if (s->deadline > 0 && prism_clock_now() >= s->deadline) s->stopped = true;
  }
  return s->stopped;
}

/* ---- Greedy starts ---- */

/* Grow a clique from `v` through its lower neighbours, taken from place `skip` on
 * and round, so that different starts prefer different vertices. */
static int32_t grow_clique(const search_t *s, int32_t v, int32_t skip, int32_t *clique) {
  const oriented_t *o = &s->graph;
  int32_t count = lower_count(o, v), size = 0;
  clique[size++] = v;
  for (int32_t i = 0; i < count && size + count - i > s->best_size; ++i) {
    int32_t at = i + skip < count ? i + skip : i + skip - count;
    int32_t u = o->lower[o->offset[v] + at];
    if (o->core[u] < s->best_size) continue;
    bool fits = true;
    for (int32_t j = 1; j < size && fits; ++j) {
      int32_t w = clique[j];
      fits = u < w ? adjacent(o, u, w) : adjacent(o, w, u);
    }
    if (fits) clique[size++] = u;
  }
  return size;
}

static void keep_if_better(search_t *s, const int32_t *names, int32_t size) {
  if (size <= s->best_size) return;
  memcpy(s->best, names, (size_t)size * sizeof *names);
  s->best_size = size;
}

/* Two starts from every vertex whose core could still hold a better clique: the
 * highest cores first, then a random place in the neighbourhood. Their share of
 * the time is a quarter, so that the search below always gets its turn. */
static void greedy_starts(search_t *s, uint64_t seed, double end) {
  const oriented_t *o = &s->graph;
  prism_rng_t rng = prism_rng_stream(seed, 0, 0, PRISM_RNG_BOUND);
  int64_t starts = 0, most = s->node_limit > 0 ? s->node_limit * START_NODES / 4 : INT64_MAX;
  for (int round = 0; round < 2; ++round)
    for (int32_t v = 0; v < o->n; ++v) {
      if (lower_count(o, v) < s->best_size) continue;
      if (s->best_size > 0 && starts >= most) return;
      if (++starts % CLOCK_NODES == 0 && end > 0 && prism_clock_now() >= end) return;
      int32_t skip = round == 0 ? 0 : (int32_t)prism_rng_below(&rng, (uint32_t)lower_count(o, v));
      keep_if_better(s, s->current, grow_clique(s, v, skip, s->current));
    }
}

/* ---- One right-neighbourhood ---- */

/* Choose the vertices of v's right-neighbourhood that could be in a clique of more
 * than best_size with it: repeatedly drop those with too few neighbours inside.
 * Leaves them in s->vertex by falling local degree and s->local set; returns how
 * many. */
static int32_t choose_local(search_t *s, int32_t v) {
  const oriented_t *o = &s->graph;
  int32_t p = 0;
  for (int64_t e = o->offset[v]; e < o->offset[v + 1]; ++e) {
    int32_t u = o->lower[e];
    if (o->core[u] < s->best_size) continue;
    s->local[u] = p;
    s->vertex[p++] = u;
  }
  for (;;) {
    if (p < s->best_size) break;
    memset(s->degree, 0, (size_t)p * sizeof *s->degree);
    for (int32_t i = 0; i < p; ++i)
      for (int64_t e = o->offset[s->vertex[i]]; e < o->offset[s->vertex[i] + 1]; ++e) {
        int32_t j = s->local[o->lower[e]];
        if (j < 0) continue;
        ++s->degree[i];
        ++s->degree[j];
      }
    int32_t kept = 0;
    for (int32_t i = 0; i < p; ++i) {
      int32_t u = s->vertex[i];
      if (s->degree[i] < s->best_size - 1) {
        s->local[u] = -1;
        continue;
      }
      s->degree[kept] = s->degree[i];
      s->local[u] = kept;
      s->vertex[kept++] = u;
    }
    if (kept == p) break;
    p = kept;
  }
  return p;
}

static void forget_local(search_t *s, int32_t p) {
  for (int32_t i = 0; i < p; ++i) s->local[s->vertex[i]] = -1;
}

/* Counting sort by falling degree: the colouring then starts with the vertices
 * that are hardest to place, which gives tighter bounds. `at` has p + 1 entries. */
static void sort_local(search_t *s, int32_t p, int32_t *sorted, int32_t *at) {
  memset(at, 0, ((size_t)p + 1) * sizeof *at);
  for (int32_t i = 0; i < p; ++i) ++at[p - 1 - s->degree[i] + 1];
  for (int32_t d = 0; d < p; ++d) at[d + 1] += at[d];
  for (int32_t i = 0; i < p; ++i) sorted[at[p - 1 - s->degree[i]]++] = s->vertex[i];
  for (int32_t i = 0; i < p; ++i) {
    s->vertex[i] = sorted[i];
    s->local[sorted[i]] = i;
  }
}

static prism_status_t grow_words(uint64_t **block, size_t *have, size_t need) {
  if (*have >= need) return PRISM_OK;
  uint64_t *fresh = NULL;
  PRISM_TRY(PRISM_ALLOC(need, &fresh));
  prism_free(*block);
  *block = fresh;
  *have = need;
  return PRISM_OK;
}

static prism_status_t build_matrix(search_t *s, int32_t p) {
  const oriented_t *o = &s->graph;
  s->p = p;
  s->words = prism_bitset_words(p);
  size_t words = (size_t)s->words;
  PRISM_TRY(grow_words(&s->matrix, &s->matrix_words, words * (size_t)p));
  PRISM_TRY(grow_words(&s->color_class, &s->class_words, words * ((size_t)p + 2)));
  memset(s->matrix, 0, words * (size_t)p * sizeof *s->matrix);
  for (int32_t i = 0; i < p; ++i)
    for (int64_t e = o->offset[s->vertex[i]]; e < o->offset[s->vertex[i] + 1]; ++e) {
      int32_t j = s->local[o->lower[e]];
      if (j < 0) continue;
      prism_bitset_add(s->matrix + (size_t)i * words, j);
      prism_bitset_add(s->matrix + (size_t)j * words, i);
    }
  return PRISM_OK;
}

static prism_status_t frame_at(search_t *s, int32_t depth, frame_t **out) {
  frame_t *frame = &s->frame[depth];
  if (frame->capacity < s->p) {
    prism_free(frame->candidates);
    prism_free(frame->order);
    prism_free(frame->bound);
    memset(frame, 0, sizeof *frame);
    PRISM_TRY(PRISM_ALLOC(s->words, &frame->candidates));
    PRISM_TRY(PRISM_ALLOC(s->p, &frame->order));
    PRISM_TRY(PRISM_ALLOC(s->p, &frame->bound));
    frame->capacity = s->p;
  }
  *out = frame;
  return PRISM_OK;
}

/* Bits that two sets share: 0, 1 or 2 (meaning more); *one is the shared bit. */
static int32_t shared_bits(const uint64_t *a, const uint64_t *b, int32_t words, int32_t *one) {
  int32_t count = 0;
  for (int32_t i = 0; i < words; ++i) {
    uint64_t both = a[i] & b[i];
    if (both == 0) continue;
    if (count > 0 || (both & (both - 1)) != 0) return 2;
    count = 1;
    *one = i * 64 + prism_bitset_lowest(both);
  }
  return count;
}

/* Move v out of a colour above `keep` into a lower one by pushing the single
 * neighbour it has there on to another class (Tomita et al. 2010). */
static bool recolor(search_t *s, int32_t v, int32_t keep) {
  size_t words = (size_t)s->words;
  const uint64_t *row = s->matrix + (size_t)v * words;
  for (int32_t c = 1; c < keep; ++c) {
    uint64_t *first = s->color_class + (size_t)c * words;
    int32_t w = -1;
    int32_t shared = shared_bits(first, row, s->words, &w);
    if (shared != 1) continue;
    const uint64_t *row_w = s->matrix + (size_t)w * words;
    for (int32_t d = c + 1; d <= keep; ++d) {
      uint64_t *second = s->color_class + (size_t)d * words;
      int32_t unused = -1;
      if (shared_bits(second, row_w, s->words, &unused) != 0) continue;
      prism_bitset_remove(first, w);
      prism_bitset_add(first, v);
      prism_bitset_add(second, w);
      return true;
    }
  }
  return false;
}

/* Colour the candidates greedily class by class. Those that fit within `keep`
 * colours cannot lead to a better clique and are not listed; the rest are listed
 * by rising colour. Returns the length of the list. */
static int32_t color_candidates(search_t *s, frame_t *frame, int32_t keep) {
  size_t words = (size_t)s->words;
  uint64_t *rest = s->rest, *free_set = s->rest + words;
  memcpy(rest, frame->candidates, words * sizeof *rest);
  int32_t listed = 0, first_word = 0;
  for (int32_t c = 1;; ++c) {
    while (first_word < s->words && rest[first_word] == 0) ++first_word;
    if (first_word == s->words) return listed;
    /* Classes above `keep` only ever serve as themselves: one spare row does. */
    uint64_t *members = s->color_class + (size_t)(c <= keep ? c : s->p + 1) * words;
    memset(members, 0, words * sizeof *members);
    memcpy(free_set, rest, words * sizeof *rest);
    bool used = false;
    for (int32_t w = first_word; w < s->words; ++w) {
      while (free_set[w] != 0) {
        int32_t v = w * 64 + prism_bitset_lowest(free_set[w]);
        const uint64_t *row = s->matrix + (size_t)v * words;
        prism_bitset_remove(rest, v);
        prism_bitset_remove(free_set, v);
        if (c > keep && keep >= 2 && recolor(s, v, keep)) continue;
        for (int32_t i = w; i < s->words; ++i) free_set[i] &= ~row[i];
        prism_bitset_add(members, v);
        used = true;
        if (c > keep) {
          frame->order[listed] = v;
          frame->bound[listed++] = c;
        }
      }
    }
    if (!used) --c; /* all of it was recolored */
  }
}

static void record_local(search_t *s, int32_t v, int32_t depth) {
  s->best[0] = v;
  for (int32_t i = 0; i < depth; ++i) s->best[i + 1] = s->vertex[s->current[i]];
  s->best_size = depth + 1;
}

/* Extend the path of `depth` local vertices (and v) by candidates of its frame. */
static prism_status_t expand(search_t *s, int32_t v, int32_t depth) {
  ++s->nodes;
  if (s->node_limit > 0 && s->nodes >= s->node_limit) s->stopped = true;
  if (s->nodes % CLOCK_NODES == 0) (void)out_of_budget(s);
  if (s->nodes >= s->round_end || s->stopped) {
    s->cut = true;
    return PRISM_OK;
  }
  frame_t *frame = &s->frame[depth], *next = NULL;
  PRISM_TRY(frame_at(s, depth + 1, &next));
  int32_t keep = s->best_size - (depth + 1);
  int32_t listed = color_candidates(s, frame, keep > 0 ? keep : 0);
  for (int32_t i = listed; i-- > 0;) {
    if (depth + 1 + frame->bound[i] <= s->best_size) return PRISM_OK;
    int32_t u = frame->order[i];
    const uint64_t *row = s->matrix + (size_t)u * (size_t)s->words;
    uint64_t any = 0;
    for (int32_t w = 0; w < s->words; ++w) {
      next->candidates[w] = frame->candidates[w] & row[w];
      any |= next->candidates[w];
    }
    s->current[depth] = u;
    if (any != 0) {
      PRISM_TRY(expand(s, v, depth + 1));
      if (s->cut) return PRISM_OK;
    } else if (depth + 2 > s->best_size) {
      record_local(s, v, depth + 1);
    }
    prism_bitset_remove(frame->candidates, u);
  }
  return PRISM_OK;
}

/* Search v's right-neighbourhood with `nodes` branch nodes. [out] finished: no
 * better clique has v as its highest vertex. */
static prism_status_t search_local(search_t *s, int32_t v, int64_t nodes, bool *finished) {
  *finished = true;
  if (lower_count(&s->graph, v) < s->best_size) return PRISM_OK;
  int32_t p = choose_local(s, v);
  if (p < s->best_size || p == 0) {
    forget_local(s, p);
    if (s->best_size == 0) keep_if_better(s, &v, 1);
    return PRISM_OK;
  }
  if (p > LOCAL_LIMIT) {
    forget_local(s, p);
    return PRISM_OK;
  }
  prism_status_t status = PRISM_OK;
  frame_t *frame = NULL;
  sort_local(s, p, s->current, s->scratch);
  PRISM_TRY_GOTO(status, build_matrix(s, p), done);
  PRISM_TRY_GOTO(status, frame_at(s, 0, &frame), done);
  memset(frame->candidates, 0, (size_t)s->words * sizeof *frame->candidates);
  for (int32_t i = 0; i < p; ++i) prism_bitset_add(frame->candidates, i);
  s->cut = false;
  s->round_end = s->nodes > INT64_MAX - nodes ? INT64_MAX : s->nodes + nodes;
  status = expand(s, v, 0);
  *finished = !s->cut;
done:
  forget_local(s, p);
  return status;
}

/* One round over the open neighbourhoods. [in,out] open [n]; [out] again: some are
 * still open. */
static prism_status_t search_round(search_t *s, int64_t nodes, uint8_t *open, bool *again) {
  *again = false;
  for (int32_t v = 0; v < s->graph.n; ++v) {
    if (!open[v] || lower_count(&s->graph, v) < s->best_size) continue;
    if (s->stopped) {
      *again = true;
      return PRISM_OK;
    }
    bool finished = false;
    PRISM_TRY(search_local(s, v, nodes, &finished));
    open[v] = !finished;
    *again = *again || !finished;
    (void)out_of_budget(s);
  }
  return PRISM_OK;
}

/* Local search in the part whose core could hold a better clique, if it is small. */
static prism_status_t search_swaps(search_t *s, uint64_t seed, double deadline, int64_t nodes) {
  const oriented_t *o = &s->graph;
  int32_t p = 0, size = 0;
  for (int32_t v = 0; v < o->n && p <= SWAP_LIMIT; ++v) p += o->core[v] >= s->best_size;
  if (p > SWAP_LIMIT || p == 0) return PRISM_OK;
  size_t words = (size_t)prism_bitset_words(p);
  int32_t *name = NULL, *clique = NULL;
  uint64_t *row = NULL;
  prism_status_t status = PRISM_OK;
  PRISM_TRY_GOTO(status, PRISM_ALLOC(p, &name), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(p, &clique), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC_ZERO(words * (size_t)p, &row), done);
  p = 0;
  for (int32_t v = 0; v < o->n; ++v) {
    if (o->core[v] < s->best_size) continue;
    s->local[v] = p;
    name[p++] = v;
  }
  for (int32_t i = 0; i < p; ++i)
    for (int64_t e = o->offset[name[i]]; e < o->offset[name[i] + 1]; ++e) {
      int32_t j = s->local[o->lower[e]];
      if (j < 0) continue;
      prism_bitset_add(row + (size_t)i * words, j);
      prism_bitset_add(row + (size_t)j * words, i);
    }
  for (int32_t i = 0; i < p; ++i) s->local[name[i]] = -1;
  PRISM_TRY_GOTO(status,
                 prism_clique_swap(p, row, (int32_t)words, seed, deadline, nodes * SWAP_STEPS, 0,
                                   clique, &size),
                 done);
  for (int32_t i = 0; i < size; ++i) clique[i] = name[clique[i]];
  keep_if_better(s, clique, size);
done:
  prism_free(name);
  prism_free(clique);
  prism_free(row);
  return status;
}

/* A first round settles easy graphs. Where it leaves something open, local search
 * finds large cliques faster than branching does; later rounds then try to prove. */
static prism_status_t search_rounds(search_t *s, uint64_t seed, double start, double seconds) {
  uint8_t *open = NULL;
  PRISM_TRY(PRISM_ALLOC(s->graph.n, &open));
  memset(open, 1, (size_t)s->graph.n);
  prism_status_t status = PRISM_OK;
  double deadline = s->deadline;
  int64_t node_limit = s->node_limit;
  bool again = false;
  if (deadline > 0) s->deadline = start + 0.45 * seconds;
  if (node_limit > 0) s->node_limit = (node_limit + 1) / 2;
  PRISM_TRY_GOTO(status, search_round(s, FIRST_ROUND_NODES, open, &again), done);
  int64_t share = node_limit / 4;
  if (again && (deadline > 0 || share > 0)) {
    PRISM_TRY_GOTO(status,
                   search_swaps(s, seed, deadline > 0 ? start + 0.85 * seconds : 0, share), done);
    s->nodes += share;
  }
  s->stopped = false;
  s->deadline = deadline;
  s->node_limit = node_limit;
  int64_t nodes = FIRST_ROUND_NODES;
  while (again && !out_of_budget(s)) {
    nodes *= ROUND_GROWTH;
    PRISM_TRY_GOTO(status, search_round(s, nodes, open, &again), done);
  }
done:
  prism_free(open);
  return status;
}

static prism_status_t search_prepare(search_t *s, const prism_graph_t *graph) {
  int32_t degeneracy = 0;
  PRISM_TRY(oriented_build(graph, &s->graph, &degeneracy));
  size_t p = (size_t)degeneracy + 2;
  PRISM_TRY(PRISM_ALLOC(graph->n, &s->best));
  PRISM_TRY(PRISM_ALLOC(graph->n, &s->local));
  memset(s->local, 0xFF, (size_t)graph->n * sizeof *s->local);
  PRISM_TRY(PRISM_ALLOC(p, &s->vertex));
  PRISM_TRY(PRISM_ALLOC(p, &s->degree));
  PRISM_TRY(PRISM_ALLOC(p, &s->scratch));
  PRISM_TRY(PRISM_ALLOC(p, &s->current));
  PRISM_TRY(PRISM_ALLOC(2 * (p / 64 + 1), &s->rest));
  s->frames = degeneracy + 3;
  PRISM_TRY(PRISM_ALLOC_ZERO(s->frames, &s->frame));
  return PRISM_OK;
}

static void search_release(search_t *s) {
  oriented_release(&s->graph);
  for (int32_t i = 0; s->frame != NULL && i < s->frames; ++i) {
    prism_free(s->frame[i].candidates);
    prism_free(s->frame[i].order);
    prism_free(s->frame[i].bound);
  }
  prism_free(s->frame);
  prism_free(s->best);
  prism_free(s->local);
  prism_free(s->vertex);
  prism_free(s->degree);
  prism_free(s->scratch);
  prism_free(s->current);
  prism_free(s->rest);
  prism_free(s->matrix);
  prism_free(s->color_class);
}

prism_status_t prism_clique_find(const prism_graph_t *graph, uint64_t seed, double seconds,
                                 int64_t node_limit, int32_t *clique, int32_t *size) {
  double start = prism_clock_now();
  search_t s = {.node_limit = node_limit};
  if (seconds > 0) s.deadline = start + seconds;
  prism_status_t status = PRISM_OK;
  PRISM_TRY_GOTO(status, search_prepare(&s, graph), done);
  greedy_starts(&s, seed, seconds > 0 ? start + seconds / 4 : 0);
  /* Without any budget the starts alone answer. */
  if (seconds > 0 || node_limit > 0)
    PRISM_TRY_GOTO(status, search_rounds(&s, seed, start, seconds), done);
  for (int32_t i = 0; i < s.best_size; ++i) clique[i] = s.graph.order[s.best[i]];
  *size = s.best_size;
done:
  search_release(&s);
  return status;
}
