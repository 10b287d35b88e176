/* Demes of a pool on the device: parts that mate among themselves only.
 *
 * What a pool finds is decided by the length of its searches more than by its size, and is
 * partly luck: where one large pool has ended with a few conflicts, eight small ones with longer
 * searches are eight chances (docs/EXPERIMENTS.md, "Demes"). Each begins anew when its
 * own members have become alike; when as many have ended as there are, searches become
 * longer. Demes meet nobody: no visitors, no migrants. Neither the wide search nor pools of
 * fewer than two demes' size have any. */
#ifndef PRISM_CUDA_ENGINE_POPULATION_DEMES_H
#define PRISM_CUDA_ENGINE_POPULATION_DEMES_H

#include "engine/population.h"

/* Mates of a first pool, and of later ones: longer searches drift further apart. */
enum { PRISM_FIRST_TOURNAMENT = 3, PRISM_STRICT_TOURNAMENT = 6 };

static inline bool prism_population_has_demes(const prism_population_t *population) {
  return population->mating.demes.count > 1;
}

/* Device memory for the state of the most demes that the members make. */
size_t prism_population_demes_bytes(const prism_population_t *population);

/* Demes of `deme_size` members (0: the measured choice) that there would be; 0: none. */
int32_t prism_population_demes_of(const prism_population_t *population, int32_t deme_size);

/* Turn into demes, if it is large enough. Their states are the caller's to clear. */
void prism_population_divide(prism_population_t *population);

/* The same for members of the last k. These had lost their differences before: that they become
 * alike is no sign of a wrong length, so the first round takes one more of each deme. */
void prism_population_inherit_demes(prism_population_t *population);

/* Note what the report of a generation says.
 * [out] restarts  added to: demes that began anew since the last report
 * Returns whether all have had their turn, on average: time for the next round. */
bool prism_population_hear(prism_population_t *population, const prism_gpu_control_t *report,
                           int32_t *restarts);

/* Searches of another length for the demes from now on. */
void prism_population_next_round(prism_population_t *population);

/* Queue the end of a generation: demes that begin anew get random members. */
prism_status_t prism_population_queue_demes(const prism_population_t *population,
                                            cudaStream_t stream);

#endif
