/* An arm as bytes and rows of an island's state (search/arm.h, seam/state.h), without its
 * tabu list. Between two advances. */
#ifndef PRISM_SEARCH_ARM_STATE_H
#define PRISM_SEARCH_ARM_STATE_H

#include "search/arm.h"
#include "search/rows.h"

/* Of an arm that has its members. PRISM_MEMORY. Other failures are those of `rows` and `pack`,
 * asked for at their end. */
prism_status_t prism_arm_save(const prism_arm_t *arm, prism_rows_t *rows, prism_pack_t *pack);

/* What an arm that is restored is made with, as for prism_arm_init. */
typedef struct prism_arm_setup {
  prism_method_t method;
  const prism_isa_t *isa;
  const prism_hooks_t *hooks;
  int32_t k;
  uint64_t seed;
  uint32_t individual;
  int32_t effort; /* EXTRACTION: of its first attempt, if that has not begun */
} prism_arm_setup_t;

/* An arm that goes on from there: at the end of a generation exactly, else with the search in
 * progress from its colours and without its tabu list. PRISM_FORMAT, PRISM_MEMORY: *arm is
 * then to be released. PRISM_OK says nothing about what was read: the source's unpack does,
 * and an arm that came out of bad bytes can be released and nothing else. */
prism_status_t prism_arm_restore(prism_arm_t *arm, const prism_arm_setup_t *setup,
                                 const prism_row_source_t *source);

#endif
