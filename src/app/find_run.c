#include "app/find_run.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"

static const char default_folder[] = "prism-runs";

static bool is_folder(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* The run file of a folder that was written to last, the later name where two are equal. */
static prism_status_t find_newest(const char *folder, DIR *dir, char **path) {
  struct timespec newest = {0, 0};
  *path = NULL;
  for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
    const char *name = entry->d_name;
    if (!prism_file_ends_with(name, ".h5") || prism_file_ends_with(name, ".ckpt.h5")) continue;
    char *candidate = NULL;
    struct stat info;
    PRISM_TRY(prism_string_format(&candidate, "%s/%s", folder, name));
    bool later = false;
    if (stat(candidate, &info) == 0 && S_ISREG(info.st_mode)) {
      const struct timespec *time = &info.st_mtim;
      later = *path == NULL || time->tv_sec > newest.tv_sec ||
              (time->tv_sec == newest.tv_sec &&
               (time->tv_nsec > newest.tv_nsec ||
                (time->tv_nsec == newest.tv_nsec && strcmp(candidate, *path) > 0)));
      if (later) newest = *time;
    }
    if (later) {
      prism_free(*path);
      *path = candidate;
    } else {
      prism_free(candidate);
    }
  }
  if (*path == NULL) PRISM_FAIL(PRISM_INVALID, "%s/ holds no run (.h5)", folder);
  return PRISM_OK;
}

static prism_status_t search_folder(const char *folder, char **path) {
  DIR *dir = opendir(folder);
  if (dir == NULL && folder == default_folder && errno == ENOENT)
    PRISM_FAIL(PRISM_INVALID, "no run is named, and there is no folder %s/ here", folder);
  if (dir == NULL) PRISM_FAIL(PRISM_IO, "%s: %s", folder, strerror(errno));
  char *found = NULL;
  prism_status_t status = find_newest(folder, dir, &found);
  closedir(dir);
  if (status != PRISM_OK) {
    prism_free(found);
    return status;
  }
  *path = found;
  return PRISM_OK;
}

prism_status_t prism_find_run(const char *name, char **path) {
  if (name == NULL) return search_folder(default_folder, path);
  if (is_folder(name)) return search_folder(name, path);
  static const char *const tails[] = {"", ".h5", ".jsonl"};
  for (size_t i = 0; i < sizeof tails / sizeof tails[0]; ++i) {
    char *candidate = NULL;
    PRISM_TRY(prism_string_format(&candidate, "%s%s", name, tails[i]));
    if (prism_file_exists(candidate)) {
      *path = candidate;
      return PRISM_OK;
    }
    prism_free(candidate);
  }
  PRISM_FAIL(PRISM_INVALID, "%s: no such run", name);
}
