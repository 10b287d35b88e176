#include "kernels/gpx.h"

#include "base/rng.h"
#include "kernels/pool_device.cuh"

/* Only listing the classes is shared out; more threads would wait for the one warp that
 * takes them. At least two warps, one to number each parent's classes. */
enum { THREADS = 256 };

static const uint16_t NO_COLOR = 0xFFFF;

/* One child's working memory. In shared memory all of it; where that is too small,
 * in global memory, with the colours left where they are. */
template <typename vertex_t>
struct crossover {
  int32_t n, k;
  int32_t *size[2];   /* [k] vertices of each class that no class covered yet */
  int32_t *end[2];    /* [k] end of each class in list */
  uint32_t *tie;      /* [k] random word of each step */
  vertex_t *list[2];  /* [n] vertices by class */
  const uint16_t *color[2];
  uint16_t *child;
};

static __host__ __device__ __forceinline__ size_t lists_at(int32_t k) {
  return area_round(20 * (size_t)k);
}

template <bool SMALL, typename vertex_t>
static __host__ __device__ __forceinline__ size_t area_bytes(int32_t n, int32_t k) {
  size_t vertices = ((size_t)n + 7) / 8 * 8;
  return lists_at(k) + vertices * (2 * sizeof(vertex_t) + (SMALL ? 6 : 0));
}

/* Lay the arrays out; the colours of the small form still have to be copied. */
template <bool SMALL, typename vertex_t>
static __device__ __forceinline__ crossover<vertex_t> area_open(unsigned char *area, int32_t n,
                                                                int32_t k, const uint16_t *a,
                                                                const uint16_t *b,
                                                                uint16_t *child) {
  crossover<vertex_t> x;
  size_t vertices = ((size_t)n + 7) / 8 * 8;
  int32_t *numbers = (int32_t *)area;
  x.n = n;
  x.k = k;
  x.size[0] = numbers;
  x.size[1] = numbers + k;
  x.end[0] = numbers + 2 * (size_t)k;
  x.end[1] = numbers + 3 * (size_t)k;
  x.tie = (uint32_t *)(numbers + 4 * (size_t)k);
  x.list[0] = (vertex_t *)(area + lists_at(k));
  x.list[1] = x.list[0] + vertices;
  uint16_t *colors = (uint16_t *)(x.list[1] + vertices);
  x.color[0] = SMALL ? colors : a;
  x.color[1] = SMALL ? colors + vertices : b;
  x.child = SMALL ? colors + 2 * vertices : child;
  return x;
}

/* The class of most vertices left, by one warp: ties go to a random one. -1: all is
 * covered. */
static __device__ __forceinline__ int32_t largest_class(const int32_t *size, int32_t k,
                                                        uint32_t random, int32_t lane) {
  int32_t best = 0, ties = 0;
  for (int32_t c = lane; c < k; c += 32) best = max(best, size[c]);
  best = __reduce_max_sync(ALL_LANES, best);
  if (best == 0) return -1;
  for (int32_t base = 0; base < k; base += 32)
    ties += __popc(__ballot_sync(ALL_LANES, base + lane < k && size[base + lane] == best));
  int32_t pick = (int32_t)prism_rng_scale(random, (uint32_t)ties);
  for (int32_t base = 0;; base += 32) {
    unsigned mask = __ballot_sync(ALL_LANES, base + lane < k && size[base + lane] == best);
    if (pick < __popc(mask)) return base + warp_pick(mask, pick, lane);
    pick -= __popc(mask);
  }
}

/* The k steps of the crossover, by one warp. */
template <typename vertex_t>
static __device__ __forceinline__ void take_classes(crossover<vertex_t> &x, int32_t start,
                                                    int32_t first_share, int32_t lane) {
  int32_t share = start;
  for (int32_t c = 0; c < x.k; ++c) {
    share += first_share;
    int32_t from = share >= 1000 ? 0 : 1;
    if (from == 0) share -= 1000;
    int32_t *mine = from == 0 ? x.size[0] : x.size[1];
    int32_t *others = from == 0 ? x.size[1] : x.size[0];
    const uint16_t *other_color = from == 0 ? x.color[1] : x.color[0];
    const vertex_t *list = from == 0 ? x.list[0] : x.list[1];
    const int32_t *end = from == 0 ? x.end[0] : x.end[1];
    int32_t chosen = largest_class(mine, x.k, x.tie[c], lane);
    if (chosen < 0) return;
    int32_t begin = chosen > 0 ? end[chosen - 1] : 0;
    __syncwarp(); /* the sizes have been read */
    for (int32_t i = begin + lane; i < end[chosen]; i += 32) {
      int32_t v = (int32_t)list[i];
      if (x.child[v] != NO_COLOR) continue;
      x.child[v] = (uint16_t)c;
      atomicSub(&others[other_color[v]], 1);
    }
    if (lane == 0) mine[chosen] = 0;
    __syncwarp();
  }
}

/* Four random words at a time; the last ones may be unused. */
template <typename vertex_t>
static __device__ __forceinline__ void draw_ties(crossover<vertex_t> &x, uint64_t seed,
                                                 uint64_t generation, uint32_t individual) {
  for (int32_t c = 4 * (int32_t)threadIdx.x; c < x.k; c += 4 * (int32_t)blockDim.x) {
    prism_rng_block_t block = prism_rng_at(seed, generation, 1u + (uint32_t)c / 4u, individual,
                                           PRISM_RNG_CROSSOVER);
    x.tie[c] = block.word[0];
    if (c + 1 < x.k) x.tie[c + 1] = block.word[1];
    if (c + 2 < x.k) x.tie[c + 2] = block.word[2];
    if (c + 3 < x.k) x.tie[c + 3] = block.word[3];
  }
}

static __device__ __forceinline__ uint16_t draw_color(const prism_gpx_options_t &options,
                                                      uint64_t generation, uint32_t individual,
                                                      int32_t v, int32_t k) {
  uint32_t draw = 1u + ((uint32_t)k + 3u) / 4u + (uint32_t)v / 4u;
  prism_rng_block_t block = prism_rng_at(options.seed, generation, draw, individual,
                                         PRISM_RNG_CROSSOVER);
  uint32_t low = (v & 1) != 0 ? block.word[1] : block.word[0];
  uint32_t high = (v & 1) != 0 ? block.word[3] : block.word[2];
  return (uint16_t)prism_rng_scale((v & 2) != 0 ? high : low, (uint32_t)k);
}

template <bool SMALL, typename vertex_t>
__global__ void __launch_bounds__(THREADS)
    gpx_kernel(prism_gpu_pool_t in, const int32_t *first, const int32_t *second,
               prism_gpu_pool_t out, prism_gpx_options_t options, unsigned char *scratch,
               size_t stride) {
  extern __shared__ uint4 memory[];
  const int32_t n = in.n, k = in.k, thread = (int32_t)threadIdx.x, threads = (int32_t)blockDim.x;
  const int32_t child = (int32_t)blockIdx.x, lane = thread & 31, warp = thread >> 5;
  if (first[child] < 0 || second[child] < 0) return;
  const uint32_t individual = options.individual + (uint32_t)child;
  const uint64_t generation = *options.generation;
  const uint16_t *row[2] = {pool_row(in, first[child]), pool_row(in, second[child])};
  uint16_t *out_row = pool_row(out, child);
  crossover<vertex_t> x = area_open<SMALL, vertex_t>(
      SMALL ? (unsigned char *)memory : scratch + (size_t)child * stride, n, k, row[0], row[1],
      out_row);
  if (SMALL) {
    copy_colors((uint16_t *)x.color[0], row[0], n, thread, threads);
    copy_colors((uint16_t *)x.color[1], row[1], n, thread, threads);
  }
  for (int32_t c = thread; c < k; c += threads) x.size[0][c] = x.size[1][c] = 0;
  for (int32_t v = thread; v < n; v += threads) x.child[v] = NO_COLOR;
  draw_ties(x, options.seed, generation, individual);
  __syncthreads();
  for (int32_t v = thread; v < n; v += threads) {
    atomicAdd(&x.size[0][x.color[0][v]], 1);
    atomicAdd(&x.size[1][x.color[1][v]], 1);
  }
  __syncthreads();
  if (warp < 2) warp_sums_before(warp == 0 ? x.size[0] : x.size[1],
                                 warp == 0 ? x.end[0] : x.end[1], k, lane);
  __syncthreads();
  for (int32_t v = thread; v < n; v += threads) {
    x.list[0][atomicAdd(&x.end[0][x.color[0][v]], 1)] = (vertex_t)v;
    x.list[1][atomicAdd(&x.end[1][x.color[1][v]], 1)] = (vertex_t)v;
  }
  __syncthreads();
  if (warp == 0) {
    prism_rng_block_t block = prism_rng_at(options.seed, generation, 0, individual,
                                           PRISM_RNG_CROSSOVER);
    take_classes(x, (int32_t)prism_rng_scale(block.word[0], 1000), options.first_share, lane);
  }
  __syncthreads();
  for (int32_t v = thread; v < n; v += threads) {
    uint16_t c = x.child[v];
    out_row[v] = c != NO_COLOR ? c : draw_color(options, generation, individual, v, k);
  }
}

/* Do parents fit into shared memory? Then no scratch is needed. */
static prism_status_t choose_form(int32_t n, int32_t k, bool *small) {
  size_t limit = 0;
  PRISM_TRY(shared_limit(&limit));
  *small = n <= 65535 && area_bytes<true, uint16_t>(n, k) <= limit;
  return PRISM_OK;
}

static size_t scratch_stride(int32_t n, int32_t k) {
  return area_round(area_bytes<false, int32_t>(n, k));
}

extern "C" prism_status_t prism_gpx_scratch_bytes(int32_t n, int32_t k, int32_t children,
                                                  size_t *bytes) {
  bool small = false;
  PRISM_TRY(choose_form(n, k, &small));
  *bytes = small ? 0 : scratch_stride(n, k) * (size_t)children;
  return PRISM_OK;
}

extern "C" prism_status_t prism_launch_gpx(const prism_gpu_pool_t *in, const int32_t *first,
                                           const int32_t *second, const prism_gpu_pool_t *out,
                                           int32_t children, const prism_gpx_options_t *options,
                                           void *scratch, cudaStream_t stream) {
  PRISM_TRY(pool_check(in));
  PRISM_TRY(pool_check(out));
  if (in->n != out->n || in->k != out->k || children < 0 || children > out->members ||
      options->first_share < 0 || options->first_share > 1000)
    PRISM_FAIL(PRISM_INVALID, "crossover of %d children with share %d does not fit the population",
               children, options->first_share);
  if (children == 0) return PRISM_OK;
  bool small = false;
  PRISM_TRY(choose_form(in->n, in->k, &small));
  if (!small && scratch == NULL) PRISM_FAIL(PRISM_INVALID, "crossover lacks its scratch memory");
  dim3 grid((unsigned)children), block(THREADS);
  if (small) {
    size_t bytes = area_bytes<true, uint16_t>(in->n, in->k);
    PRISM_TRY(shared_allow((const void *)gpx_kernel<true, uint16_t>, bytes));
    gpx_kernel<true, uint16_t>
        <<<grid, block, bytes, stream>>>(*in, first, second, *out, *options, NULL, 0);
  } else {
    gpx_kernel<false, int32_t><<<grid, block, 0, stream>>>(
        *in, first, second, *out, *options, (unsigned char *)scratch,
        scratch_stride(in->n, in->k));
  }
  return prism_cuda_launched("gpx_kernel");
}
