#include "app/near.h"

#include <ctype.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

enum { PATH_BYTES = 1024, LINE_BYTES = 4096, PROCESSORS = 64 * PRISM_CORES_WORDS };

static bool has(const uint64_t *mask, int cpu) { return (mask[cpu / 64] >> (cpu % 64) & 1) != 0; }

static void add(uint64_t *mask, int cpu) { mask[cpu / 64] |= (uint64_t)1 << (cpu % 64); }

static int count(const uint64_t *mask) {
  int sum = 0;
  for (int i = 0; i < PRISM_CORES_WORDS; ++i) sum += __builtin_popcountll(mask[i]);
  return sum;
}

/* "0-15,64-79": the kernel's form of a set. False: not that form, or an empty set. */
static bool parse_list(const char *text, uint64_t mask[PRISM_CORES_WORDS]) {
  uint64_t found[PRISM_CORES_WORDS] = {0};
  for (const char *at = text;;) {
    char *end;
    if (!isdigit((unsigned char)*at)) return false;
    long first = strtol(at, &end, 10), last = first;
    if (*end == '-') {
      at = end + 1;
      if (!isdigit((unsigned char)*at)) return false;
      last = strtol(at, &end, 10);
    }
    if (last < first || last >= PROCESSORS) return false;
    for (long cpu = first; cpu <= last; ++cpu) add(found, (int)cpu);
    if (*end == '\0') break;
    if (*end != ',') return false;
    at = end + 1;
  }
  memcpy(mask, found, sizeof found);
  return true;
}

static bool read_list(const char *path, uint64_t mask[PRISM_CORES_WORDS]) {
  char line[LINE_BYTES];
  return prism_file_first_line(path, line, sizeof line) && parse_list(line, mask);
}

/* Path of a file of a PCI device, whose name CUDA writes in capitals. */
static bool device_path(const char *sys, const char *pci, const char *file,
                        char out[PATH_BYTES]) {
  char name[64];
  size_t length = strlen(pci);
  if (length == 0 || length >= sizeof name || strchr(pci, '/') != NULL) return false;
  for (size_t i = 0; i <= length; ++i) name[i] = (char)tolower((unsigned char)pci[i]);
  int used = snprintf(out, PATH_BYTES, "%s/bus/pci/devices/%s/%s", sys, name, file);
  return used > 0 && used < PATH_BYTES;
}

int32_t prism_near_numa(const char *sys, const char *pci) {
  char path[PATH_BYTES], line[64];
  if (!device_path(sys, pci, "numa_node", path)) return -1;
  if (!prism_file_first_line(path, line, sizeof line)) return -1;
  char *end;
  long node = strtol(line, &end, 10);
  return end != line && *end == '\0' && node >= 0 && node < 65536 ? (int32_t)node : -1;
}

bool prism_near_processors(const char *sys, const char *pci, uint64_t mask[PRISM_CORES_WORDS]) {
  char path[PATH_BYTES];
  if (device_path(sys, pci, "local_cpulist", path) && read_list(path, mask)) return true;
  const int32_t node = prism_near_numa(sys, pci);
  if (node < 0) return false;
  int used = snprintf(path, sizeof path, "%s/devices/system/node/node%d/cpulist", sys, node);
  return used > 0 && used < PATH_BYTES && read_list(path, mask);
}

/* Take the core of the lowest processor out of `left`. [out] core */
static void take_core(const char *sys, uint64_t left[PRISM_CORES_WORDS],
                      uint64_t core[PRISM_CORES_WORDS]) {
  uint64_t threads[PRISM_CORES_WORDS] = {0};
  int cpu = 0;
  while (!has(left, cpu)) ++cpu;
  char path[PATH_BYTES];
  int used = snprintf(path, sizeof path,
                      "%s/devices/system/cpu/cpu%d/topology/thread_siblings_list", sys, cpu);
  if (used < 0 || used >= PATH_BYTES || !read_list(path, threads))
    memset(threads, 0, sizeof threads);
  add(threads, cpu);
  for (int i = 0; i < PRISM_CORES_WORDS; ++i) {
    core[i] = threads[i] & left[i];
    left[i] &= ~threads[i];
  }
}

void prism_near_part(const char *sys, uint64_t mask[PRISM_CORES_WORDS], int32_t place,
                     int32_t parts) {
  uint64_t left[PRISM_CORES_WORDS], core[PRISM_CORES_WORDS], mine[PRISM_CORES_WORDS] = {0};
  int64_t cores = 0;
  memcpy(left, mask, sizeof left);
  for (; count(left) > 0; ++cores) take_core(sys, left, core);
  if (parts < 2 || cores < parts) return;
  const int64_t first = place * cores / parts, behind = (place + 1) * cores / parts;
  memcpy(left, mask, sizeof left);
  for (int64_t c = 0; c < behind; ++c) {
    take_core(sys, left, core);
    for (int i = 0; i < PRISM_CORES_WORDS && c >= first; ++i) mine[i] |= core[i];
  }
  memcpy(mask, mine, sizeof mine);
}

void prism_near_text(const uint64_t mask[PRISM_CORES_WORDS], char *out, size_t size) {
  size_t used = 0;
  out[0] = '\0';
  for (int cpu = 0; cpu < PROCESSORS; ++cpu) {
    if (!has(mask, cpu)) continue;
    int last = cpu;
    while (last + 1 < PROCESSORS && has(mask, last + 1)) ++last;
    char range[32];
    snprintf(range, sizeof range, last > cpu ? "%s%d-%d" : "%s%d", used > 0 ? "," : "", cpu, last);
    /* Room for the dots is kept. */
    if (used + strlen(range) + 4 > size) {
      if (size > used + 3) snprintf(out + used, size - used, "...");
      return;
    }
    used += (size_t)snprintf(out + used, size - used, "%s", range);
    cpu = last;
  }
}

/* Threads that this process starts from now on keep to the mask. It is only advice: where
 * the system refuses, they run wherever they may. */
static void keep_to(const uint64_t mask[PRISM_CORES_WORDS]) {
  cpu_set_t *set = CPU_ALLOC(PROCESSORS);
  if (set == NULL) return;
  const size_t size = CPU_ALLOC_SIZE(PROCESSORS);
  CPU_ZERO_S(size, set);
  for (int cpu = 0; cpu < PROCESSORS; ++cpu)
    if (has(mask, cpu)) CPU_SET_S((size_t)cpu, size, set);
  (void)sched_setaffinity(0, size, set);
  CPU_FREE(set);
}

/* Cut the record down to what lies beside the GPU. */
static void come_near(const prism_near_setup_t *setup, prism_cores_record_t *mine) {
  uint64_t near[PRISM_CORES_WORDS];
  if (setup->pci == NULL || !prism_near_processors(setup->sys, setup->pci, near)) return;
  for (int i = 0; i < PRISM_CORES_WORDS; ++i) near[i] &= mine->mask[i];
  const int processors = count(near);
  if (processors == 0 || setup->threads > processors) return;
  memcpy(mine->mask, near, sizeof near);
  mine->near = 1;
}

/* Own part of processors that several ranks were given alike. */
static void divide(const prism_near_setup_t *setup, const prism_cores_record_t *all, int32_t ranks,
                   int32_t self, prism_cores_record_t *mine) {
  int32_t place = 0, parts = 0;
  for (int32_t r = 0; r < ranks; ++r) {
    if (all[r].node != mine->node || all[r].near == 0) continue;
    if (memcmp(all[r].mask, mine->mask, sizeof mine->mask) != 0) continue;
    if (r < self) ++place;
    ++parts;
  }
  uint64_t part[PRISM_CORES_WORDS];
  memcpy(part, mine->mask, sizeof part);
  prism_near_part(setup->sys, part, place, parts);
  if (setup->threads <= count(part)) memcpy(mine->mask, part, sizeof part);
}

prism_status_t prism_near_settle(prism_comm_t *comm, const prism_near_setup_t *setup,
                                 prism_cores_t *cores) {
  prism_cores_record_t mine, given, *all = NULL;
  prism_status_t status = PRISM_ALLOC(comm->size, &all);
  PRISM_TRY(comm->ops->agree(comm->self, status));
  prism_cores_describe(&given);
  mine = given;
  come_near(setup, &mine);
  status = comm->ops->allgather(comm->self, &mine, all, sizeof mine);
  if (status == PRISM_OK && mine.near != 0) divide(setup, all, comm->size, comm->rank, &mine);
  if (status == PRISM_OK) status = comm->ops->allgather(comm->self, &mine, all, sizeof mine);
  if (status == PRISM_OK) prism_cores_share(all, comm->size, comm->rank, cores);
  prism_free(all);
  PRISM_TRY(status);
  if (memcmp(mine.mask, given.mask, sizeof mine.mask) != 0) keep_to(mine.mask);
  prism_near_text(mine.mask, cores->processors, sizeof cores->processors);
  return PRISM_OK;
}
