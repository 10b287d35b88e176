/* How the searches of hosting.cuh are laid out: the size of the calendar, the blocks that
 * share an individual, their threads and the words that each owns. Host code. `Plan` is the
 * plan of a search (see tabucol.h, partialcol.h): cluster, threads, words_per_thread,
 * shared_bytes and resident are set here. */
#ifndef PRISM_CUDA_KERNELS_PLANNING_CUH
#define PRISM_CUDA_KERNELS_PLANNING_CUH

#include "kernels/hosting.cuh"
#include "kernels/launching.cuh"

namespace planning {

/* What a search asks of its blocks. */
struct Wish {
  int32_t threads, words_per_thread; /* taken as given; 0: free */
  int32_t most_threads;              /* where they are free */
  int32_t most_cluster;              /* blocks that may share an individual */
  int32_t per_word;                  /* cells of a word of gamma */
  int32_t (*hosts_for)(int32_t vertices); /* lanes that a block of these needs; NULL: a warp */
};

/* Longest tenure that normally occurs, with room: the vertices that tenures follow are few
 * once the first moves are over, and longer ones are cut. */
static inline int32_t ring_for(int32_t n) {
  int32_t ring = 128;
  while (ring < n / 4 && ring < 2048) ring *= 2;
  return ring;
}

static inline prism_status_t no_layout(const prism_gpu_graph_t *graph, int32_t k) {
  PRISM_FAIL(PRISM_UNSUPPORTED, "%d vertices in %d colors have no layout in shared memory",
             graph->n, k);
}

/* Threads and words of a block that owns the words of so many vertices. Those that wish for
 * hosts and need no more than a warp do with more words a thread. */
template <class Plan>
static bool shape(const Wish &wish, int32_t vertices, Plan *plan) {
  const int32_t words = (vertices + wish.per_word - 1) / wish.per_word;
  const int32_t hosts = wish.hosts_for != NULL ? wish.hosts_for(vertices) : 32;
  const bool small = wish.hosts_for != NULL && hosts == 32 && words > 32;
  int32_t v = wish.words_per_thread > 0 ? wish.words_per_thread
              : wish.threads == 0 && small ? 2 : 1;
  for (; v <= 4; v *= 2) {
    const int32_t needed = (words + v - 1) / v;
    if (needed > (wish.threads > 0 ? wish.threads : wish.most_threads)) continue;
    int32_t t = wish.threads > 0 ? wish.threads : needed > hosts ? needed : hosts;
    t = (t + 31) / 32 * 32;
    while (t / 32 * plan->cluster > hosting::MAX_RECORDS && t > needed) t -= 32;
    if (t / 32 * plan->cluster > hosting::MAX_RECORDS || t < needed) continue;
    plan->threads = t;
    plan->words_per_thread = v;
    return true;
  }
  return false;
}

/* The smallest cluster whose blocks hold their part of the state. `layout` tells where it
 * lies, by the plan; [in,out] plan */
template <class Plan, class LayoutFor>
static prism_status_t fit(const prism_gpu_graph_t *graph, int32_t k, const Wish &wish,
                          const launching::Device &device, LayoutFor layout_for, Plan *plan) {
  for (plan->cluster = 1; plan->cluster <= wish.most_cluster; ++plan->cluster) {
    const auto layout = layout_for(plan);
    if ((plan->cluster - 1) * layout.vertices >= graph->n) continue; /* a block without any */
    if (!shape(wish, plan->cluster > 1 ? layout.vertices : graph->n, plan)) continue;
    plan->shared_bytes = layout.total;
    if (plan->shared_bytes <= (size_t)device.shared) return PRISM_OK;
  }
  return no_layout(graph, k);
}

template <class Plan>
static launching::Grid grid_of(const Plan &plan, int32_t members) {
  return launching::Grid{members * plan.cluster, plan.cluster, plan.threads, plan.shared_bytes};
}

}  // namespace planning

#endif
