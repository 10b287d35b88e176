/* Several engines as one: the islands of a GPU and of the cores beside it in one
 * list, in the order of the parts. A rank's driver sees a single engine. */
#ifndef PRISM_SEAM_JOINT_H
#define PRISM_SEAM_JOINT_H

#include "seam/engine.h"

/* An engine that is to be made, and its islands. */
typedef struct prism_engine_part {
  prism_engine_backend_t backend;
  int32_t islands; /* >= 1 */
} prism_engine_part_t;

/* Make all parts and join them. config->islands is ignored; global ids continue from
 * part to part; one bell serves all (config->bell where it is given: then wait_any also
 * wakes for others that ring it). A single part is that engine itself.
 * The status of the first part that cannot be made; nothing is left then. */
prism_status_t prism_joint_create(const prism_engine_part_t *part, int32_t parts,
                                  const prism_engine_config_t *config, prism_engine_t *out);

#endif
