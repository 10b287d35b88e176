/* What a GPU island stands on: the part of the graph that is searched at its k, the
 * populations of its methods there, and what goes from one k to the next. The island's
 * thread. */
#ifndef PRISM_CUDA_ENGINE_ISLAND_GROUND_H
#define PRISM_CUDA_ENGINE_ISLAND_GROUND_H

#include "engine/island_cuda.h"
#include "engine/population_state.h"

/* Vertices of the view; 0: there is nothing to search. */
static inline int32_t prism_gpu_island_size(const prism_gpu_island_t *island) {
  const prism_graph_t *g = island->view != NULL ? prism_view_graph(island->view) : NULL;
  return g != NULL ? g->n : 0;
}

/* Put the island's view on the device, and what it needs of the hooks; nothing is there yet. */
prism_status_t prism_gpu_island_stand(prism_gpu_island_t *island);

/* Give the view, the device graph and all that lies on it back; no population may be left. */
void prism_gpu_island_leave(prism_gpu_island_t *island);

/* Take the best colouring at the present k over as the next start; an imported one with
 * as few colours is given up only for a legal one. */
void prism_gpu_island_remember(prism_gpu_island_t *island);

/* A new k, and the population of the work's method, which inherits from that of the last k
 * where it had the same vertices. */
prism_status_t prism_gpu_island_begin_k(prism_gpu_island_t *island, const prism_work_t *work);

/* The population of the work's method, which the island does not have yet. */
prism_status_t prism_gpu_island_open_population(prism_gpu_island_t *island,
                                                const prism_work_t *work);
void prism_gpu_island_drop_population(prism_gpu_island_t *island, int method);

/* What a population of a method is made with, number `number` of the island; params are the
 * caller's to add. */
prism_population_setup_t prism_gpu_island_setup(const prism_gpu_island_t *island,
                                                prism_method_t method, int64_t number);

void prism_gpu_island_drop_founders(prism_gpu_island_t *island);

#endif
