/* Shares of cores among ranks, CPU quotas of both cgroup versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "app/cores.h"
#include "base/file.h"
#include "base/mem.h"
#include "temp_file.h"

static prism_cores_record_t records[4];

static void set(int rank, uint64_t node, uint64_t mask, uint64_t group, double quota) {
  memset(&records[rank], 0, sizeof records[rank]);
  records[rank].node = node;
  records[rank].group = group;
  records[rank].quota = quota;
  records[rank].mask[0] = mask;
}

static int32_t share(int32_t count, int32_t self) {
  prism_cores_t out;
  prism_cores_share(records, count, self, &out);
  assert_true(out.reason[0] != '\0');
  return out.threads;
}

static void masks(void **state) {
  (void)state;
  set(0, 1, 0xff, 0, 0);
  assert_int_equal(share(1, 0), 8);
  set(1, 1, 0xff, 0, 0); /* two unbound ranks */
  assert_int_equal(share(2, 0), 4);
  set(1, 2, 0xff, 0, 0); /* on another node */
  assert_int_equal(share(2, 0), 8);
  set(0, 1, 0x0f, 0, 0); /* bound to disjoint cores */
  set(1, 1, 0xf0, 0, 0);
  assert_int_equal(share(2, 0), 4);
  assert_int_equal(share(2, 1), 4);
  for (int i = 0; i < 4; ++i) set(i, 1, 0x3, 0, 0); /* more ranks than cores */
  assert_int_equal(share(4, 3), 1);
  set(0, 1, 0, 0, 0); /* an unreadable mask */
  assert_int_equal(share(1, 0), 1);
}

static void quotas(void **state) {
  (void)state;
  set(0, 1, 0xff, 5, 3.5);
  assert_int_equal(share(1, 0), 3);
  set(0, 1, 0xff, 5, 0.5);
  assert_int_equal(share(1, 0), 1);
  set(0, 1, 0x0f, 5, 4); /* disjoint masks under one quota */
  set(1, 1, 0xf0, 5, 4);
  assert_int_equal(share(2, 0), 2);
  set(1, 1, 0xf0, 6, 4); /* and under a quota each */
  assert_int_equal(share(2, 0), 4);
  set(0, 1, 0x3, 5, 16); /* a quota that does not bind */
  assert_int_equal(share(1, 0), 2);
}

static void put(const char *path, const char *text) {
  const char *whole = temp_path(path);
  char folder[600];
  snprintf(folder, sizeof folder, "%s", whole);
  *strrchr(folder, '/') = '\0';
  assert_int_equal(prism_file_make_folders(folder), PRISM_OK);
  temp_write_text(path, text);
}

static void near(double a, double b) { assert_true(a - b < 1e-9 && b - a < 1e-9); }

static void cgroup_v2(void **state) {
  (void)state;
  uint64_t group, other;
  put("two/sys/cpu.max", "max 100000\n");
  put("two/sys/job/cpu.max", "150000 100000\n");
  put("two/sys/job/task/cpu.max", "max 100000\n");
  const char *proc = temp_write_text("proc2", "0::/job/task\n");
  near(prism_cores_quota(proc, temp_path("two/sys"), &group), 1.5);
  /* a sibling under the same job meets the same limit */
  proc = temp_write_text("proc2b", "0::/job/other\n");
  near(prism_cores_quota(proc, temp_path("two/sys"), &other), 1.5);
  assert_true(group == other);
  put("two/sys/job/task/cpu.max", "50000 100000\n");
  proc = temp_write_text("proc2", "0::/job/task\n");
  near(prism_cores_quota(proc, temp_path("two/sys"), &other), 0.5);
  assert_true(group != other);
  proc = temp_write_text("proc2", "0::/\n");
  near(prism_cores_quota(proc, temp_path("two/sys"), &group), 0);
}

static void cgroup_v1(void **state) {
  (void)state;
  uint64_t group;
  char proc[600]; /* the paths of temp_file.h do not stay for long */
  snprintf(proc, sizeof proc, "%s",
           temp_write_text("proc1", "5:cpuset:/a\n4:cpu,cpuacct:/docker/x\n1:name=systemd:/b\n"));
  put("one/sys/cpu,cpuacct/cpu.cfs_quota_us", "200000\n");
  put("one/sys/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  near(prism_cores_quota(proc, temp_path("one/sys"), &group), 2);
  put("one/sys/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  near(prism_cores_quota(proc, temp_path("one/sys"), &group), 0);
  put("one/sys/cpu,cpuacct/docker/x/cpu.cfs_quota_us", "30000\n");
  put("one/sys/cpu,cpuacct/docker/x/cpu.cfs_period_us", "10000\n");
  near(prism_cores_quota(proc, temp_path("one/sys"), &group), 3);
  put("one/sys/cpu,cpuacct/docker/x/cpu.cfs_quota_us", "nonsense\n");
  near(prism_cores_quota(proc, temp_path("one/sys"), &group), 0);
  near(prism_cores_quota(temp_path("missing"), temp_path("one/sys"), &group), 0);
}

static void this_machine(void **state) {
  (void)state;
  prism_comm_t comm;
  prism_cores_t out;
  assert_int_equal(prism_comm_self_create(&comm), PRISM_OK);
  assert_int_equal(prism_cores_default(&comm, &out), PRISM_OK);
  assert_true(out.threads >= 1);
  prism_comm_destroy(&comm);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(masks),     cmocka_unit_test(quotas),       cmocka_unit_test(cgroup_v2),
      cmocka_unit_test(cgroup_v1), cmocka_unit_test(this_machine),
  };
  return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
