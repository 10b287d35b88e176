#include "kernels/tempering.h"

#include <stdint.h>

#include "base/rng.h"
#include "kernels/gamma.cuh"
#include "kernels/launching.cuh"
#include "seam/engine.h"

namespace tempering {

enum { MAX_WARPS = 16 };         /* of a block; a batch's masks have 32 bits */
enum { BYTE_CLASS = 255 };       /* largest class whose counts fit a byte for sure */
enum { CALM_CLASS = 240 };       /* ... and from which the table is built again */
enum { SHARED_COLORS = 65536 };  /* vertices whose colours lie in shared memory */

/* Where things lie in the shared memory of a block; offsets in bytes. */
struct Layout {
  int32_t stride; /* words of a gamma row */
  int32_t guard;  /* classes can outgrow a byte */
  size_t color, weight, size, table, total;
};

struct Flags {
  uint32_t stop, outgrown;
};

enum { CHANGES = 1, IN_CONFLICT = 2 }; /* bits of a proposal's state */

/* A warp's proposal for its vertex of the batch. */
struct Proposal {
  uint32_t colors; /* from | to << 16 */
  int32_t delta;
  uint32_t near;   /* earlier vertices of the batch that are neighbours */
  uint32_t state;
};

/* What every thread of a replica holds. */
struct Replica {
  uint16_t *color;
  uint32_t *weight;   /* [PRISM_LADDER_WEIGHTS] of its temperature */
  uint32_t *table;    /* gamma, or a row of counts per warp */
  int32_t *size;      /* of the classes; only with guard */
  Proposal *proposal; /* [2][MAX_WARPS] */
  Flags *flags;
  int32_t stride, n, k, words;
  int32_t warp, lane, warps;
  int32_t buffer;     /* of proposals */
  bool guard;
  bool tabled;        /* the table holds gamma */
  int32_t f, best_f;
  bool pending;       /* the present colours are the best, not saved yet */
  prism_rng_block_t random; /* of the four vertices of this lane in the group */
  int32_t group;            /* of 128 vertices; -1: none yet */
};

/* The number of neighbours of v with colour c. */
template <bool TABLED>
static __device__ __forceinline__ uint32_t count_of(const Replica &s, const uint32_t *counts,
                                                    int32_t v, int32_t c) {
  return TABLED ? (uint32_t)*gamma_cell<CellU8>(s.table, s.stride, c, v) : counts[c];
}

/* The draw of src/search/tempering.h by a whole warp. Returns the conflicts of v; this,
 * [out] to and delta in all lanes. */
template <bool TABLED>
static __device__ __forceinline__ int32_t draw(const Replica &s, const uint32_t *counts,
                                               int32_t v, int32_t from, uint32_t random,
                                               int32_t *to, int32_t *delta) {
  uint32_t least = 0xFFFFFFFFu, sum = 0;
  for (int32_t c = s.lane; c < s.k; c += 32)
    least = min(least, count_of<TABLED>(s, counts, v, c));
  least = __reduce_min_sync(FULL_WARP, least);
  for (int32_t c = s.lane; c < s.k; c += 32)
    sum += prism_ladder_weight(s.weight, count_of<TABLED>(s, counts, v, c) - least);
  uint32_t upto = sum;
  for (int32_t d = 1; d < 32; d *= 2) {
    uint32_t before = __shfl_up_sync(FULL_WARP, upto, (unsigned)d);
    if (s.lane >= d) upto += before;
  }
  uint32_t at = __umulhi(random, __shfl_sync(FULL_WARP, upto, 31));
  int32_t winner = __ffs((int)__ballot_sync(FULL_WARP, upto > at)) - 1;
  int32_t color = 0, count = 0;
  if (s.lane == winner) {
    at -= upto - sum;
    for (int32_t c = s.lane; c < s.k; c += 32) {
      uint32_t x = count_of<TABLED>(s, counts, v, c);
      uint32_t share = prism_ladder_weight(s.weight, x - least);
      color = c;
      count = (int32_t)x;
      if (at < share) break;
      at -= share;
    }
  }
  int32_t own = (int32_t)count_of<TABLED>(s, counts, v, from);
  *to = __shfl_sync(FULL_WARP, color, winner);
  *delta = __shfl_sync(FULL_WARP, count, winner) - own;
  return own;
}

/* Count the neighbours of v by colour into this warp's row; returns those that stand
 * before v in the batch. */
static __device__ __forceinline__ uint32_t count_neighbors(const Replica &s,
                                                           const prism_gpu_graph_t &graph,
                                                           uint32_t *counts, int32_t v) {
  for (int32_t c = s.lane; c < s.k; c += 32) counts[c] = 0;
  __syncwarp();
  uint32_t near = 0;
  int64_t end = __ldg(graph.offset + v + 1);
  for (int64_t e = __ldg(graph.offset + v) + s.lane; e < end; e += 32) {
    int32_t u = __ldg(graph.neighbor + e);
    atomicAdd(&counts[s.color[u]], 1u);
    uint32_t ahead = (uint32_t)(v - u); /* 1 .. warp: in the batch before v */
    if (ahead <= (uint32_t)s.warp) near |= 1u << ((uint32_t)s.warp - ahead);
  }
  near = __reduce_or_sync(FULL_WARP, near);
  __syncwarp();
  return near;
}

/* The number that decides about v in this sweep: a lane makes those of four vertices,
 * a warp those of a group of 128. */
static __device__ __forceinline__ uint32_t number_of(Replica &s, const prism_tempering_job_t &job,
                                                     uint64_t sweep, int32_t v) {
  if (v >> 7 != s.group) {
    s.group = v >> 7;
    s.random = prism_sweep_block(job.seed, sweep, (s.group << 7) + 4 * s.lane, job.individual,
                                 blockIdx.x);
  }
  uint32_t low = (v & 1) != 0 ? s.random.word[1] : s.random.word[0];
  uint32_t high = (v & 1) != 0 ? s.random.word[3] : s.random.word[2];
  return __shfl_sync(FULL_WARP, (v & 2) != 0 ? high : low, (v & 127) >> 2);
}

/* Vertices of the batch before v that are its neighbours, from the bit rows. */
static __device__ __forceinline__ uint32_t near_bits(const Replica &s,
                                                     const prism_gpu_graph_t &graph, int32_t v) {
  int32_t first = v - s.warp, word = first >> 5;
  const uint32_t *row = graph.row + (size_t)v * (size_t)s.words;
  uint32_t low = __ldg(row + word), high = word + 1 < s.words ? __ldg(row + word + 1) : 0u;
  return __funnelshift_r(low, high, (uint32_t)first & 31u) & ((1u << s.warp) - 1u);
}

template <bool TABLE>
static __device__ __forceinline__ Proposal propose(Replica &s, const prism_gpu_graph_t &graph,
                                                   const prism_tempering_job_t &job,
                                                   uint64_t sweep, int32_t v) {
  Proposal p = {0, 0, 0, 0};
  if (v >= s.n) return p;
  uint32_t random = number_of(s, job, sweep, v);
  const uint32_t *frozen = job.hooks.frozen;
  bool stays = frozen != NULL && (__ldg(frozen + (v >> 5)) >> (v & 31) & 1u) != 0;
  if (stays && job.hooks.counter[0] == NULL) return p;
  int32_t from = s.color[v], to, delta, own;
  if (TABLE && s.tabled) {
    p.near = near_bits(s, graph, v);
    own = draw<true>(s, NULL, v, from, random, &to, &delta);
  } else {
    uint32_t *counts = s.table + (size_t)s.warp * (size_t)s.k;
    p.near = count_neighbors(s, graph, counts, v);
    own = draw<false>(s, counts, v, from, random, &to, &delta);
  }
  p.state = own > 0 ? IN_CONFLICT : 0;
  if (stays) return p;
  p.colors = (uint32_t)from | (uint32_t)to << 16;
  p.delta = delta;
  p.state |= to != from ? CHANGES : 0;
  return p;
}

/* Add the moves of `changed` vertices of the batch to the table. A thread alone owns
 * its words, so the moves may touch the same rows. */
static __device__ __forceinline__ void add_moves(const Replica &s, const prism_gpu_graph_t &graph,
                                                 const Proposal *proposal, int32_t first,
                                                 uint32_t changed) {
  enum { AT_ONCE = 4 }; /* rows whose words are asked for before the first is used */
  int32_t used = (s.n + 3) / 4;
  for (int32_t w = (int32_t)threadIdx.x; w < used; w += (int32_t)blockDim.x) {
    for (uint32_t left = changed; left != 0;) {
      int32_t who[AT_ONCE];
      uint32_t bits[AT_ONCE];
#pragma unroll
      for (int i = 0; i < AT_ONCE; ++i) {
        who[i] = __ffs((int)left) - 1;
        left &= left - 1u;
        bits[i] = 0;
        if (who[i] >= 0)
          bits[i] = __ldg(graph.row + (size_t)(first + who[i]) * (size_t)s.words + (w >> 3));
      }
#pragma unroll
      for (int i = 0; i < AT_ONCE; ++i) {
        uint32_t add = CellU8::spread(row_bits<CellU8>(bits[i], w));
        if (add == 0) continue;
        uint32_t colors = proposal[who[i]].colors;
        s.table[(size_t)(colors & 0xFFFFu) * (size_t)s.stride + (size_t)w] -= add;
        s.table[(size_t)(colors >> 16) * (size_t)s.stride + (size_t)w] += add;
      }
    }
  }
}

/* Build the table from the colours: groups of threads take the words of a row, and of
 * several groups each the rows of some colours. Barriers are the caller's. */
static __device__ __forceinline__ void build_table(const Replica &s,
                                                   const prism_gpu_graph_t &graph) {
  enum { AT_ONCE = 8 };
  int32_t used = (s.n + 3) / 4, threads = (int32_t)blockDim.x, thread = (int32_t)threadIdx.x;
  int32_t span = (used + 31) / 32 * 32, groups = 1;
  while (2 * groups * span <= threads) groups *= 2;
  if (groups == 1) span = threads;
  int32_t group = thread / span;
  if (group >= groups) return;
  for (int32_t w = thread % span; w < used; w += span) {
    for (int32_t c = group; c < s.k; c += groups)
      s.table[(size_t)c * (size_t)s.stride + (size_t)w] = 0;
    for (int32_t u = 0; u < s.n; u += AT_ONCE) {
      uint32_t bits[AT_ONCE];
#pragma unroll
      for (int i = 0; i < AT_ONCE; ++i)
        bits[i] = u + i < s.n
                      ? __ldg(graph.row + (size_t)(u + i) * (size_t)s.words + (w >> 3)) : 0u;
#pragma unroll
      for (int i = 0; i < AT_ONCE; ++i) {
        uint32_t add = CellU8::spread(row_bits<CellU8>(bits[i], w));
        if (add == 0) continue;
        int32_t c = s.color[u + i];
        if ((c & (groups - 1)) == group)
          s.table[(size_t)c * (size_t)s.stride + (size_t)w] += add;
      }
    }
  }
}

/* The colours to global memory; all threads. */
static __device__ __forceinline__ void save(const Replica &s, uint16_t *to) {
  for (int32_t v = (int32_t)threadIdx.x; v < s.n; v += (int32_t)blockDim.x) to[v] = s.color[v];
}

/* Give the changed vertices of the batch their colours; all threads. */
template <bool TABLE>
static __device__ __forceinline__ void apply(const Replica &s, const prism_gpu_graph_t &graph,
                                             const Proposal *proposal, int32_t first,
                                             uint32_t changed) {
  if (s.warp == 0 && (changed >> s.lane & 1u) != 0) {
    uint32_t colors = proposal[s.lane].colors;
    s.color[first + s.lane] = (uint16_t)(colors >> 16);
    if (TABLE && s.guard) {
      atomicSub(&s.size[colors & 0xFFFFu], 1);
      if (atomicAdd(&s.size[colors >> 16], 1) >= BYTE_CLASS) s.flags->outgrown = 1;
    }
  }
  if (TABLE && s.tabled) add_moves(s, graph, proposal, first, changed);
}

/* Notes for the hooks about the first `count` vertices of the batch; p is the proposal
 * that stands in this lane. */
static __device__ __forceinline__ void count_visits(const Replica &s,
                                                    const prism_tempering_job_t &job,
                                                    uint64_t sweep, const Proposal &p,
                                                    int32_t first, int32_t count,
                                                    uint32_t changed) {
  if (s.warp != 0 || s.lane >= count) return;
  int32_t v = first + s.lane;
  if ((p.state & IN_CONFLICT) != 0)
    atomicAdd(&job.hooks.counter[PRISM_COUNTER_conflict_time][v],
              (uint32_t)(sweep == job.base ? v : s.n));
  if ((changed >> s.lane & 1u) != 0)
    atomicAdd(&job.hooks.counter[PRISM_COUNTER_color_changes][v], 1u);
}

/* One sweep over all vertices, or to f = 0 where that ends it. Returns the draws. */
template <bool TABLE>
static __device__ __forceinline__ int32_t sweep_all(Replica &s,
                                                    const prism_gpu_graph_t &graph,
                                                    const prism_tempering_job_t &job,
                                                    uint64_t sweep, uint16_t *best_row) {
  s.group = -1;
  for (int32_t first = 0; first < s.n;) {
    Proposal mine = propose<TABLE>(s, graph, job, sweep, first + s.warp);
    /* Two buffers: whoever writes one has passed the barrier after the other was read. */
    Proposal *proposal = s.proposal + s.buffer * MAX_WARPS;
    s.buffer ^= 1;
    if (s.lane == 0) proposal[s.warp] = mine;
    __syncthreads();
    Proposal p = {0, 0, 0, 0};
    if (s.lane < s.warps) p = proposal[s.lane];
    uint32_t changed = __ballot_sync(FULL_WARP, (p.state & CHANGES) != 0);
    uint32_t clash = __ballot_sync(FULL_WARP, (p.near & changed) != 0);
    int32_t count = clash != 0 ? __ffs((int)clash) - 1 : s.warps;
    count = min(count, s.n - first);
    changed &= (1u << count) - 1u;
    if (changed != 0) {
      int32_t lead = __shfl_sync(FULL_WARP, p.delta, __ffs((int)changed) - 1);
      if (s.pending && lead >= 0) { /* the best is about to be left */
        save(s, best_row);
        s.pending = false;
        __syncthreads();
      }
      /* An improvement ends the batch, so that no best state is passed over. */
      for (uint32_t left = changed; left != 0; left &= left - 1u) {
        int32_t i = __ffs((int)left) - 1;
        s.f += __shfl_sync(FULL_WARP, p.delta, i);
        if (s.f >= s.best_f) continue;
        s.best_f = s.f;
        s.pending = true;
        count = i + 1;
        changed &= (2u << i) - 1u;
        break;
      }
      apply<TABLE>(s, graph, proposal, first, changed);
      __syncthreads();
      if (TABLE && s.guard && s.tabled && s.flags->outgrown != 0) s.tabled = false;
    }
    if (job.hooks.counter[0] != NULL) count_visits(s, job, sweep, p, first, count, changed);
    first += count;
    if (job.solved != NULL && s.best_f == 0) return first;
  }
  return s.n;
}

/* Go back to the table when all classes are small; all threads, between two barriers. */
static __device__ __forceinline__ void try_table(Replica &s, const prism_gpu_graph_t &graph) {
  int fits = 1;
  for (int32_t c = (int32_t)threadIdx.x; s.guard && c < s.k; c += (int32_t)blockDim.x)
    fits &= s.size[c] <= CALM_CLASS;
  if (__syncthreads_and(fits) == 0) return;
  if (threadIdx.x == 0) s.flags->outgrown = 0;
  build_table(s, graph);
  s.tabled = true;
  __syncthreads();
}

template <bool TABLE, bool SHARED>
static __device__ __forceinline__ Replica open_replica(const prism_gpu_graph_t &graph,
                                                       const prism_tempering_job_t &job,
                                                       const Layout &layout, uint8_t *memory) {
  Replica s;
  size_t row = (size_t)blockIdx.x * (size_t)job.state.pitch;
  s.flags = (Flags *)memory;
  s.proposal = (Proposal *)(memory + 16);
  s.color = SHARED ? (uint16_t *)(memory + layout.color) : job.state.color + row;
  s.weight = (uint32_t *)(memory + layout.weight);
  s.size = (int32_t *)(memory + layout.size);
  s.table = (uint32_t *)(memory + layout.table);
  s.stride = layout.stride;
  s.n = job.state.n;
  s.k = job.state.k;
  s.words = graph.words;
  s.warp = (int32_t)threadIdx.x >> 5;
  s.lane = (int32_t)threadIdx.x & 31;
  s.warps = (int32_t)blockDim.x >> 5;
  s.buffer = 0;
  s.guard = TABLE && layout.guard != 0;
  s.tabled = false;
  s.group = -1;
  s.f = job.state.f[blockIdx.x];
  s.best_f = job.best.f[blockIdx.x];
  s.pending = s.f < s.best_f;
  s.best_f = min(s.best_f, s.f);
  int32_t threads = (int32_t)blockDim.x, thread = (int32_t)threadIdx.x;
  if (thread == 0) s.flags->stop = s.flags->outgrown = 0;
  const uint32_t *weight =
      job.ladder.weight + (size_t)job.ladder.level_of[blockIdx.x] * PRISM_LADDER_WEIGHTS;
  for (int32_t i = thread; i < PRISM_LADDER_WEIGHTS; i += threads) s.weight[i] = weight[i];
  if (SHARED)
    for (int32_t v = thread; v < s.n; v += threads) s.color[v] = job.state.color[row + (size_t)v];
  for (int32_t c = thread; s.guard && c < s.k; c += threads) s.size[c] = 0;
  __syncthreads();
  for (int32_t v = thread; s.guard && v < s.n; v += threads) atomicAdd(&s.size[s.color[v]], 1);
  return s;
}

template <bool TABLE, bool SHARED>
static __global__ void __launch_bounds__(32 * MAX_WARPS)
    sweeps_kernel(prism_gpu_graph_t graph, prism_tempering_job_t job, Layout layout) {
  extern __shared__ uint4 shared_memory[];
  Replica s = open_replica<TABLE, SHARED>(graph, job, layout, (uint8_t *)shared_memory);
  uint16_t *best_row = job.best.color + (size_t)blockIdx.x * (size_t)job.best.pitch;
  uint64_t first = job.base + *job.ladder.round * (uint64_t)job.sweeps;
  int64_t draws = 0;
  for (int32_t i = 0; i < job.sweeps; ++i) {
    if (job.solved != NULL && s.best_f == 0) break;
    if (threadIdx.x == 0 && job.stop != NULL)
      s.flags->stop = *(const volatile uint32_t *)job.stop;
    __syncthreads();
    if (s.flags->stop != 0) break;
    if (TABLE && !s.tabled) try_table(s, graph);
    draws += sweep_all<TABLE>(s, graph, job, first + (uint64_t)i, best_row);
  }
  __syncthreads();
  if (s.pending) save(s, best_row);
  if (SHARED) save(s, job.state.color + (size_t)blockIdx.x * (size_t)job.state.pitch);
  if (threadIdx.x != 0) return;
  job.state.f[blockIdx.x] = s.f;
  job.best.f[blockIdx.x] = s.best_f;
  if (job.moves != NULL) atomicAdd(job.moves, (unsigned long long)draws);
  if (job.solved != NULL && s.best_f == 0) atomicCAS(job.solved, 0u, 1u + blockIdx.x);
}

/* One block for all ladders: an exchange is a few dozen instructions. */
static __global__ void swap_kernel(prism_tempering_job_t job) {
  const prism_gpu_ladder_t &ladder = job.ladder;
  uint64_t round = *ladder.round;
  int32_t parity = (int32_t)(round & 1), pairs = (ladder.levels - parity) / 2;
  for (int32_t x = (int32_t)threadIdx.x; x < pairs * ladder.ladders; x += (int32_t)blockDim.x) {
    int32_t l = x / pairs, i = parity + 2 * (x % pairs);
    int32_t *place = ladder.replica_at + (size_t)l * (size_t)ladder.levels + i;
    int32_t cold = place[0], hot = place[1];
    uint64_t random = prism_swap_number(job.seed, job.base + round, (uint32_t)i, job.individual,
                                        (uint32_t)l);
    atomicAdd(&ladder.attempts[i], 1u);
    if (!prism_ladder_accepts(ladder.factor[i], job.state.f[cold], job.state.f[hot], random))
      continue;
    atomicAdd(&ladder.accepted[i], 1u);
    place[0] = hot;
    place[1] = cold;
    ladder.level_of[hot] = i;
    ladder.level_of[cold] = i + 1;
  }
  __syncthreads(); /* all have read the round */
  if (threadIdx.x == 0) *ladder.round = round + 1;
}

static Layout layout_of(int32_t n, int32_t k, int32_t max_degree, int32_t threads, bool table) {
  Layout l = {};
  size_t warps = (size_t)threads / 32;
  l.stride = table ? gamma_stride<CellU8>(n) : 0;
  l.guard = max_degree > BYTE_CLASS;
  l.color = 16 + 2 * MAX_WARPS * sizeof(Proposal);
  l.weight = l.color + (n <= SHARED_COLORS ? ((size_t)n * 2 + 15) / 16 * 16 : 0);
  l.size = l.weight + PRISM_LADDER_WEIGHTS * 4;
  l.table = l.size + (table ? ((size_t)k * 4 + 15) / 16 * 16 : 0);
  size_t row = (size_t)l.stride > warps ? (size_t)l.stride : warps;
  l.total = l.table + (size_t)k * row * 4;
  return l;
}

typedef void (*kernel_t)(prism_gpu_graph_t, prism_tempering_job_t, Layout);

static kernel_t kernel_for(int32_t n, bool table) {
  if (table) return sweeps_kernel<true, true>;
  return n <= SHARED_COLORS ? sweeps_kernel<false, true> : sweeps_kernel<false, false>;
}

} // namespace tempering

using namespace tempering;

extern "C" prism_status_t prism_tempering_plan(const prism_gpu_graph_t *graph, int32_t k,
                                               int32_t threads, int32_t table,
                                               prism_tempering_plan_t *out) {
  launching::Device device;
  PRISM_TRY(launching::look_at(&device));
  const size_t limit = (size_t)device.shared;
  prism_tempering_plan_t plan = {};
  bool can = graph->row != NULL && graph->n <= SHARED_COLORS;
  plan.threads = threads > 0 ? threads : graph->n <= 256 ? 256 : 32 * MAX_WARPS;
  if (table != 0 && can)
    plan.table = layout_of(graph->n, k, graph->max_degree, plan.threads, true).total <= limit;
  if (table == 1 && plan.table == 0)
    PRISM_FAIL(PRISM_UNSUPPORTED, "counts of %d vertices in %d colors do not fit shared memory",
               graph->n, k);
  /* A row of counts for each warp: fewer warps where there are very many colours. */
  while (plan.table == 0 && threads <= 0 && plan.threads > 32 &&
         layout_of(graph->n, k, graph->max_degree, plan.threads, false).total > limit)
    plan.threads /= 2;
  plan.shared_bytes =
      layout_of(graph->n, k, graph->max_degree, plan.threads, plan.table != 0).total;
  if (plan.shared_bytes > limit || plan.threads % 32 != 0 ||
      plan.threads > 32 * MAX_WARPS)
    PRISM_FAIL(PRISM_UNSUPPORTED, "tempering with %d colors does not fit blocks of %d threads", k,
               plan.threads);
  const void *kernel = (const void *)kernel_for(graph->n, plan.table != 0);
  PRISM_TRY(launching::occupy(device, kernel, {1, 1, plan.threads, plan.shared_bytes},
                              &plan.resident));
  *out = plan;
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_tempering_sweeps(const prism_tempering_plan_t *plan,
                                                        const prism_gpu_graph_t *graph,
                                                        const prism_tempering_job_t *job,
                                                        cudaStream_t stream) {
  Layout layout =
      layout_of(graph->n, job->state.k, graph->max_degree, plan->threads, plan->table != 0);
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3((unsigned)job->state.members);
  config.blockDim = dim3((unsigned)plan->threads);
  config.dynamicSmemBytes = plan->shared_bytes;
  config.stream = stream;
  PRISM_CUDA(cudaLaunchKernelEx(&config, kernel_for(graph->n, plan->table != 0), *graph, *job,
                                layout));
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_tempering_swap(const prism_tempering_job_t *job,
                                                      cudaStream_t stream) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(1);
  config.blockDim = dim3(256);
  config.stream = stream;
  PRISM_CUDA(cudaLaunchKernelEx(&config, swap_kernel, *job));
  return PRISM_OK;
}
