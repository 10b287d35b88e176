/* Which processors lie beside a GPU, and keeping a rank's threads on them: a thread that
 * feeds a GPU, and the pinned memory that it touches first, are on the GPU's NUMA node.
 *
 * All of it comes from sysfs, whose root is a parameter. What the launcher allows is never
 * widened: a mask is only cut down. */
#ifndef PRISM_APP_NEAR_H
#define PRISM_APP_NEAR_H

#include <stdbool.h>

#include "app/cores.h"

#define PRISM_NEAR_SYS "/sys"

/* [in] pci  "0000:1B:00.0"  [out] mask. False when it is not known; mask is then untouched. */
bool prism_near_processors(const char *sys, const char *pci, uint64_t mask[PRISM_CORES_WORDS]);

/* NUMA node of a PCI device; -1: not known, or there is only one. */
int32_t prism_near_numa(const char *sys, const char *pci);

/* Cut a mask down to part `place` of `parts` equal ones of whole cores (a core's hardware
 * threads stay together), in ascending order. Fewer cores than parts: nothing is cut. */
void prism_near_part(const char *sys, uint64_t mask[PRISM_CORES_WORDS], int32_t place,
                     int32_t parts);

/* "0-15,64-79"; what does not fit ends in "...". */
void prism_near_text(const uint64_t mask[PRISM_CORES_WORDS], char *out, size_t size);

typedef struct prism_near_setup {
  const char *sys;
  const char *pci; /* of this rank's GPU; NULL: none, or it is to stay where it is */
  int64_t threads; /* that the user asked for; 0: as many as there are processors */
} prism_near_setup_t;

/* Put the calling thread, and all it starts later, on the processors beside the GPU. Where
 * the launcher gave several ranks the same processors these are shared out among the ranks
 * whose GPUs lie there. More threads asked for than there are near: it stays where it is.
 * [out] cores  how many threads that allows. Collective. */
prism_status_t prism_near_settle(prism_comm_t *comm, const prism_near_setup_t *setup,
                                 prism_cores_t *cores);

#endif
