/* What all islands of an engine share at one k: the view of the kernel graph and
 * its dense rows. Counted references; thread-safe. */
#ifndef PRISM_SEARCH_GROUND_H
#define PRISM_SEARCH_GROUND_H

#include <pthread.h>

#include "model/reduce.h"
#include "search/problem.h"

typedef struct prism_ground {
  int32_t k;
  int32_t users;              /* guarded by the list's lock */
  prism_view_t *view;         /* owned */
  prism_problem_t *problem;   /* owned; NULL when nothing is left to search at k */
  struct prism_ground *next;
} prism_ground_t;

typedef struct prism_ground_list {
  const prism_graph_t *kernel; /* borrowed */
  bool few_cliques;            /* a quarter as many cliques as vertices cover its edges */
  pthread_mutex_t lock;
  prism_ground_t *first;
} prism_ground_list_t;

prism_status_t prism_ground_list_init(prism_ground_list_t *list, const prism_graph_t *kernel);
/* All grounds must have been returned. */
void prism_ground_list_release(prism_ground_list_t *list);

/* The ground for k, built by the first who asks. [out] returned with _return. */
prism_status_t prism_ground_take(prism_ground_list_t *list, int32_t k, prism_ground_t **out);
void prism_ground_return(prism_ground_list_t *list, prism_ground_t **ground);

#endif
