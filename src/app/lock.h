/* Two runs must not write one file. A lock on the file itself would not do where the file is
 * replaced by renaming, so PATH.lock stands for it while the run lasts; one that a killed
 * program left behind locks nothing. */
#ifndef PRISM_APP_LOCK_H
#define PRISM_APP_LOCK_H

#include <stdbool.h>

#include "base/status.h"

typedef struct prism_lock {
  char *path; /* of the lock; owned; NULL: none held */
  int fd;
  bool real;  /* false: this file system has no locks */
} prism_lock_t;

/* Lock `path`; its folder exists. PRISM_IO: another run has it, or the lock cannot be made. */
prism_status_t prism_lock_take(const char *path, prism_lock_t *out);

/* Give it back and remove it. Also for one that was never taken. */
void prism_lock_release(prism_lock_t *lock);

#endif
