/* Which run a tool is asked about. */
#ifndef PRISM_APP_FIND_RUN_H
#define PRISM_APP_FIND_RUN_H

#include "base/status.h"

/* [in] name  a file, a stem (D/X for D/X.h5, else D/X.jsonl), a folder (its newest run), or NULL
 *            (the newest of prism-runs/). Newest: written to last; checkpoints do not count.
 * [out] path  owned by the caller. PRISM_INVALID: there is none. */
prism_status_t prism_find_run(const char *name, char **path);

#endif
