#include "app/cores.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

enum { PATH_BYTES = 4096 };

/* FNV-1a: names of nodes and groups only have to differ. */
static uint64_t name_hash(uint64_t hash, const char *text) {
  if (hash == 0) hash = 14695981039346656037u;
  for (; *text != '\0'; ++text) hash = (hash ^ (unsigned char)*text) * 1099511628211u;
  return hash;
}

/* folder + name; false when that is too long to be a path. */
static bool join(char out[PATH_BYTES], const char *folder, const char *name) {
  int length = snprintf(out, PATH_BYTES, "%s%s", folder, name);
  return length >= 0 && length < PATH_BYTES;
}

/* v2: "max 100000" or "150000 100000" */
static double quota_v2(const char *folder) {
  char path[PATH_BYTES], line[128];
  double limit, period;
  if (!join(path, folder, "/cpu.max") || !prism_file_first_line(path, line, sizeof line)) return 0;
  if (sscanf(line, "%lf %lf", &limit, &period) != 2 || limit <= 0 || period <= 0) return 0;
  return limit / period;
}

/* v1: two files, -1 for none */
static double quota_v1(const char *folder) {
  char path[PATH_BYTES], line[128];
  double limit, period;
  if (!join(path, folder, "/cpu.cfs_quota_us")) return 0;
  if (!prism_file_first_line(path, line, sizeof line)) return 0;
  if (sscanf(line, "%lf", &limit) != 1) return 0;
  if (!join(path, folder, "/cpu.cfs_period_us")) return 0;
  if (!prism_file_first_line(path, line, sizeof line)) return 0;
  if (sscanf(line, "%lf", &period) != 1) return 0;
  return limit > 0 && period > 0 ? limit / period : 0;
}

/* The strictest quota from root/group up to the root. */
static void walk_up(const char *root, const char *group, double (*quota)(const char *),
                    double *least, uint64_t *where) {
  char folder[PATH_BYTES];
  size_t top = strlen(root);
  if (!join(folder, root, strcmp(group, "/") == 0 ? "" : group)) return;
  for (;;) {
    double cores = quota(folder);
    if (cores > 0 && (*least <= 0 || cores < *least)) {
      *least = cores;
      *where = name_hash(0, folder);
    }
    char *slash = strrchr(folder, '/');
    if (strlen(folder) <= top || slash == NULL) return;
    *slash = '\0';
  }
}

/* Is "cpu" among "cpu,cpuacct"? */
static bool has_cpu(const char *controllers) {
  for (const char *at = controllers; *at != '\0';) {
    size_t span = strcspn(at, ",");
    if (span == 3 && memcmp(at, "cpu", 3) == 0) return true;
    at += span + (at[span] == ',');
  }
  return false;
}

double prism_cores_quota(const char *proc_cgroup, const char *root, uint64_t *group) {
  double least = 0;
  *group = 0;
  FILE *file = fopen(proc_cgroup, "r");
  if (file == NULL) return 0;
  char line[PATH_BYTES];
  while (fgets(line, sizeof line, file) != NULL) { /* "ID:CONTROLLERS:PATH" */
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (path == NULL) continue;
    *path++ = '\0';
    ++controllers;
    char mounts[PATH_BYTES], mount[PATH_BYTES];
    if (controllers[0] == '\0') {
      walk_up(root, path, quota_v2, &least, group);
    } else if (has_cpu(controllers) && join(mounts, root, "/")) {
      if (join(mount, mounts, controllers)) walk_up(mount, path, quota_v1, &least, group);
      if (join(mount, mounts, "cpu")) walk_up(mount, path, quota_v1, &least, group);
    }
  }
  fclose(file);
  return least;
}

/* Affinity of this process; the kernel may know more processors than cpu_set_t. */
static void read_mask(uint64_t mask[PRISM_CORES_WORDS]) {
  cpu_set_t *set = CPU_ALLOC(64 * PRISM_CORES_WORDS);
  size_t size = CPU_ALLOC_SIZE(64 * PRISM_CORES_WORDS);
  memset(mask, 0, PRISM_CORES_WORDS * sizeof *mask);
  if (set == NULL) return;
  CPU_ZERO_S(size, set);
  if (sched_getaffinity(0, size, set) == 0) {
    for (size_t cpu = 0; cpu < 64 * PRISM_CORES_WORDS; ++cpu) {
      if (CPU_ISSET_S(cpu, size, set)) mask[cpu / 64] |= (uint64_t)1 << (cpu % 64);
    }
  }
  CPU_FREE(set);
}

void prism_cores_describe(prism_cores_record_t *out) {
  char host[256] = "", boot[64] = "";
  gethostname(host, sizeof host - 1);
  /* Containers of one machine share its processors whatever they call themselves. */
  bool known = prism_file_first_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
  memset(out, 0, sizeof *out);
  out->node = name_hash(0, known ? boot : host);
  uint64_t group;
  out->quota = prism_cores_quota("/proc/self/cgroup", "/sys/fs/cgroup", &group);
  out->group = name_hash(group, host); /* inside containers all paths look alike */
  read_mask(out->mask);
}

static bool masks_meet(const prism_cores_record_t *a, const prism_cores_record_t *b) {
  for (int i = 0; i < PRISM_CORES_WORDS; ++i) {
    if ((a->mask[i] & b->mask[i]) != 0) return true;
  }
  return false;
}

static int32_t mask_count(const prism_cores_record_t *record) {
  int32_t count = 0;
  for (int i = 0; i < PRISM_CORES_WORDS; ++i) count += __builtin_popcountll(record->mask[i]);
  return count;
}

void prism_cores_share(const prism_cores_record_t *records, int32_t count, int32_t self,
                       prism_cores_t *out) {
  const prism_cores_record_t *mine = &records[self];
  int32_t sharers = 0, group = 0;
  out->node = mine->node;
  out->node_ranks = 0;
  for (int32_t i = 0; i < count; ++i) {
    if (records[i].node != mine->node) continue;
    ++out->node_ranks;
    if (i == self || masks_meet(mine, &records[i])) ++sharers;
    if (i == self || (mine->quota > 0 && records[i].group == mine->group)) ++group;
  }
  int32_t cores = mask_count(mine);
  int32_t by_mask = cores / sharers;
  int32_t by_quota = mine->quota > 0 ? (int32_t)(mine->quota / group) : by_mask;
  bool quota = by_quota < by_mask;
  int32_t threads = quota ? by_quota : by_mask;
  int32_t ranks = quota ? group : sharers;
  out->threads = threads < 1 ? 1 : threads;
  int used = quota ? snprintf(out->reason, sizeof out->reason, "a quota of %.3g cores", mine->quota)
                   : snprintf(out->reason, sizeof out->reason, "%d core%s %s", cores,
                              cores == 1 ? "" : "s",
                              mine->near != 0 ? "beside the GPU" : "of the affinity mask");
  if (ranks > 1) {
    snprintf(out->reason + used, sizeof out->reason - (size_t)used, ", shared by %d ranks", ranks);
  }
}

prism_status_t prism_cores_default(prism_comm_t *comm, prism_cores_t *out) {
  prism_cores_record_t *records;
  prism_cores_record_t mine;
  PRISM_TRY(PRISM_ALLOC(comm->size, &records));
  prism_cores_describe(&mine);
  prism_status_t status = comm->ops->allgather(comm->self, &mine, records, sizeof mine);
  out->processors[0] = '\0';
  if (status == PRISM_OK) prism_cores_share(records, comm->size, comm->rank, out);
  prism_free(records);
  PRISM_TRY(status);
  return PRISM_OK;
}
