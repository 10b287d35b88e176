/* How a pool on the device goes on: with stricter choices of mates, shorter searches, or a next
 * one with longer ones or more members. */
#ifndef PRISM_CUDA_ENGINE_POPULATION_GROWTH_H
#define PRISM_CUDA_ENGINE_POPULATION_GROWTH_H

#include "engine/population.h"

/* What a generation of a pool has come to: mean distance / n of its members, fewest
 * conflicts. Where neither falls any more, mates are chosen more strictly. Returns whether
 * the members have become alike, or no choice of mates moves them, or other searches would: time
 * for these or for other members. */
bool prism_population_note(prism_population_t *population, double distance, int32_t best_f);

/* Shorter searches for members that stay far apart. Returns whether there are any: the length was
 * not given, and is more than half of what a first pool begins with. */
bool prism_population_shorten(prism_population_t *population);

/* After note: searches of another length for the same members. Shorter where these stay far apart;
 * where longer ones are known to keep them so, longer ones once they are coming together. Returns
 * whether there are any. */
bool prism_population_adjust(prism_population_t *population);

/* Longer searches from now on, unless their length was given or these are known to be too
 * long: twice the moves for each conflict that was left, 16 times as many at most, up to 512 n. */
void prism_population_lengthen(prism_population_t *population);

/* A pool that has become alike begins anew, with longer searches unless their length was
 * given (what was too short once would be so again). Where longer ones are known to keep members
 * apart, a pool that has no demes gets more members: twice or four times as many. Nothing may be
 * under way. */
prism_status_t prism_population_renew(prism_population_t *population, cudaStream_t stream);

#endif
