#include "search/ground.h"

#include "base/mem.h"
#include "search/cover.h"

/* Dense rows of one k may take this much: enough for 65,535 vertices. */
static const size_t dense_bytes = (size_t)1 << 29;

prism_status_t prism_ground_list_init(prism_ground_list_t *list, const prism_graph_t *kernel) {
  prism_cover_t *cover = NULL;
  list->kernel = kernel;
  list->first = NULL;
  PRISM_TRY(prism_cover_create(kernel, kernel->n / 4, &cover));
  list->few_cliques = cover->whole;
  prism_cover_destroy(&cover);
  if (pthread_mutex_init(&list->lock, NULL) != 0)
    PRISM_FAIL(PRISM_MEMORY, "a lock could not be made");
  return PRISM_OK;
}

void prism_ground_list_release(prism_ground_list_t *list) { pthread_mutex_destroy(&list->lock); }

static void ground_destroy(prism_ground_t *ground) {
  prism_problem_destroy(&ground->problem);
  prism_view_destroy(&ground->view);
  prism_free(ground);
}

static prism_status_t ground_create(const prism_graph_t *kernel, int32_t k, prism_ground_t **out) {
  prism_ground_t *ground = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &ground));
  ground->k = k;
  ground->users = 1;
  prism_status_t status = prism_view_create(kernel, k, &ground->view);
  if (status == PRISM_OK && prism_view_graph(ground->view) != NULL)
    status = prism_problem_create(prism_view_graph(ground->view), dense_bytes, &ground->problem);
  if (status != PRISM_OK) {
    ground_destroy(ground);
    return status;
  }
  *out = ground;
  return PRISM_OK;
}

prism_status_t prism_ground_take(prism_ground_list_t *list, int32_t k, prism_ground_t **out) {
  prism_status_t status = PRISM_OK;
  pthread_mutex_lock(&list->lock);
  prism_ground_t *ground = list->first;
  while (ground != NULL && ground->k != k) ground = ground->next;
  if (ground != NULL) {
    ++ground->users;
  } else {
    status = ground_create(list->kernel, k, &ground);
    if (status == PRISM_OK) {
      ground->next = list->first;
      list->first = ground;
    }
  }
  pthread_mutex_unlock(&list->lock);
  if (status == PRISM_OK) *out = ground;
  return status;
}

void prism_ground_return(prism_ground_list_t *list, prism_ground_t **ground) {
  if (*ground == NULL) return;
  pthread_mutex_lock(&list->lock);
  if (--(*ground)->users == 0) {
    prism_ground_t **link = &list->first;
    while (*link != *ground) link = &(*link)->next;
    *link = (*ground)->next;
    ground_destroy(*ground);
  }
  pthread_mutex_unlock(&list->lock);
  *ground = NULL;
}
