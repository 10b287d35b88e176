#include "app/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

enum { TRIES = 100 };

/* Is what we have locked still what stands at its name? Its last holder may have removed it. */
static bool is_current(const prism_lock_t *lock) {
  struct stat mine, there;
  return fstat(lock->fd, &mine) == 0 && stat(lock->path, &there) == 0 &&
         mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

/* [out] again: it vanished meanwhile */
static prism_status_t try_lock(const char *path, prism_lock_t *lock, bool *again) {
  *again = false;
  lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock->fd < 0) PRISM_FAIL(PRISM_IO, "%s: %s", lock->path, strerror(errno));
  lock->real = flock(lock->fd, LOCK_EX | LOCK_NB) == 0;
  const int error = errno;
  if (lock->real) {
    *again = !is_current(lock);
    if (*again) close(lock->fd);
    return PRISM_OK;
  }
  if (error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP || error == EINVAL)
    return PRISM_OK;
  close(lock->fd);
  if (error == EWOULDBLOCK) PRISM_FAIL(PRISM_IO, "%s is in use by another run", path);
  PRISM_FAIL(PRISM_IO, "%s cannot be locked: %s", lock->path, strerror(error));
}

prism_status_t prism_lock_take(const char *path, prism_lock_t *out) {
  memset(out, 0, sizeof *out);
  PRISM_TRY(prism_string_format(&out->path, "%s.lock", path));
  prism_status_t status;
  bool again = true;
  for (int i = 0; i < TRIES && again; ++i)
    PRISM_TRY_GOTO(status, try_lock(path, out, &again), failed);
  if (!again) return PRISM_OK;
  status = prism_error_record(PRISM_IO, __FILE__, __LINE__, __func__,
                              "%s comes and goes: it cannot be locked", out->path);
failed:
  prism_free(out->path);
  out->path = NULL;
  return status;
}

void prism_lock_release(prism_lock_t *lock) {
  if (lock->path == NULL) return;
  unlink(lock->path); /* while it is held: nobody else can have locked it */
  close(lock->fd);
  prism_free(lock->path);
  lock->path = NULL;
}
