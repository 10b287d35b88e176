#include <string.h>

#include "base/mem.h"
#include "model/coloring.h"
#include "solve/prepare.h"

/* What goes ahead of the arrays. */
typedef struct share_header {
  int32_t n, universal, lower_bound, colors;
  int64_t m;
  double compaction;
} share_header_t;

static prism_status_t fill_from(const prism_graph_t *input, const prism_prepared_t *prepared,
                                prism_shared_t *out) {
  out->graph = prism_kernel_graph(prepared->kernel);
  out->universal = prism_kernel_universal(prepared->kernel);
  out->lower_bound = prepared->lower_bound - out->universal;
  out->compaction = out->graph != NULL ? (double)out->graph->n / (double)input->n : 0.0;
  if (out->graph == NULL) return PRISM_OK;
  PRISM_TRY(PRISM_ALLOC(out->graph->n, &out->color));
  PRISM_TRY(prism_kernel_project(prepared->kernel, prepared->color, out->color));
  PRISM_TRY(prism_coloring_compact(out->color, out->graph->n, &out->colors));
  return PRISM_OK;
}

/* The other ranks: make room for the arrays of the header. */
static prism_status_t make_room(const share_header_t *header, int64_t **offset,
                                int32_t **neighbor, int32_t **color) {
  PRISM_TRY(PRISM_ALLOC((size_t)header->n + 1, offset));
  PRISM_TRY(PRISM_ALLOC(2 * header->m, neighbor));
  return PRISM_ALLOC(header->n, color);
}

static prism_status_t receive(prism_comm_t *comm, const share_header_t *header,
                              prism_shared_t *out) {
  int64_t *offset = NULL;
  int32_t *neighbor = NULL;
  prism_status_t status = make_room(header, &offset, &neighbor, &out->color);
  status = comm->ops->agree(comm->self, status);
  if (status == PRISM_OK)
    status = comm->ops->bcast(comm->self, offset, ((size_t)header->n + 1) * sizeof *offset, 0);
  if (status == PRISM_OK)
    status = comm->ops->bcast(comm->self, neighbor, 2 * (size_t)header->m * sizeof *neighbor, 0);
  if (status == PRISM_OK)
    status = comm->ops->bcast(comm->self, out->color, (size_t)header->n * sizeof *out->color, 0);
  if (status == PRISM_OK) status = prism_graph_adopt(header->n, offset, neighbor, &out->owned);
  if (status != PRISM_OK) {
    prism_free(offset);
    prism_free(neighbor);
  }
  out->graph = out->owned;
  return status;
}

static prism_status_t send(prism_comm_t *comm, const prism_shared_t *shared) {
  const prism_graph_t *g = shared->graph;
  PRISM_TRY(comm->ops->agree(comm->self, PRISM_OK));
  PRISM_TRY(comm->ops->bcast(comm->self, g->offset, ((size_t)g->n + 1) * sizeof *g->offset, 0));
  PRISM_TRY(comm->ops->bcast(comm->self, g->neighbor, 2 * (size_t)g->m * sizeof *g->neighbor, 0));
  return comm->ops->bcast(comm->self, shared->color, (size_t)g->n * sizeof *shared->color, 0);
}

prism_status_t prism_share(prism_comm_t *comm, const prism_graph_t *input,
                           const prism_prepared_t *prepared, prism_shared_t *out) {
  memset(out, 0, sizeof *out);
  share_header_t header = {0};
  prism_status_t status = PRISM_OK;
  if (prepared != NULL) {
    status = fill_from(input, prepared, out);
    header = (share_header_t){.universal = out->universal, .lower_bound = out->lower_bound,
                              .colors = out->colors, .compaction = out->compaction};
    if (out->graph != NULL) {
      header.n = out->graph->n;
      header.m = out->graph->m;
    }
  }
  PRISM_TRY(comm->ops->agree(comm->self, status));
  PRISM_TRY(comm->ops->bcast(comm->self, &header, sizeof header, 0));
  if (header.n == 0) return PRISM_OK;
  if (prepared != NULL) return send(comm, out);
  out->universal = header.universal;
  out->lower_bound = header.lower_bound;
  out->colors = header.colors;
  out->compaction = header.compaction;
  return receive(comm, &header, out);
}

void prism_shared_release(prism_shared_t *shared) {
  prism_graph_destroy(&shared->owned);
  prism_free(shared->color);
  memset(shared, 0, sizeof *shared);
}
