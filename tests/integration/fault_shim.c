/* Loaded before the C library (LD_PRELOAD) to make the disk slow, the clock jump, or kill the
 * program in the middle of a write. Each only where its variable is set:
 *
 *   PRISM_SHIM_SLOW=MS       every write and sync of a regular file takes so much longer
 *   PRISM_SHIM_KILL=PART:N   kill -9 at the Nth call that changes a file with PART in its name:
 *                            before it, after it, or between two pages of what it writes, as
 *                            a kill finds a program; PRISM_SHIM_SEED says which
 *   PRISM_SHIM_CLOCK=S       the time of day jumps to and fro by S seconds, ten times a second
 *   PRISM_SHIM_CALLS=FILE    at exit, how many calls PRISM_SHIM_KILL would have counted
 *
 * System calls are made directly: nothing here depends on what else is loaded. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };

static atomic_long calls;

static long number_of(const char *name) {
  const char *text = getenv(name);
  return text == NULL ? 0 : strtol(text, NULL, 10);
}

/* [out] part; returns N, 0 without the variable */
static long victim(char part[64]) {
  const char *text = getenv("PRISM_SHIM_KILL");
  const char *colon = text == NULL ? NULL : strrchr(text, ':');
  if (colon == NULL || colon - text >= 64) return 0;
  memcpy(part, text, (size_t)(colon - text));
  part[colon - text] = '\0';
  return strtol(colon + 1, NULL, 10);
}

static void die(void) {
  syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  for (;;) pause();
}

/* Is this the call at which to die? Then 1 + a choice of 0 .. choices - 1; else 0. */
static long strikes(const char *path, long choices) {
  char part[64];
  long at = victim(part);
  if (at == 0 || strstr(path, part) == NULL) return 0;
  if (atomic_fetch_add(&calls, 1) + 1 != at) return 0;
  unsigned long draw = (unsigned long)(number_of("PRISM_SHIM_SEED") + at) * 2654435761UL;
  return 1 + (long)((draw >> 16) % (unsigned long)choices);
}

static void path_of(int fd, char out[512]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  long length = syscall(SYS_readlinkat, AT_FDCWD, link, out, 511);
  out[length > 0 ? length : 0] = '\0';
}

static void be_slow(int fd) {
  struct stat info;
  long ms = number_of("PRISM_SHIM_SLOW");
  if (ms == 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return;
  struct timespec rest = {ms / 1000, ms % 1000 * 1000000L};
  nanosleep(&rest, NULL);
}

/* What a kill leaves of `size` bytes at `at`: a choice of nothing, whole pages, everything. */
static size_t left_of(long strike, size_t size, off_t at, long choices) {
  if (strike == 1) return 0;
  if (strike == choices) return size;
  size_t first = (size_t)(PAGE - at % PAGE), kept = first + (size_t)(strike - 2) * PAGE;
  return kept < size ? kept : size;
}

static ssize_t write_at(int fd, const void *data, size_t size, off_t at, int placed) {
  char path[512];
  int before = errno;
  be_slow(fd);
  path_of(fd, path);
  long choices = 2 + (long)(size / PAGE < 8 ? size / PAGE : 8), strike = strikes(path, choices);
  off_t place = placed ? at : lseek(fd, 0, SEEK_CUR);
  errno = before;
  if (strike != 0) size = left_of(strike, size, place < 0 ? 0 : place, choices);
  ssize_t done = placed ? syscall(SYS_pwrite64, fd, data, size, at)
                        : syscall(SYS_write, fd, data, size);
  if (strike != 0) die();
  return done;
}

ssize_t write(int fd, const void *data, size_t size) { return write_at(fd, data, size, 0, 0); }

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  return write_at(fd, data, size, at, 1);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  return write_at(fd, data, size, at, 1);
}

/* Before or after a call that is done or not. */
#define ALL_OR_NOTHING(path, call)            \
  do {                                        \
    long strike = strikes((path), 2);         \
    if (strike == 1) die();                   \
    long result = (call);                     \
    if (strike == 2) die();                   \
    return (int)result;                       \
  } while (0)

int fsync(int fd) {
  char path[512];
  be_slow(fd);
  path_of(fd, path);
  ALL_OR_NOTHING(path, syscall(SYS_fsync, fd));
}

int fdatasync(int fd) {
  char path[512];
  be_slow(fd);
  path_of(fd, path);
  ALL_OR_NOTHING(path, syscall(SYS_fdatasync, fd));
}

int ftruncate(int fd, off_t length) {
  char path[512];
  path_of(fd, path);
  ALL_OR_NOTHING(path, syscall(SYS_ftruncate, fd, length));
}

int ftruncate64(int fd, off64_t length) {
  char path[512];
  path_of(fd, path);
  ALL_OR_NOTHING(path, syscall(SYS_ftruncate, fd, length));
}

int rename(const char *from, const char *to) {
  ALL_OR_NOTHING(from, syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int link(const char *from, const char *to) {
  ALL_OR_NOTHING(from, syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int unlink(const char *path) {
  ALL_OR_NOTHING(path, syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

/* ---- the time of day ---- */

static time_t jump(void) {
  long most = number_of("PRISM_SHIM_CLOCK");
  struct timespec steady;
  if (most == 0) return 0;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &steady);
  return (steady.tv_nsec / 100000000L) % 2 == 0 ? (time_t)most : -(time_t)most;
}

int clock_gettime(clockid_t clock, struct timespec *out) {
  long result = syscall(SYS_clock_gettime, clock, out);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    out->tv_sec += jump();
  return (int)result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  *out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}

__attribute__((destructor)) static void tell_calls(void) {
  const char *path = getenv("PRISM_SHIM_CALLS");
  if (path == NULL) return;
  char text[32];
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  int length = snprintf(text, sizeof text, "%ld\n", atomic_load(&calls));
  if (fd >= 0 && syscall(SYS_write, fd, text, (size_t)length) < 0) perror(path);
  if (fd >= 0) close(fd);
}
