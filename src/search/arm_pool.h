/* The population side of an arm (search/arm.h): mating, replacement, migrants.
 * Private to the arm's files. */
#ifndef PRISM_SEARCH_ARM_POOL_H
#define PRISM_SEARCH_ARM_POOL_H

#include "search/arm.h"

/* Keep a copy of `candidate` as arm->best when it is better. */
void prism_arm_note_best(prism_arm_t *arm, const prism_individual_t *candidate);

/* Moves of the searches that an arm begins with. */
int64_t prism_arm_first_length(prism_method_t method, int32_t n);

/* Room for so many members, and for as many children of a population; kept once it is there.
 * PRISM_MEMORY: as before. */
prism_status_t prism_arm_make_room(prism_arm_t *arm, int32_t members);

/* A fresh random stream of the arm. */
prism_rng_t prism_arm_stream(prism_arm_t *arm, prism_rng_purpose_t purpose);

/* Make the next child and start its local search. */
prism_status_t prism_arm_breed(prism_arm_t *arm);

/* Take the searched child into the population. */
prism_status_t prism_arm_settle(prism_arm_t *arm);

#endif
