#include "engine/learned.h"

#include "base/mem.h"
#include "kernels/weighted.h"
#include "kernels/wide.h"
#include "runtime/check.h"

/* What the kernels can have: a weight in 16 bits, their sum around a vertex in 15, or in 31
 * for the wide search, which bounds each weight instead. */
enum { HEAVIEST = UINT16_MAX, LARGEST_SUM = 32767 };

/* ---- on the host ---- */

static void put_number(prism_pack_t *pack, uint64_t value) {
  for (; value >= 0x80; value >>= 7) prism_pack_u8(pack, (uint8_t)(value | 0x80));
  prism_pack_u8(pack, (uint8_t)value);
}

static uint64_t get_number(prism_unpack_t *unpack) {
  uint64_t value = 0;
  for (int shift = 0; shift < 63; shift += 7) {
    const uint8_t group = prism_unpack_u8(unpack);
    value |= (uint64_t)(group & 0x7F) << shift;
    if (group < 0x80) return value;
  }
  unpack->bad = true;
  return 0;
}

static bool is_listed(const prism_graph_t *g, bool wide, int32_t v, int64_t arc) {
  return wide || g->neighbor[arc] > v;
}

void prism_learned_encode(const prism_graph_t *g, bool wide, const int32_t *weight,
                          prism_pack_t *pack) {
  uint64_t ones = 0;
  for (int32_t v = 0; v < g->n; ++v)
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      if (!is_listed(g, wide, v, e)) continue;
      if (weight[e] == 1) {
        ++ones;
        continue;
      }
      put_number(pack, ones);
      put_number(pack, (uint64_t)weight[e]);
      ones = 0;
    }
  put_number(pack, ones);
}

/* A weight that is not 1. */
static int32_t get_weight(prism_unpack_t *unpack, int32_t most) {
  const uint64_t weight = get_number(unpack);
  if (weight >= 2 && weight <= (uint64_t)most) return (int32_t)weight;
  unpack->bad = true;
  return 1;
}

static void fill_lists(const prism_graph_t *g, bool wide, int32_t most, prism_unpack_t *unpack,
                       int32_t *weight) {
  uint64_t ones = get_number(unpack);
  for (int32_t v = 0; v < g->n; ++v)
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      if (!is_listed(g, wide, v, e)) continue;
      weight[e] = 1;
      if (ones > 0 || unpack->bad) {
        --ones;
        continue;
      }
      weight[e] = get_weight(unpack, most);
      ones = get_number(unpack);
    }
  if (ones != 0) unpack->bad = true;
}

/* The other direction: vertices come by in ascending order, and so v stands in the list of u
 * behind those that were there before it. Returns the sum of the weights around a vertex, the
 * largest. */
static int64_t mirror(const prism_graph_t *g, bool wide, int64_t *next, int32_t *weight) {
  int64_t largest = 0;
  for (int32_t v = 0; v < g->n; ++v) next[v] = g->offset[v];
  for (int32_t v = 0; v < g->n; ++v) {
    int64_t sum = 0;
    for (int64_t e = g->offset[v]; e < g->offset[v + 1]; ++e) {
      const int32_t u = g->neighbor[e];
      if (!wide && u > v) weight[next[u]++] = weight[e];
      sum += weight[e];
    }
    largest = sum > largest ? sum : largest;
  }
  return largest;
}

prism_status_t prism_learned_decode(const prism_graph_t *g, bool wide, prism_unpack_t *unpack,
                                    int32_t *weight) {
  int64_t *next = NULL;
  const int32_t degree = prism_graph_max_degree(g);
  const int32_t bound = degree > 0 ? INT32_MAX / degree : INT32_MAX;
  PRISM_TRY(PRISM_ALLOC(g->n, &next));
  fill_lists(g, wide, wide && bound < HEAVIEST ? bound : HEAVIEST, unpack, weight);
  if (mirror(g, wide, next, weight) > LARGEST_SUM && !wide) unpack->bad = true;
  prism_free(next);
  return PRISM_OK;
}

/* ---- on the device ---- */

/* Room for the weights of an individual: by arcs here, and as they are copied. */
typedef struct desk {
  int32_t *weight;  /* [arcs] */
  uint16_t *narrow; /* [arcs] wide search */
  void *device;     /* [arcs] int32_t, other searches */
} desk_t;

static void close_desk(const prism_gpu_learned_t *l, desk_t *desk, cudaStream_t stream) {
  prism_free(desk->weight);
  prism_free(desk->narrow);
  prism_gpu_release(l->context, desk->device, stream);
}

static prism_status_t open_desk(const prism_gpu_learned_t *l, desk_t *desk, cudaStream_t stream) {
  const size_t arcs = (size_t)l->graph->arcs;
  *desk = (desk_t){.weight = NULL};
  prism_status_t status = PRISM_ALLOC(arcs, &desk->weight);
  if (status == PRISM_OK && l->wide) status = PRISM_ALLOC(arcs, &desk->narrow);
  if (status == PRISM_OK && !l->wide)
    status = prism_gpu_take(l->context, arcs * sizeof(int32_t), stream, &desk->device);
  if (status != PRISM_OK) close_desk(l, desk, stream);
  return status;
}

/* Of an individual. */
static size_t cells(const prism_gpu_graph_t *graph, bool wide) {
  return wide ? prism_wide_cells(graph) : prism_weighted_cells(graph->n);
}

size_t prism_learned_bytes(const prism_gpu_graph_t *graph, bool wide, int32_t members) {
  return (size_t)members * cells(graph, wide) * sizeof(uint16_t);
}

static uint16_t *cells_of(const prism_gpu_learned_t *l, int32_t member) {
  return (uint16_t *)l->block + (size_t)member * cells(l->graph, l->wide);
}

static prism_status_t download(const prism_gpu_learned_t *l, int32_t member, const desk_t *desk,
                               cudaStream_t stream) {
  const size_t arcs = (size_t)l->graph->arcs;
  if (!l->wide) {
    PRISM_TRY(prism_launch_read_weights(l->graph, cells_of(l, member), desk->device, stream));
    PRISM_CUDA(cudaMemcpyAsync(desk->weight, desk->device, arcs * sizeof *desk->weight,
                               cudaMemcpyDeviceToHost, stream));
    PRISM_CUDA(cudaStreamSynchronize(stream));
    return PRISM_OK;
  }
  PRISM_CUDA(cudaMemcpyAsync(desk->narrow, cells_of(l, member), arcs * sizeof *desk->narrow,
                             cudaMemcpyDeviceToHost, stream));
  PRISM_CUDA(cudaStreamSynchronize(stream));
  for (size_t e = 0; e < arcs; ++e) desk->weight[e] = desk->narrow[e];
  return PRISM_OK;
}

static prism_status_t upload(const prism_gpu_learned_t *l, int32_t member, const desk_t *desk,
                             cudaStream_t stream) {
  const size_t arcs = (size_t)l->graph->arcs;
  if (!l->wide) {
    PRISM_CUDA(cudaMemcpyAsync(desk->device, desk->weight, arcs * sizeof *desk->weight,
                               cudaMemcpyHostToDevice, stream));
    PRISM_TRY(prism_launch_weigh(l->graph, desk->device, 1, cells_of(l, member), stream));
  } else {
    for (size_t e = 0; e < arcs; ++e) desk->narrow[e] = (uint16_t)desk->weight[e];
    PRISM_CUDA(cudaMemcpyAsync(cells_of(l, member), desk->narrow, arcs * sizeof *desk->narrow,
                               cudaMemcpyHostToDevice, stream));
  }
  PRISM_CUDA(cudaStreamSynchronize(stream)); /* the desk is used again */
  return PRISM_OK;
}

prism_status_t prism_learned_save(const prism_gpu_learned_t *l, size_t most, prism_pack_t *pack,
                                  bool *fits, cudaStream_t stream) {
  desk_t desk;
  const size_t begin = pack->size;
  prism_status_t status = open_desk(l, &desk, stream);
  *fits = status == PRISM_OK;
  if (status == PRISM_MEMORY) {
    prism_error_clear();
    return PRISM_OK;
  }
  PRISM_TRY(status);
  for (int32_t i = 0; i < l->members && *fits && status == PRISM_OK; ++i) {
    status = download(l, i, &desk, stream);
    if (status == PRISM_OK) prism_learned_encode(l->host, l->wide, desk.weight, pack);
    *fits = pack->size - begin <= most;
  }
  close_desk(l, &desk, stream);
  return status;
}

prism_status_t prism_learned_restore(const prism_gpu_learned_t *l, prism_unpack_t *unpack,
                                     cudaStream_t stream) {
  desk_t desk;
  PRISM_TRY(open_desk(l, &desk, stream));
  prism_status_t status = PRISM_OK;
  for (int32_t i = 0; i < l->members && status == PRISM_OK; ++i) {
    status = prism_learned_decode(l->host, l->wide, unpack, desk.weight);
    if (status == PRISM_OK) status = upload(l, i, &desk, stream);
  }
  close_desk(l, &desk, stream);
  return status;
}
