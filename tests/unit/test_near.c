/* Processors beside a GPU, from a made-up sysfs, and how ranks share them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sched.h>

#include "app/near.h"
#include "base/file.h"
#include "base/mem.h"
#include "temp_file.h"

typedef uint64_t mask_t[PRISM_CORES_WORDS];

static void put(const char *path, const char *text) {
  char folder[600];
  snprintf(folder, sizeof folder, "%s", temp_path(path));
  *strrchr(folder, '/') = '\0';
  assert_int_equal(prism_file_make_folders(folder), PRISM_OK);
  temp_write_text(path, text);
}

/* The mask that a list stands for, by way of a device with that list. */
static bool parsed(const char *list, mask_t mask) {
  put("parse/bus/pci/devices/0000:00:00.0/local_cpulist", list);
  return prism_near_processors(temp_path("parse"), "0000:00:00.0", mask);
}

static void lists(void **state) {
  (void)state;
  mask_t mask;
  char text[64];
  const char *const good[] = {"0", "5", "0-3", "0-15,64-79", "1,3,5-7", "63-64", "4095"};
  for (size_t i = 0; i < sizeof good / sizeof *good; ++i) {
    assert_true(parsed(good[i], mask));
    prism_near_text(mask, text, sizeof text);
    assert_string_equal(text, good[i]);
  }
  const char *const bad[] = {"",     "\n",  "a",    "3-1",     "1-", "-3",
                             "1,,2", "1 2", "4096", "0-99999", "1,"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
    memset(mask, 0xff, sizeof mask);
    assert_false(parsed(bad[i], mask));
    assert_true(mask[7] == UINT64_MAX); /* untouched */
  }
  assert_true(parsed("10,20,30", mask));
  prism_near_text(mask, text, 9);
  assert_string_equal(text, "10,20...");
  prism_near_text(mask, text, 6);
  assert_string_equal(text, "10...");
  memset(mask, 0, sizeof mask);
  prism_near_text(mask, text, sizeof text);
  assert_string_equal(text, "");
}

static void devices(void **state) {
  (void)state;
  mask_t mask;
  put("sys/bus/pci/devices/0000:1b:00.0/local_cpulist", "0-3\n");
  put("sys/bus/pci/devices/0000:1b:00.0/numa_node", "0\n");
  put("sys/bus/pci/devices/0000:2b:00.0/numa_node", "1\n"); /* no list: by its node */
  put("sys/devices/system/node/node1/cpulist", "4-7\n");
  put("sys/bus/pci/devices/0000:3b:00.0/numa_node", "-1\n");
  char sys[600];
  snprintf(sys, sizeof sys, "%s", temp_path("sys"));
  assert_true(prism_near_processors(sys, "0000:1B:00.0", mask));
  assert_true(mask[0] == 0xf);
  assert_true(prism_near_processors(sys, "0000:2b:00.0", mask));
  assert_true(mask[0] == 0xf0);
  assert_false(prism_near_processors(sys, "0000:3b:00.0", mask));
  assert_false(prism_near_processors(sys, "0000:4b:00.0", mask));
  assert_false(prism_near_processors(sys, "../0000:1b:00.0", mask));
  assert_false(prism_near_processors(sys, "", mask));
  assert_int_equal(prism_near_numa(sys, "0000:1B:00.0"), 0);
  assert_int_equal(prism_near_numa(sys, "0000:2B:00.0"), 1);
  assert_int_equal(prism_near_numa(sys, "0000:3B:00.0"), -1);
  assert_int_equal(prism_near_numa(sys, "0000:4B:00.0"), -1);
}

/* Processor i and i + 4 are one core. */
static void make_threads(void) {
  for (int cpu = 0; cpu < 8; ++cpu) {
    char path[128], list[16];
    snprintf(path, sizeof path, "smt/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    snprintf(list, sizeof list, "%d,%d\n", cpu % 4, cpu % 4 + 4);
    put(path, list);
  }
}

static uint64_t part(const char *sys, uint64_t whole, int32_t place, int32_t parts) {
  mask_t mask = {whole};
  prism_near_part(sys, mask, place, parts);
  for (int i = 1; i < PRISM_CORES_WORDS; ++i) assert_true(mask[i] == 0);
  return mask[0];
}

static void parts(void **state) {
  (void)state;
  char smt[600], none[600];
  make_threads();
  snprintf(smt, sizeof smt, "%s", temp_path("smt"));
  snprintf(none, sizeof none, "%s", temp_path("nothing"));
  assert_true(part(smt, 0xff, 0, 1) == 0xff);
  assert_true(part(smt, 0xff, 0, 2) == 0x33); /* cores stay whole */
  assert_true(part(smt, 0xff, 1, 2) == 0xcc);
  assert_true(part(smt, 0xff, 3, 4) == 0x88);
  assert_true(part(smt, 0xff, 3, 5) == 0xff); /* fewer cores than ranks */
  assert_true(part(smt, 0x13, 0, 2) == 0x11); /* a core of one thread, one of two */
  assert_true(part(smt, 0x13, 1, 2) == 0x02);
  assert_true(part(none, 0xff, 0, 2) == 0x0f); /* no topology: processors are cores */
  assert_true(part(none, 0xff, 1, 3) == 0x1c);
  for (int32_t parts_now = 1; parts_now <= 8; ++parts_now) { /* each processor once */
    uint64_t all = 0;
    for (int32_t p = 0; p < parts_now; ++p) {
      uint64_t mine = part(none, 0xb7fd, p, parts_now);
      assert_true((all & mine) == 0);
      assert_true(mine != 0);
      all |= mine;
    }
    assert_true(all == 0xb7fd);
  }
}

/* Several ranks: an allgather that answers with what the others would say. */
enum { RANKS = 3 };
static prism_cores_record_t others[RANKS];

static prism_status_t fake_allgather(void *self, const void *in, void *out, size_t bytes) {
  (void)self;
  assert_int_equal(bytes, sizeof *others);
  memcpy(&others[1], in, bytes); /* this is rank 1 */
  memcpy(out, others, sizeof others);
  return PRISM_OK;
}

static prism_status_t fake_agree(void *self, prism_status_t mine) {
  (void)self;
  return mine;
}

static uint64_t own_affinity(void) {
  cpu_set_t set;
  uint64_t mask = 0;
  assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
  for (int cpu = 0; cpu < 64; ++cpu)
    if (CPU_ISSET((size_t)cpu, &set)) mask |= (uint64_t)1 << cpu;
  return mask;
}

static void settles(void **state) {
  (void)state;
  const prism_comm_ops_t ops = {.name = "fake", .allgather = fake_allgather, .agree = fake_agree};
  prism_comm_t comm = {.ops = &ops, .rank = 1, .size = RANKS};
  prism_cores_t cores = {0};
  const uint64_t given = own_affinity();
  if (__builtin_popcountll(given) < 2) skip();
  mask_t first = {given & (~given + 1)}, all = {given};
  char list[64], sys[600];
  prism_near_text(first, list, sizeof list);
  put("live/bus/pci/devices/0000:01:00.0/local_cpulist", list);
  prism_near_text(all, list, sizeof list);
  put("live/bus/pci/devices/0000:02:00.0/local_cpulist", list);
  put("live/bus/pci/devices/0000:03:00.0/local_cpulist", "4000-4001");
  snprintf(sys, sizeof sys, "%s", temp_path("live"));
  memset(others, 0, sizeof others);
  others[0].node = 1; /* somewhere else */
  others[2].node = 2;

  prism_near_setup_t setup = {.sys = sys};
  assert_int_equal(prism_near_settle(&comm, &setup, &cores), PRISM_OK); /* no GPU */
  assert_true(own_affinity() == given);
  assert_int_equal(cores.threads, __builtin_popcountll(given));
  assert_string_equal(cores.processors, list);
  setup.pci = "0000:03:00.0"; /* what the launcher gave is far away: never outside of it */
  assert_int_equal(prism_near_settle(&comm, &setup, &cores), PRISM_OK);
  assert_true(own_affinity() == given);
  setup.pci = "0000:01:00.0";
  setup.threads = 2; /* more than are near */
  assert_int_equal(prism_near_settle(&comm, &setup, &cores), PRISM_OK);
  assert_true(own_affinity() == given);
  setup.threads = 0;
  assert_int_equal(prism_near_settle(&comm, &setup, &cores), PRISM_OK);
  assert_true(own_affinity() == first[0]);
  assert_int_equal(cores.threads, 1);
  assert_non_null(strstr(cores.reason, "beside the GPU"));

  /* Another rank of this node was given the same: half for each. */
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu = 0; cpu < 64; ++cpu)
    if ((given >> cpu & 1) != 0) CPU_SET((size_t)cpu, &set);
  assert_int_equal(sched_setaffinity(0, sizeof set, &set), 0);
  prism_cores_describe(&others[0]);
  others[0].near = 1;
  setup.pci = "0000:02:00.0";
  assert_int_equal(prism_near_settle(&comm, &setup, &cores), PRISM_OK);
  mask_t expected = {given};
  prism_near_part(sys, expected, 1, 2);
  assert_true(own_affinity() == expected[0]);
  assert_int_equal(cores.node_ranks, 2);
  assert_int_equal(sched_setaffinity(0, sizeof set, &set), 0);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists),
      cmocka_unit_test(devices),
      cmocka_unit_test(parts),
      cmocka_unit_test(settles),
  };
  return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
