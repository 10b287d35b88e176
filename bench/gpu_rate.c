/* Speed of the device searches, each kernel by itself.
 *
 * gpu_rate GRAPH K [--weighted 0|1] [--threads T] [--words V] [--cells B] [--members M]
 *          [--iterations L] [--launches N] [--seed S] [--settle L0]
 * prints: graph k layout M individuals: N M it/s, f of the best and of the median
 *
 * Starts are random; the first launch, of L0 moves (default: L), is not timed, and the others
 * go on from the best. A pool's children are like what 50,000 moves lead to, not like random
 * colourings. The conflicts that the device reports are counted again on the host: exit 4
 * when they differ. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/device_graph.h"
#include "kernels/weighted.h"
#include "model/coloring.h"
#include "model/dimacs.h"
#include "runtime/check.h"

typedef struct arguments {
  const char *path;
  int32_t k, weighted, threads, words, cells, members, launches;
  int64_t iterations, settle;
  uint64_t seed;
} arguments_t;

static bool parse(int argc, char **argv, arguments_t *a) {
  *a = (arguments_t){.launches = 5, .iterations = 10000, .seed = 1};
  if (argc < 3) return false;
  a->path = argv[1];
  a->k = atoi(argv[2]);
  for (int i = 3; i + 1 < argc; i += 2) {
    long long value = atoll(argv[i + 1]);
    if (strcmp(argv[i], "--weighted") == 0) a->weighted = value != 0;
    else if (strcmp(argv[i], "--threads") == 0) a->threads = (int32_t)value;
    else if (strcmp(argv[i], "--words") == 0) a->words = (int32_t)value;
    else if (strcmp(argv[i], "--cells") == 0) a->cells = (int32_t)value;
    else if (strcmp(argv[i], "--members") == 0) a->members = (int32_t)value;
    else if (strcmp(argv[i], "--launches") == 0) a->launches = (int32_t)value;
    else if (strcmp(argv[i], "--iterations") == 0) a->iterations = value;
    else if (strcmp(argv[i], "--settle") == 0) a->settle = value;
    else if (strcmp(argv[i], "--seed") == 0) a->seed = (uint64_t)value;
    else return false;
  }
  const bool cells_of_weights = a->weighted && a->cells != 0; /* these have one width */
  return a->k > 0 && (argc - 3) % 2 == 0 && !cells_of_weights;
}

/* Device memory of the measurement; freed at the end of the process. */
typedef struct bench {
  prism_tabucol_job_t job;
  uint16_t *weight; /* NULL: TabuCol without weights */
  unsigned long long *moves;
  uint64_t *generation;
} bench_t;

static prism_status_t take_rows(prism_gpu_pool_t *pool) {
  const size_t members = (size_t)pool->members;
  PRISM_CUDA(cudaMalloc((void **)&pool->color, members * (size_t)pool->pitch * 2));
  PRISM_CUDA(cudaMalloc((void **)&pool->f, members * sizeof *pool->f));
  return PRISM_OK;
}

static prism_status_t prepare(const arguments_t *a, const prism_graph_t *g, int32_t members,
                              bench_t *b) {
  int32_t pitch = prism_gpu_pitch(g->n);
  size_t cells = (size_t)members * (size_t)pitch;
  uint16_t *color = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(cells, &color));
  prism_rng_t rng = prism_rng_stream(a->seed, 0, 0, PRISM_RNG_INITIAL);
  for (size_t i = 0; i < cells; ++i) color[i] = (uint16_t)prism_rng_below(&rng, (uint32_t)a->k);
  prism_gpu_pool_t pool = {.n = g->n, .k = a->k, .members = members, .pitch = pitch};
  PRISM_TRY(take_rows(&pool));
  PRISM_CUDA(cudaMemcpy(pool.color, color, cells * 2, cudaMemcpyHostToDevice));
  prism_free(color);
  uint32_t *flags = NULL;
  PRISM_CUDA(cudaMalloc((void **)&flags, 64));
  PRISM_CUDA(cudaMemset(flags, 0, 64));
  PRISM_CUDA(cudaMalloc((void **)&b->moves, 64));
  PRISM_CUDA(cudaMemset(b->moves, 0, 64));
  b->generation = (uint64_t *)(void *)(b->moves + 1);
  b->job = (prism_tabucol_job_t){.start = pool, .best = pool, .iterations = a->iterations,
                                 .tenure_base = 10.0f, .tenure_slope = 0.6f, .seed = a->seed,
                                 .generation = b->generation, .solved = flags,
                                 .outgrown = flags + 1, .moves = b->moves};
  return PRISM_OK;
}

/* The first weights, and where the weighted searches end: they go on from their best. */
static prism_status_t prepare_weights(const prism_gpu_graph_t *device, bench_t *b) {
  prism_gpu_pool_t *last = &b->job.last;
  *last = b->job.start;
  PRISM_TRY(take_rows(last));
  const size_t cells = (size_t)last->members * prism_weighted_cells(last->n);
  PRISM_CUDA(cudaMalloc((void **)&b->weight, cells * 2));
  return prism_launch_weigh(device, NULL, last->members, b->weight, 0);
}

static prism_status_t plan_search(const arguments_t *a, const prism_gpu_graph_t *device,
                                  prism_tabucol_plan_t *plan) {
  if (a->weighted) return prism_weighted_plan(device, a->k, a->threads, a->words, plan);
  return prism_tabucol_plan(device, a->k, a->threads, a->words, a->cells, plan);
}

static prism_status_t launch(const prism_tabucol_plan_t *plan, const prism_gpu_graph_t *device,
                             const bench_t *b) {
  if (b->weight == NULL) return prism_launch_tabucol(plan, device, &b->job, 0);
  prism_weighted_job_t weighted = {.search = b->job, .weight = b->weight};
  return prism_launch_weighted(plan, device, &weighted, 0);
}

static int compare(const void *x, const void *y) {
  int32_t a = *(const int32_t *)x, b = *(const int32_t *)y;
  return (a > b) - (a < b);
}

/* Compare with a recount on the host. */
static prism_status_t check(const prism_graph_t *g, const bench_t *b, int32_t *best,
                            int32_t *median) {
  const prism_gpu_pool_t *pool = &b->job.best;
  size_t cells = (size_t)pool->members * (size_t)pool->pitch;
  uint16_t *color = NULL;
  int32_t *f = NULL, *one = NULL;
  PRISM_TRY(PRISM_ALLOC(cells, &color));
  PRISM_TRY(PRISM_ALLOC(pool->members, &f));
  PRISM_TRY(PRISM_ALLOC(g->n, &one));
  PRISM_CUDA(cudaMemcpy(color, pool->color, cells * 2, cudaMemcpyDeviceToHost));
  PRISM_CUDA(cudaMemcpy(f, pool->f, (size_t)pool->members * sizeof *f, cudaMemcpyDeviceToHost));
  for (int32_t i = 0; i < pool->members; ++i) {
    for (int32_t v = 0; v < g->n; ++v) {
      one[v] = color[(size_t)i * (size_t)pool->pitch + (size_t)v];
      if (one[v] >= pool->k) PRISM_FAIL(PRISM_INTERNAL, "member %d: color %d", i, one[v]);
    }
    int64_t counted = prism_coloring_conflicts(g, one);
    if (counted != f[i])
      PRISM_FAIL(PRISM_INTERNAL, "member %d: the device counts %d, the host %" PRId64, i, f[i],
                 counted);
  }
  qsort(f, (size_t)pool->members, sizeof *f, compare);
  *best = f[0];
  *median = f[pool->members / 2];
  prism_free(color);
  prism_free(f);
  prism_free(one);
  return PRISM_OK;
}

static prism_status_t measure(const arguments_t *a) {
  prism_graph_t *g = NULL;
  prism_dimacs_report_t report;
  PRISM_TRY(prism_dimacs_read(a->path, &report, &g));
  prism_gpu_graph_t device;
  PRISM_TRY(prism_device_graph_create(g, &device));
  prism_tabucol_plan_t plan;
  PRISM_TRY(plan_search(a, &device, &plan));
  int32_t members = a->members > 0 ? a->members : plan.resident;
  bench_t b = {0};
  PRISM_TRY(prepare(a, g, members, &b));
  if (a->weighted) PRISM_TRY(prepare_weights(&device, &b));
  cudaEvent_t begin, end;
  PRISM_CUDA(cudaEventCreate(&begin));
  PRISM_CUDA(cudaEventCreate(&end));
  unsigned long long before = 0, after = 0;
  for (int32_t i = 0; i <= a->launches; ++i) {
    if (i == 1) {
      PRISM_CUDA(cudaMemcpy(&before, b.moves, sizeof before, cudaMemcpyDeviceToHost));
      PRISM_CUDA(cudaEventRecord(begin, 0));
    }
    b.job.iterations = i == 0 && a->settle > 0 ? a->settle : a->iterations;
    PRISM_TRY(launch(&plan, &device, &b));
  }
  PRISM_CUDA(cudaEventRecord(end, 0));
  PRISM_CUDA(cudaEventSynchronize(end));
  PRISM_CUDA(cudaMemcpy(&after, b.moves, sizeof after, cudaMemcpyDeviceToHost));
  float ms = 0.0f;
  PRISM_CUDA(cudaEventElapsedTime(&ms, begin, end));
  int32_t best = 0, median = 0;
  PRISM_TRY(check(g, &b, &best, &median));
  const char *name = strrchr(a->path, '/');
  printf("%-22s k %4d  u%-2d cluster %d threads %4d x %d  shared %6zu  %5d of %5d  %8.1f M it/s"
         "  best %d median %d\n",
         name != NULL ? name + 1 : a->path, a->k, plan.cell_bits, plan.cluster, plan.threads,
         plan.words_per_thread, plan.shared_bytes, members, plan.resident,
         (double)(after - before) / (double)ms / 1e3, best, median);
  prism_device_graph_destroy(&device);
  prism_graph_destroy(&g);
  return PRISM_OK;
}

int main(int argc, char **argv) {
  arguments_t a;
  if (!parse(argc, argv, &a)) {
    fprintf(stderr, "usage: gpu_rate GRAPH K [--weighted 0|1] [--threads T] [--words V] [--cells B]"
                    " [--members M] [--iterations L] [--launches N] [--seed S] [--settle L0]\n");
    return 2;
  }
  prism_status_t status = measure(&a);
  if (status != PRISM_OK) fprintf(stderr, "gpu_rate: %s\n", prism_error_text());
  return prism_status_exit_code(status);
}
