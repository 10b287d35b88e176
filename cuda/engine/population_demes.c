#include "engine/population_demes.h"

#include "engine/population_growth.h"
#include "kernels/convert.h"
#include "kernels/recount.h"

enum {
  DEME = 48, /* members */
  LEAST_DEME = 4
};

size_t prism_population_demes_bytes(const prism_population_t *p) {
  return ((size_t)p->members / LEAST_DEME + 1) * sizeof(prism_gpu_deme_t);
}

int32_t prism_population_demes_of(const prism_population_t *p, int32_t deme_size) {
  if (p->enlarged) return 0;
  const int32_t wanted = deme_size > 0 ? deme_size : DEME;
  const int32_t size = wanted > LEAST_DEME ? wanted : LEAST_DEME;
  const int32_t count = p->mates && !p->searcher.wide ? p->members / size : 0;
  return count > 1 ? count : 0;
}

void prism_population_divide(prism_population_t *p) {
  prism_gpu_demes_t *demes = &p->mating.demes;
  demes->count = prism_population_demes_of(p, p->deme_size);
  demes->tournament = p->tournament_given ? p->tournament : PRISM_STRICT_TOURNAMENT;
  demes->strictest = p->tournament_given ? p->tournament : PRISM_GPU_TOURNAMENT;
  p->captured[0] = p->captured[1] = 0;
}

void prism_population_inherit_demes(prism_population_t *p) {
  prism_population_divide(p);
  p->round = (uint32_t)p->mating.demes.count;
}

bool prism_population_hear(prism_population_t *p, const prism_gpu_control_t *report,
                           int32_t *restarts) {
  *restarts += (int32_t)(report->ended - p->ended);
  p->ended = report->ended;
  p->apart_ended = report->apart_ended;
  if (report->least < p->least) p->least = report->least;
  return prism_population_has_demes(p) &&
         (int32_t)(p->ended - p->round) >= p->mating.demes.count;
}

void prism_population_next_round(prism_population_t *p) {
  const uint32_t ended = p->ended - p->round, apart = p->apart_ended - p->apart_round;
  p->round = p->ended;
  p->apart_round = p->apart_ended;
  if (2 * apart > ended && prism_population_shorten(p))
    p->least = INT32_MAX;
  else
    prism_population_lengthen(p);
}

prism_status_t prism_population_queue_demes(const prism_population_t *p, cudaStream_t stream) {
  if (!prism_population_has_demes(p)) return PRISM_OK;
  const int32_t *renewed = p->mating.demes.renewed;
  const prism_convert_random_t random = {p->seed, &p->control->generation, p->individual};
  PRISM_TRY(prism_launch_judge(p->control, p->halt, &p->mating, &p->pool, stream));
  PRISM_TRY(prism_launch_random(&p->pool, renewed, p->members, &random, stream));
  return prism_launch_recount(&p->graph, &p->pool, renewed, p->members, stream);
}
