/* The kernel of TabuCol in all its forms, and how they are laid out and launched; see
 * tabucol.h and weighted.h. */
#ifndef PRISM_CUDA_KERNELS_TABUCOL_KERNEL_CUH
#define PRISM_CUDA_KERNELS_TABUCOL_KERNEL_CUH

#include "kernels/planning.cuh"
#include "kernels/tabucol.cuh"

namespace tabucol {

template <class Cell>
__device__ __forceinline__ void clear_calendar(Search<Cell> &s, int32_t ring) {
  for (int32_t i = (int32_t)threadIdx.x; i < ring; i += (int32_t)blockDim.x)
    s.entry[i] = make_uint2(NO_KEY, NO_KEY);
}

template <class Cell>
__device__ __forceinline__ void open_weights(Weights &weights, const Search<Cell> &s,
                                             const prism_gpu_graph_t &g, uint16_t *weight,
                                             const Layout &l, uint32_t individual) {
  extern __shared__ uint4 memory[];
  char *base = (char *)memory;
  weights.pitch = weight_pitch(g.n);
  size_t cells = (size_t)g.n * (size_t)weights.pitch;
  weights.cell = weight + (size_t)individual * cells + (size_t)s.first;
  weights.member = (uint4 *)(base + l.member);
  weights.span = l.span;
  weights.sum = (uint16_t *)(base + l.sum);
  weights.limit = (uint32_t)min(USUAL_LIMIT, LARGEST_SUM - g.max_degree);
}

/* The sizes of the classes of `start`, in shared memory. Returns whether a count might
 * not fit a cell. */
template <class Cell>
__device__ __forceinline__ bool measure(Search<Cell> &s, int32_t n, const uint16_t *start) {
  bool outgrown = false;
  for (int32_t c = (int32_t)threadIdx.x; c < s.k; c += (int32_t)blockDim.x) s.size[c] = 0;
  __syncthreads();
  for (int32_t v = (int32_t)threadIdx.x; v < n; v += (int32_t)blockDim.x)
    atomicAdd(&s.size[start[v]], 1);
  __syncthreads();
  for (int32_t c = 0; c < s.k; ++c) outgrown |= s.size[c] >= (int32_t)Cell::FORBID - 2;
  __syncthreads();
  return outgrown;
}

/* One thread enters the pair that a move made tabu into the calendar. A vertex of high
 * score stays put longer, up to twice. */
template <class Cell, bool HOOKS>
__device__ __forceinline__ void forbid(Search<Cell> &s, const prism_tabucol_job_t &job,
                                       const Move &move, uint32_t now, uint32_t mask) {
  uint32_t conflicting = move.count & COUNT_MASK;
  float slope = job.tenure_slope;
  if (HOOKS && job.hooks.score != NULL)
    slope *= 1.0f + fminf(fmaxf(job.hooks.score[move.vertex], 0.0f), 1.0f);
  uint32_t tenure = 1u + (uint32_t)(slope * (float)conflicting) +
                    lcg_below(&s.rng, (uint32_t)job.tenure_base);
  enter(s, move.vertex, move.from, now + 1u + min(tenure, mask - 2u), now, mask);
}

__device__ __forceinline__ bool stopped(const prism_tabucol_job_t &job) {
  return job.stop != NULL && *(const volatile uint32_t *)job.stop != 0;
}

/* Before the search leaves its best colouring for a worse one while vertices wait for a
 * host, this many iterations look at others; elsewhere that would only cost moves. */
enum { PATIENCE = 32 };

enum { NOBODY = -2 }; /* no vertex, and not that of an idle lane, -1 */

/* A search in its run: what it holds beside its tables, and how far it is. */
template <class Cell>
struct Run {
  Search<Cell> s;
  Weights weights;     /* if WEIGHTED */
  Host host;
  uint32_t hosted;     /* by this warp */
  float wait;          /* see draw_wait */
  Watch watch;         /* if HOOKS */
  uint16_t *best_color, *last_color; /* of this individual; last_color may be NULL */
  int32_t best_f;
  int32_t gap;         /* f - best_f */
  int32_t gained;      /* this thread's part of what the last move did to f; if WEIGHTED */
  uint32_t now;        /* iterations done */
  uint32_t flags;      /* of this warp, for the next record */
  int32_t patience;    /* iterations that may pass with a look at others */
  uint32_t pending;    /* 1: the best is the present colouring, not copied yet */
  uint2 due;           /* tabu pairs that expire next */
};

__device__ __forceinline__ const uint32_t *frozen_of(const prism_tabucol_job_t &job, bool hooks) {
  return hooks ? job.hooks.frozen : NULL;
}

/* Host the conflicting vertices of a start after iteration `before`, as many as find a
 * lane. */
template <class Cell, int V, bool HOOKS>
__device__ __forceinline__ void take_first(Run<Cell> &r, const prism_tabucol_job_t &job,
                                           uint32_t before) {
  const uint32_t none[V] = {};
  bool found = false;
  /* A round fills the queue, with one vertex of a thread. */
  for (int32_t round = 0; round < r.s.warps + V * Cell::PER_WORD; ++round) {
    if (r.s.warp < r.s.owners) found = enqueue<Cell, V, HOOKS>(r.s, none, 0, true, before);
    meet<false>();
    take_in<Cell, HOOKS>(r.s, r.host, before, true, false, job.hooks, r.watch);
    meet<false>();
  }
  if (found) r.flags |= WAITING;
  r.hosted = (uint32_t)__popc(__ballot_sync(FULL_WARP, r.host.vertex >= 0));
}

/* Build the tables and take the first vertices in. */
template <class Cell, int V, bool CLUSTER, bool WEIGHTED, bool HOOKS>
__device__ __forceinline__ void begin(Run<Cell> &r, const prism_gpu_graph_t &g,
                                      const prism_tabucol_job_t &job, const uint16_t *start) {
  const uint32_t *frozen = frozen_of(job, HOOKS);
  r.host = Host{-1, 0, 0, NO_COUNT, 0, 0, NO_COUNT};
  r.watch = Watch{0, 0};
  r.gained = 0;
  r.now = 0;
  r.flags = 0;
  r.pending = 1;
  r.patience = PATIENCE;
  r.wait = draw_wait<Cell>(&r.s.rng);
  int32_t conflicts;
  if (WEIGHTED) {
    enroll(r.weights, g.n, r.s.k, start);
    bool full = build_weighted<Cell, V>(r.s, r.weights, g, start, false, frozen);
    if (__any_sync(FULL_WARP, full)) r.flags |= OUTGROWN;
    conflicts = count_conflicts<Cell, V>(r.s, r.weights, g);
  } else {
    conflicts = build<Cell, V, CLUSTER>(r.s, g, start, frozen);
  }
  r.best_f = total<Cell, CLUSTER>(r.s, conflicts) / 2;
  r.gap = 0;
  r.due = make_uint2(NO_KEY, NO_KEY);
  take_first<Cell, V, HOOKS>(r, job, NO_KEY); /* so that the next is iteration 0 */
}

/* Halve the weights and start anew from the present colours, without tabus. */
template <class Cell, int V, bool CLUSTER, bool HOOKS>
__device__ __forceinline__ void smooth(Run<Cell> &r, const prism_gpu_graph_t &g,
                                    const prism_tabucol_job_t &job, int32_t ring) {
  if (HOOKS && r.host.vertex >= 0) unwatch(job.hooks, r.host, r.watch, r.now + 1);
  r.host.vertex = -1;
  r.flags = 0;
  save<Cell, V>(r.s, r.last_color);
  meet<CLUSTER>();
  build_weighted<Cell, V>(r.s, r.weights, g, r.last_color, true, frozen_of(job, HOOKS));
  clear_calendar(r.s, ring);
  r.due = make_uint2(NO_KEY, NO_KEY);
  meet<CLUSTER>();
  take_first<Cell, V, HOOKS>(r, job, r.now);
}

/* The first half of an iteration, by the warps that own words of gamma. [in] moved: there
 * is a move; left: it does not improve; grow: conflicting edges become heavier before it;
 * waiting: vertices wait for a host. */
template <class Cell, int V, bool CLUSTER, bool WEIGHTED, bool HOOKS>
__device__ __forceinline__ void change(Run<Cell> &r, const prism_gpu_graph_t &g,
                                       const prism_tabucol_job_t &job, const Move &move,
                                       bool moved, bool left, bool grow, bool waiting) {
  uint32_t fresh[V] = {};
  RowPart adjacent[V];
  if (!WEIGHTED) fetch<Cell, V, CLUSTER>(r.s, g, moved ? move.vertex : 0, adjacent);
  const bool best = r.pending != 0 && (WEIGHTED || left);
  const bool first = owns_pair<Cell, V>(r.s, r.due.x), second = owns_pair<Cell, V>(r.s, r.due.y);
  if (best || first || second) { /* for most threads and moves nothing */
    if (best) save<Cell, V>(r.s, r.best_color);
    if (first) expire_pair(r.s, r.due.x);
    if (second) expire_pair(r.s, r.due.y);
  }
  if (WEIGHTED && grow) {
    bool full = raise<Cell, V>(r.s, r.weights, g, frozen_of(job, HOOKS));
    if (__any_sync(FULL_WARP, full)) r.flags |= OUTGROWN;
  }
  if (!WEIGHTED)
    recolor<Cell, V, CLUSTER>(r.s, adjacent, move, moved, fresh);
  else if (moved)
    r.gained = recolor_weighted<Cell, V>(r.s, r.weights, move, fresh);
  if (enqueue<Cell, V, HOOKS>(r.s, fresh, move.to, waiting, r.now)) r.flags |= WAITING;
}

/* The second half: this warp's vertices follow the move, if there was one; `near`: its vertex
 * is a neighbour of this lane's. [in] look: it waits for a look at others. */
template <class Cell, bool WEIGHTED, bool HOOKS>
__device__ __forceinline__ void attend(Run<Cell> &r, const prism_tabucol_job_t &job,
                                       const Move &move, bool moved, bool near, bool taker,
                                       bool look) {
  Host &host = r.host;
  int32_t edge = 1;
  if (WEIGHTED && near) /* only now: the owner may have raised it */
    edge = r.weights.cell[(size_t)move.vertex * (size_t)r.weights.pitch +
                          (size_t)(host.vertex - r.s.first)];
  if (HOOKS && job.hooks.counter[0] != NULL && moved) count_move(r.s, host, move, job.hooks);
  follow<Cell, WEIGHTED>(r.s, host, near, edge, move);
  if (WEIGHTED && host.vertex >= 0)
    host.own = (int32_t)(Column<Cell>(r.s.gamma, r.s.stride, host.vertex - r.s.first)
                             .get(host.color) &
                         (Cell::FORBID - 1u));
  if (host.vertex >= 0 && host.own == 0) {
    if (HOOKS) unwatch(job.hooks, host, r.watch, r.now + 1);
    r.s.mark[host.vertex - r.s.first] = 0;
    host.vertex = -1;
  }
  if (taker &&
      take_in<Cell, HOOKS>(r.s, host, r.now, move.taker < 0, look, job.hooks, r.watch))
    r.flags |= WAITING;
  r.hosted = (uint32_t)__popc(__ballot_sync(FULL_WARP, host.vertex >= 0));
}

/* What the last warp sees to in the first half: it hosts vertices and seldom owns words.
 * [in] slot: of the calendar, read by all. Returns whether a class outgrows its cells, to
 * the last thread. */
template <class Cell, bool HOOKS>
__device__ __forceinline__ bool keep_books(Run<Cell> &r, const prism_tabucol_job_t &job,
                                           const Move &move, bool moved, uint32_t rank,
                                           bool watched, int32_t vertices, uint32_t slot,
                                           uint32_t mask) {
  bool outgrown = false;
  if (r.s.lane == 31) {
    r.s.entry[slot] = make_uint2(NO_KEY, NO_KEY); /* they expire now */
    if (watched && moved) outgrown = resize(r.s, move);
    if (moved && (uint32_t)(move.vertex - r.s.first) < (uint32_t)vertices)
      forbid<Cell, HOOKS>(r.s, job, move, r.now, mask);
  }
  if (watched && __any_sync(FULL_WARP, outgrown)) r.flags |= OUTGROWN;
  if (rank == 0 && (r.now & 63u) == 63u && stopped(job)) r.flags |= STOP;
  return outgrown;
}

/* f changes by `change`. [in] left: for no better, and what was the best has been copied. */
template <class Cell>
__device__ __forceinline__ void advance(Run<Cell> &r, int32_t change, bool left) {
  r.gap += change;
  r.pending = (uint32_t)(r.gap < 0) | (r.pending & (uint32_t)!left);
  r.best_f += min(r.gap, 0);
  r.gap = max(r.gap, 0);
}

/* Iterate until f = 0, the last iteration, a stop, or (not if WEIGHTED) a count outgrows its
 * cell. [in] rank, vertices: of this block; watched: a count may outgrow its cell, this
 * block sees to it. Returns whether it did, to the last thread. */
template <class Cell, int V, bool CLUSTER, bool WEIGHTED, bool HOOKS>
__device__ __forceinline__ bool iterate(Run<Cell> &r, const prism_gpu_graph_t &g,
                                        const prism_tabucol_job_t &job, int32_t ring,
                                        uint32_t rank, int32_t vertices, bool watched) {
  const bool owner = r.s.warp < r.s.owners, clerk = r.s.warp == r.s.warps - 1;
  const float *score = HOOKS ? job.hooks.score : NULL;
  const uint32_t mask = (uint32_t)ring - 1u, last = (uint32_t)job.iterations;
  bool outgrown = false;
  for (; WEIGHTED || (r.now < last && r.best_f > 0); ++r.now) {
    const uint32_t slot = r.now & mask;
    Candidate mine = {NO_KEY, 0};
    if (r.hosted != 0) {
      release_pairs(r.s, r.host, r.due);
      mine = choose<Cell, !WEIGHTED, HOOKS>(r.s, r.host, -r.gap, r.wait, r.due, r.watch.worth);
    }
    Move move = agree<Cell, CLUSTER, WEIGHTED, HOOKS>(r.s, mine, r.host.vertex,
                                                      r.hosted | r.flags, (int32_t)(r.now & 1u),
                                                      &r.gained, score);
    if (WEIGHTED) { /* what the last move did to f is known now */
      advance(r, r.gained, false);
      r.gained = 0;
      if (r.best_f == 0 || r.now == last) break;
    }
    const int32_t delta = (int32_t)(move.key >> Cell::DELTA_SHIFT) - Cell::DELTA_ZERO;
    int32_t waiting = 0, look = 0;
    if (move.count > COUNT_MASK) { /* seldom */
      if ((move.count & (OUTGROWN - STOP)) != 0) break;
      if (move.count >= STOP) {
        if (!WEIGHTED) break;
        smooth<Cell, V, CLUSTER, HOOKS>(r, g, job, ring);
        continue;
      }
      waiting = 1;
      look = delta >= 0 && r.pending != 0 && r.patience > 0;
      r.patience = look != 0 ? r.patience - 1 : PATIENCE;
      if (look != 0) move.key = NO_KEY;
    }
    const bool moved = move.key != NO_KEY, left = moved && delta >= 0;
    if (!moved) { /* nobody's; and rows to go through without a change */
      move.vertex = NOBODY;
      move.from = move.to = 0;
    }
    uint32_t seen = 0;
    if (r.hosted != 0) {
      if (moved && r.host.vertex >= 0)
        seen = __ldg(g.row + (uint32_t)(move.vertex * g.words + (r.host.vertex >> 5)));
      r.wait = draw_wait<Cell>(&r.s.rng);
    }
    r.flags = 0;
    if (owner)
      change<Cell, V, CLUSTER, WEIGHTED, HOOKS>(r, g, job, move, moved, left,
                                       delta >= 0 && look == 0 && (move.count & COUNT_MASK) != 0,
                                       waiting != 0);
    if (clerk)
      outgrown |= keep_books<Cell, HOOKS>(r, job, move, moved, rank, watched, vertices, slot, mask);
    if (!WEIGHTED) advance(r, moved ? delta : 0, left);
    meet<false>();
    if (WEIGHTED && moved) {
      r.pending = 0; /* an improvement may add conflicting edges, so it counts as leaving */
      if (threadIdx.x == blockDim.x - 1) reenroll(r.weights, move);
    }
    r.due = r.s.entry[(r.now + 1u) & mask]; /* complete: new pairs go to later slots */
    const bool taker = move.taker < 0 || move.taker == r.s.warp;
    if (r.hosted == 0 && !taker) continue;
    const bool near = (seen >> (r.host.vertex & 31) & 1u) != 0;
    attend<Cell, WEIGHTED, HOOKS>(r, job, move, moved, near, taker, look != 0);
  }
  return outgrown;
}

/* Beyond the TabuCol of tabucol.h: WEIGHTED, see weighted.h; HOOKS, those of the job. */
template <class Cell, int V, bool CLUSTER, bool WEIGHTED, bool HOOKS>
__global__ void __launch_bounds__(CLUSTER ? 512 : 1024, 1)
    tabucol_kernel(prism_gpu_graph_t g, prism_tabucol_job_t job, uint16_t *weight, Layout l,
                   int32_t ring) {
  uint32_t rank;
  const uint32_t individual = individual_of<CLUSTER>(&rank);
  Run<Cell> r;
  begin_search<Cell, V>(r.s, g, job, l, rank, individual);
  clear_calendar(r.s, ring);
  if (WEIGHTED) open_weights(r.weights, r.s, g, weight, l, individual);
  const bool keeper = rank == 0 && threadIdx.x == blockDim.x - 1;
  const bool watched =
      !WEIGHTED && Cell::BITS < 16 && g.max_degree >= (int32_t)Cell::FORBID - 2;
  const uint16_t *start = job.start.color + (size_t)individual * (size_t)job.start.pitch;
  r.best_color = job.best.color + (size_t)individual * (size_t)job.best.pitch;
  r.last_color = NULL;
  if (job.last.color != NULL)
    r.last_color = job.last.color + (size_t)individual * (size_t)job.last.pitch;
  if (watched && measure(r.s, g.n, start)) { /* the same in all blocks of a cluster */
    if (keeper) atomicAdd(job.outgrown, 1u);
    return;
  }
  begin<Cell, V, CLUSTER, WEIGHTED, HOOKS>(r, g, job, start);
  bool outgrown = iterate<Cell, V, CLUSTER, WEIGHTED, HOOKS>(r, g, job, ring, rank, l.vertices,
                                                             watched && rank == 0);
  if (r.pending != 0) save<Cell, V>(r.s, r.best_color);
  if (r.last_color != NULL) save<Cell, V>(r.s, r.last_color);
  if (HOOKS && r.host.vertex >= 0) unwatch(job.hooks, r.host, r.watch, r.now);
  meet<CLUSTER>();
  if (!keeper) return;
  job.best.f[individual] = r.best_f;
  if (r.last_color != NULL) job.last.f[individual] = r.best_f + r.gap;
  if (r.best_f == 0) atomicCAS(job.solved, 0u, 1u + individual);
  if (outgrown) atomicAdd(job.outgrown, 1u);
  atomicAdd(job.moves, (unsigned long long)r.now);
}

/* ---- the host's side ---- */

typedef void (*kernel_t)(prism_gpu_graph_t, prism_tabucol_job_t, uint16_t *, Layout, int32_t);

template <class Cell, bool WEIGHTED, bool HOOKS>
static kernel_t kernel_of(const prism_tabucol_plan_t *plan) {
  const bool cluster = plan->cluster > 1;
  switch (plan->words_per_thread) {
    case 1:
      return cluster ? tabucol_kernel<Cell, 1, true, WEIGHTED, HOOKS>
                     : tabucol_kernel<Cell, 1, false, WEIGHTED, HOOKS>;
    case 2:
      return cluster ? tabucol_kernel<Cell, 2, true, WEIGHTED, HOOKS>
                     : tabucol_kernel<Cell, 2, false, WEIGHTED, HOOKS>;
    default:
      return cluster ? tabucol_kernel<Cell, 4, true, WEIGHTED, HOOKS>
                     : tabucol_kernel<Cell, 4, false, WEIGHTED, HOOKS>;
  }
}

static Layout layout_for(const prism_tabucol_plan_t *plan, int32_t n, int32_t k, bool weighted) {
  return plan->cell_bits == 6    ? layout_of<CellU6>(n, k, plan->cluster, plan->ring, weighted)
         : plan->cell_bits == 8 ? layout_of<CellU8>(n, k, plan->cluster, plan->ring, weighted)
                                : layout_of<CellU16>(n, k, plan->cluster, plan->ring, weighted);
}

/* Lanes that the conflicting vertices of a search need: measured where colours are scarce
 * (docs/EXPERIMENTS.md), 28 of 250 vertices, 65 of 500, 200 of 1000. */
static int32_t hosts_for(int32_t vertices) {
  double share = vertices < 400 ? 0.128 : vertices < 800 ? 0.256 : 0.288;
  int32_t hosts = (int32_t)(share * (double)vertices);
  return hosts < 32 ? 32 : hosts < 1024 ? hosts : 1024;
}

typedef kernel_t (*choice_t)(const prism_tabucol_plan_t *plan, bool hooks);

/* Make a plan for the kernels that `choose` names, with cells of that many bits. */
static prism_status_t plan_cells(const prism_gpu_graph_t *graph, int32_t k, int32_t threads,
                                 int32_t words_per_thread, int32_t cell_bits, bool weighted,
                                 choice_t choose, prism_tabucol_plan_t *out) {
  int32_t most = weighted ? MAX_DEGREE : LARGEST_SUM - 1;
  if (graph->row == NULL || graph->n > 65535 || k > 1024 || graph->max_degree > most)
    return planning::no_layout(graph, k);
  launching::Device device;
  PRISM_TRY(launching::look_at(&device));
  const planning::Wish wish = {threads, words_per_thread, 1024, 8, 32 / cell_bits, hosts_for};
  prism_tabucol_plan_t plan = {};
  plan.cell_bits = cell_bits;
  plan.ring = planning::ring_for(graph->n);
  PRISM_TRY(planning::fit(
      graph, k, wish, device,
      [=](const prism_tabucol_plan_t *p) { return layout_for(p, graph->n, k, weighted); }, &plan));
  for (int hooks = 1; hooks >= 0; --hooks)
    PRISM_TRY(launching::occupy(device, (const void *)choose(&plan, hooks != 0),
                                planning::grid_of(plan, 1), &plan.resident));
  *out = plan;
  return PRISM_OK;
}

/* The same; cell_bits 0: 8, or 6 where the classes are small enough on average that they
 * will hardly outgrow it and more individuals fit the device. */
static prism_status_t plan_for(const prism_gpu_graph_t *graph, int32_t k, int32_t threads,
                               int32_t words_per_thread, int32_t cell_bits, bool weighted,
                               choice_t choose, prism_tabucol_plan_t *out) {
  enum { SMALL_CLASS = 18 };
  if (cell_bits > 0)
    return plan_cells(graph, k, threads, words_per_thread, cell_bits, weighted, choose, out);
  prism_tabucol_plan_t wide, narrow;
  prism_status_t status =
      plan_cells(graph, k, threads, words_per_thread, 8, weighted, choose, &wide);
  bool fits = status == PRISM_OK;
  if (graph->n <= SMALL_CLASS * (int64_t)k &&
      plan_cells(graph, k, threads, words_per_thread, 6, weighted, choose, &narrow) == PRISM_OK &&
      (!fits || 10 * narrow.resident >= 13 * wide.resident)) { /* 6 bits cost some speed */
    wide = narrow;
    fits = true;
  }
  if (!fits) return status;
  *out = wide;
  return PRISM_OK;
}

static prism_status_t launch(const prism_tabucol_plan_t *plan, const prism_gpu_graph_t *graph,
                             const prism_tabucol_job_t *job, uint16_t *weight, choice_t choose,
                             cudaStream_t stream) {
  const prism_gpu_hooks_t *hooks = &job->hooks;
  kernel_t kernel = choose(
      plan, hooks->score != NULL || hooks->frozen != NULL || hooks->counter[0] != NULL);
  Layout layout = layout_for(plan, graph->n, job->start.k, weight != NULL);
  PRISM_TRY(launching::launch(kernel, planning::grid_of(*plan, job->start.members), stream, *graph,
                              *job, weight, layout, plan->ring));
  return PRISM_OK;
}

}  // namespace tabucol

#endif
