#include "search/cover.h"

#include "base/mem.h"

enum {
  FIRST_LOOK = 4, /* cliques after which their size tells something */
  LATEST = 32
};
/* Arcs that may be looked at: the networks need up to 64 times their edges, 0.05 s. */
static const int64_t most_work = 10000000, most_work_edge = 128;

/* What is under way; arrays owned. */
typedef struct maker {
  const prism_graph_t *graph;
  bool *covered;      /* [2 m] by arcs */
  int64_t left;       /* edges that are not */
  int64_t left_before; /* LATEST cliques ago */
  int64_t work;       /* arcs looked at so far */
  int32_t *fitting;   /* [n] vertices joined to the whole clique */
  int32_t fits;
  int32_t *joined;    /* [n] of those that fit: how many of the others are its neighbours */
  bool *fit;          /* [n] */
  int32_t *clique;    /* [n] */
  int32_t size;
} maker_t;

static void maker_release(maker_t *m) {
  prism_free(m->covered);
  prism_free(m->fitting);
  prism_free(m->joined);
  prism_free(m->fit);
  prism_free(m->clique);
}

static prism_status_t maker_init(maker_t *m, const prism_graph_t *graph) {
  *m = (maker_t){.graph = graph, .left = graph->m, .left_before = graph->m};
  PRISM_TRY(PRISM_ALLOC_ZERO(2 * graph->m, &m->covered));
  PRISM_TRY(PRISM_ALLOC(graph->n, &m->fitting));
  PRISM_TRY(PRISM_ALLOC_ZERO(graph->n, &m->joined));
  PRISM_TRY(PRISM_ALLOC_ZERO(graph->n, &m->fit));
  return PRISM_ALLOC(graph->n, &m->clique);
}

/* `v` does not fit any more, or is a member now. */
static void strike(maker_t *m, int32_t v) {
  const prism_graph_t *g = m->graph;
  m->fit[v] = false;
  m->work += prism_graph_degree(g, v);
  for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e)
    if (m->fit[g->neighbor[e]]) --m->joined[g->neighbor[e]];
}

/* Take one that fits; what is not its neighbour fits no more. */
static void take(maker_t *m, int32_t chosen) {
  const prism_graph_t *g = m->graph;
  m->clique[m->size++] = chosen;
  strike(m, chosen);
  int32_t kept = 0;
  int64_t e = g->offset[chosen];
  const int64_t end = g->offset[chosen + 1];
  for (int32_t i = 0; i < m->fits; ++i) { /* both ascending */
    const int32_t v = m->fitting[i];
    while (e < end && g->neighbor[e] < v) ++e;
    if (e < end && g->neighbor[e] == v) m->fitting[kept++] = v;
    else if (v != chosen) strike(m, v);
  }
  m->fits = kept;
}

/* A maximal clique with u and its neighbour v. */
static void grow(maker_t *m, int32_t u, int32_t v) {
  const prism_graph_t *g = m->graph;
  m->size = 0;
  m->fits = 0;
  for (int64_t e = g->offset[u]; e < g->offset[u + 1]; ++e) {
    m->fitting[m->fits++] = g->neighbor[e];
    m->fit[g->neighbor[e]] = true;
  }
  m->clique[m->size++] = u;
  for (int32_t i = 0; i < m->fits; ++i) {
    const int32_t w = m->fitting[i];
    m->joined[w] = 0;
    m->work += prism_graph_degree(g, w);
    for (int64_t e = g->offset[w]; e < g->offset[w + 1]; ++e)
      m->joined[w] += m->fit[g->neighbor[e]];
  }
  take(m, v);
  while (m->fits > 0) {
    int32_t best = m->fitting[0];
    for (int32_t i = 1; i < m->fits; ++i)
      if (m->joined[m->fitting[i]] > m->joined[best]) best = m->fitting[i];
    take(m, best);
  }
}

static void mark(maker_t *m) {
  const prism_graph_t *g = m->graph;
  bool *member = m->fit; /* nothing fits any more */
  for (int32_t i = 0; i < m->size; ++i) member[m->clique[i]] = true;
  for (int32_t i = 0; i < m->size; ++i) {
    const int32_t u = m->clique[i];
    for (int64_t e = g->offset[u]; e < g->offset[u + 1]; ++e) {
      if (!member[g->neighbor[e]] || m->covered[e]) continue;
      m->covered[e] = true;
      m->left -= g->neighbor[e] < u;
    }
  }
  for (int32_t i = 0; i < m->size; ++i) member[m->clique[i]] = false;
}

static prism_status_t add(prism_cover_t *cover, const maker_t *m, int64_t *room) {
  const int64_t from = cover->start[cover->cliques], to = from + m->size;
  if (to > *room) {
    const int64_t more = 2 * to;
    PRISM_TRY(PRISM_GROW(&cover->member, *room, more));
    *room = more;
  }
  for (int32_t i = 0; i < m->size; ++i) cover->member[from + i] = m->clique[i];
  cover->start[++cover->cliques] = to;
  return PRISM_OK;
}

/* Would those that may still come not cover the edges that are left? By what the latest ones
 * covered, twice as many at best; at first by all of them. */
static bool hopeless(const prism_cover_t *cover, maker_t *m, int32_t most) {
  const int32_t count = cover->cliques;
  if (count == FIRST_LOOK && (double)(m->graph->m - m->left) * most < (double)m->graph->m * count)
    return true;
  if (m->work > most_work + most_work_edge * m->graph->m) return true;
  if (count == 0 || count % LATEST != 0) return false;
  const double each = (double)(m->left_before - m->left) / LATEST;
  m->left_before = m->left;
  return 2.0 * each * (most - count) < (double)m->left;
}

static prism_status_t fill(prism_cover_t *cover, maker_t *m, int32_t most) {
  const prism_graph_t *g = m->graph;
  int64_t room = 0;
  PRISM_TRY(PRISM_ALLOC_ZERO(most + 1, &cover->start));
  for (int32_t u = 0; u < g->n; ++u)
    for (int64_t e = g->offset[u]; e < g->offset[u + 1]; ++e) {
      if (m->covered[e] || g->neighbor[e] < u) continue;
      if (cover->cliques == most || hopeless(cover, m, most)) return PRISM_OK;
      grow(m, u, g->neighbor[e]);
      mark(m);
      PRISM_TRY(add(cover, m, &room));
    }
  cover->whole = true;
  return PRISM_OK;
}

prism_status_t prism_cover_create(const prism_graph_t *graph, int32_t most, prism_cover_t **out) {
  prism_cover_t *cover = NULL;
  maker_t maker;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &cover));
  prism_status_t status = maker_init(&maker, graph);
  if (status == PRISM_OK) status = fill(cover, &maker, most);
  maker_release(&maker);
  if (status != PRISM_OK) {
    prism_cover_destroy(&cover);
    return status;
  }
  *out = cover;
  return PRISM_OK;
}

void prism_cover_destroy(prism_cover_t **cover) {
  if (*cover == NULL) return;
  prism_free((*cover)->start);
  prism_free((*cover)->member);
  prism_free(*cover);
  *cover = NULL;
}
