#include "search/heavy_set.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

prism_status_t prism_heavy_init(prism_heavy_set_t *set, int32_t room, int64_t arcs) {
  *set = (prism_heavy_set_t){.n = 0};
  PRISM_TRY(PRISM_ALLOC(room + 1, &set->offset));
  PRISM_TRY(PRISM_ALLOC(arcs, &set->neighbor));
  PRISM_TRY(PRISM_ALLOC(room, &set->weight));
  PRISM_TRY(PRISM_ALLOC(room, &set->load));
  PRISM_TRY(PRISM_ALLOC(room, &set->in));
  PRISM_TRY(PRISM_ALLOC(room, &set->best));
  PRISM_TRY(PRISM_ALLOC(PRISM_HEAVY_PATIENCE, &set->patience));
  for (int i = 0; i < PRISM_HEAVY_PATIENCE; ++i)
    set->patience[i] = (float)-log((i + 0.5) / PRISM_HEAVY_PATIENCE);
  return PRISM_OK;
}

void prism_heavy_release(prism_heavy_set_t *set) {
  prism_free(set->offset);
  prism_free(set->neighbor);
  prism_free(set->weight);
  prism_free(set->load);
  prism_free(set->in);
  prism_free(set->best);
  prism_free(set->patience);
  *set = (prism_heavy_set_t){.n = 0};
}

static void change_loads(prism_heavy_set_t *set, int32_t v, int32_t by) {
  for (int64_t e = set->offset[v]; e < set->offset[v + 1]; ++e) set->load[set->neighbor[e]] += by;
}

void prism_heavy_begin(prism_heavy_set_t *set, int64_t steps, int64_t done, double hot,
                       double cold) {
  set->steps = steps;
  set->step = done;
  set->hot = hot;
  set->cold = cold;
  set->mean = 0.0;
  for (int32_t v = 0; v < set->n; ++v) set->mean += set->weight[v];
  if (set->n > 0) set->mean /= set->n;
  set->value = 0;
  memset(set->load, 0, (size_t)set->n * sizeof *set->load);
  for (int32_t v = 0; v < set->n; ++v) {
    if (!set->in[v]) continue;
    set->value += set->weight[v];
    change_loads(set, v, set->weight[v]);
  }
  if (done == 0) memcpy(set->best, set->in, (size_t)set->n * sizeof *set->best);
  set->best_value = 0;
  for (int32_t v = 0; v < set->n; ++v)
    if (set->best[v]) set->best_value += set->weight[v];
}

static void enter(prism_heavy_set_t *set, int32_t v) {
  for (int64_t e = set->offset[v]; set->load[v] > 0 && e < set->offset[v + 1]; ++e) {
    const int32_t u = set->neighbor[e];
    if (!set->in[u]) continue;
    set->in[u] = false;
    change_loads(set, u, -set->weight[u]);
  }
  set->in[v] = true;
  change_loads(set, v, set->weight[v]);
}

static void propose(prism_heavy_set_t *set, uint32_t which, uint32_t chance, float temperature) {
  const int32_t v = (int32_t)prism_rng_scale(which, (uint32_t)set->n);
  if (set->in[v]) return;
  const int32_t gain = set->weight[v] - set->load[v];
  if (gain < 0 && (float)-gain > temperature * set->patience[chance % PRISM_HEAVY_PATIENCE])
    return;
  enter(set, v);
  set->value += gain;
}

/* The step is made: the set counts from the middle of the search on. */
static void count_step(prism_heavy_set_t *set) {
  ++set->step;
  if (set->value <= set->best_value || 2 * set->step < set->steps) return;
  set->best_value = set->value;
  memcpy(set->best, set->in, (size_t)set->n * sizeof *set->best);
}

int64_t prism_heavy_run(prism_heavy_set_t *set, int64_t budget, uint64_t seed,
                        uint32_t individual, uint64_t position, const atomic_bool *stop) {
  const int64_t first = set->step, left = set->steps - first;
  const int64_t last = first + (budget < left ? budget : left);
  if (set->n == 0) {
    set->step = last;
    return last - first;
  }
  float temperature = 0.0f;
  while (set->step < last) {
    const int64_t block = set->step / PRISM_HEAVY_BLOCK;
    if (set->step == first || set->step % PRISM_HEAVY_BLOCK == 0) {
      if (stop != NULL && atomic_load_explicit(stop, memory_order_relaxed)) break;
      const double part = (double)(block * PRISM_HEAVY_BLOCK) / (double)set->steps;
      temperature = (float)(set->mean * set->hot * pow(set->cold / set->hot, part));
    }
    /* Two steps of each block of random numbers. */
    const uint64_t number = position + (uint64_t)set->step;
    const prism_rng_block_t r = prism_rng_at(seed, number / 2, 0, individual, PRISM_RNG_SET);
    if (number % 2 == 0) {
      propose(set, r.word[0], r.word[1], temperature);
      count_step(set);
      if (set->step == last || set->step % PRISM_HEAVY_BLOCK == 0) continue;
    }
    propose(set, r.word[2], r.word[3], temperature);
    count_step(set);
  }
  return set->step - first;
}
