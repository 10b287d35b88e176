/* What carries the pools of all ranks, decided from what each of them has; the map of ranks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/exchange.h"
#include "app/map.h"
#include "base/mem.h"

enum { MOST = 8 };
static prism_exchange_rank_t rank[MOST];
static char why[512];

static void set(int r, int32_t sharers, bool nccl, const char *text) {
  memset(&rank[r], 0, sizeof rank[r]);
  rank[r].sharers = sharers;
  rank[r].pool = sharers > 0;
  rank[r].nccl = nccl;
  snprintf(rank[r].host, sizeof rank[r].host, "node%d", r / 2);
  snprintf(rank[r].text, sizeof rank[r].text, "%s", text);
}

static prism_exchange_way_t way(int32_t ranks, prism_comm_choice_t choice) {
  prism_exchange_way_t found = PRISM_EXCHANGE_NONE;
  assert_int_equal(prism_exchange_decide(rank, ranks, choice, &found, why, sizeof why), PRISM_OK);
  return found;
}

static void refused(int32_t ranks, const char *word) {
  prism_exchange_way_t found = PRISM_EXCHANGE_NONE;
  prism_error_clear();
  assert_int_equal(
      prism_exchange_decide(rank, ranks, PRISM_COMM_NCCL, &found, why, sizeof why), PRISM_DEVICE);
  assert_non_null(strstr(prism_error_text(), "--comm nccl: "));
  assert_non_null(strstr(prism_error_text(), word));
}

static void a_gpu_for_everyone(void **state) {
  (void)state;
  for (int r = 0; r < 4; ++r) set(r, 1, true, "2.28.9");
  assert_int_equal(way(4, PRISM_COMM_AUTO), PRISM_EXCHANGE_NCCL);
  assert_string_equal(why, "");
  assert_int_equal(way(4, PRISM_COMM_NCCL), PRISM_EXCHANGE_NCCL);
  assert_int_equal(way(4, PRISM_COMM_MPI), PRISM_EXCHANGE_MPI);
  assert_string_equal(why, ""); /* as asked for */
  assert_int_equal(way(1, PRISM_COMM_AUTO), PRISM_EXCHANGE_NONE);
  assert_int_equal(way(1, PRISM_COMM_NCCL), PRISM_EXCHANGE_NONE);
  assert_int_equal(way(1, PRISM_COMM_SELF), PRISM_EXCHANGE_NONE);
}

static void no_nccl(void **state) {
  (void)state;
  for (int r = 0; r < 4; ++r) set(r, 1, true, "2.28.9");
  set(2, 1, false, "NCCL cannot be loaded");
  assert_int_equal(way(4, PRISM_COMM_AUTO), PRISM_EXCHANGE_MPI);
  assert_string_equal(why, "rank 2 on node1: NCCL cannot be loaded");
  refused(4, "rank 2 on node1: NCCL cannot be loaded");
  set(2, 1, true, "2.21.5"); /* versions do not talk to each other */
  assert_int_equal(way(4, PRISM_COMM_AUTO), PRISM_EXCHANGE_MPI);
  refused(4, "has 2.21.5");
}

static void shared_gpus(void **state) {
  (void)state;
  for (int r = 0; r < 3; ++r) set(r, r == 0 ? 1 : 2, true, "2.28.9");
  assert_int_equal(way(3, PRISM_COMM_AUTO), PRISM_EXCHANGE_MPI);
  assert_string_equal(why, "rank 1 on node0 shares its GPU");
  refused(3, "rank 1 on node0 shares its GPU");
}

static void ranks_without_gpus(void **state) {
  (void)state;
  for (int r = 0; r < 4; ++r) set(r, r < 3, true, "2.28.9");
  assert_int_equal(way(4, PRISM_COMM_AUTO), PRISM_EXCHANGE_NONE);
  assert_int_equal(way(4, PRISM_COMM_MPI), PRISM_EXCHANGE_NONE);
  assert_string_equal(why, "");
  refused(4, "rank 3 on node1 has no GPU");
  refused(4, "no GPU");
  set(0, 0, false, "");
  refused(1, "rank 0 on node0 has no GPU");
  for (int r = 0; r < 2; ++r) set(r, 1, true, "2.28.9");
  rank[1].pool = 0; /* its GPU has no pool */
  assert_int_equal(way(2, PRISM_COMM_AUTO), PRISM_EXCHANGE_NONE);
}

/* A whole opening where there is no GPU and one process. */
static void opens_alone(void **state) {
  (void)state;
  prism_comm_t comm = {0};
  prism_params_t params;
  static prism_devices_t devices;
  prism_exchange_t exchange;
  assert_int_equal(prism_comm_self_create(&comm), PRISM_OK);
  prism_params_default(&params);
  assert_int_equal(prism_exchange_open(&comm, &devices, &params, &exchange), PRISM_OK);
  assert_null(exchange.bulk.ops);
  assert_string_equal(exchange.text, "");
  prism_exchange_close(&exchange);
  prism_exchange_close(&exchange);
  params.run.comm = PRISM_COMM_NCCL;
  assert_int_equal(prism_exchange_open(&comm, &devices, &params, &exchange), PRISM_DEVICE);
  prism_exchange_close(&exchange);
  prism_comm_destroy(&comm);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

/* ---- the map ---- */

static prism_rank_row_t row[MOST];

static void place(int r, const char *host, const char *device, int32_t threads, int32_t gpu,
                  const char *uuid) {
  memset(&row[r], 0, sizeof row[r]);
  row[r].rank = r;
  row[r].threads = threads;
  row[r].gpu = gpu;
  snprintf(row[r].host, sizeof row[r].host, "%s", host);
  snprintf(row[r].device, sizeof row[r].device, "%s", device);
  snprintf(row[r].uuid, sizeof row[r].uuid, "%s", uuid);
}

static void shows(int32_t ranks, const char *expected) {
  prism_text_t text = {0};
  assert_int_equal(prism_map_format(row, ranks, &text), PRISM_OK);
  assert_string_equal(text.data, expected);
  prism_text_free(&text);
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void maps(void **state) {
  (void)state;
  static const char *const uuid[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
  for (int r = 0; r < 8; ++r) place(r, "node1", "H100", 12, 7 - r, uuid[r]);
  shows(8, "ranks 0-7 on node1: 8 x H100, GPU 0-7, 12 threads each\n");
  for (int r = 0; r < 8; ++r) place(r, "node1", "H100", 12, 0, uuid[r]);
  shows(8, "ranks 0-7 on node1: 8 x H100, one each, 12 threads each\n");
  shows(1, "rank 0 on node1: H100, GPU 0, 12 threads\n");
  for (int r = 0; r < 4; ++r) place(r, "node1", "H100", 3, r % 2, uuid[r % 2]);
  shows(4, "ranks 0-3 on node1: 2 x H100, GPU 0-1 shared, 3 threads each\n");
  for (int r = 0; r < 4; ++r) place(r, "node1", "H100", 3, 0, "a");
  shows(4, "ranks 0-3 on node1: H100, GPU 0 shared, 3 threads each\n");
  for (int r = 0; r < 6; ++r) /* dealt out in turns; one rank with fewer threads */
    place(r, r % 2 == 0 ? "x" : "y", "cpu (avx2)", r == 5 ? 1 : 4, -1, "");
  shows(6,
        "ranks 0,2,4 on x: cpu (avx2), 4 threads each\n"
        "ranks 1,3 on y: cpu (avx2), 4 threads each\n"
        "rank 5 on y: cpu (avx2), 1 thread\n");
  for (int r = 0; r < 6; ++r) /* GPUs 0, 1 and 3 */
    place(r, "x", r < 3 ? "H100" : "cpu (avx2)", 4, r < 3 ? r + r / 2 : -1, r < 3 ? uuid[r] : "");
  shows(6,
        "ranks 0-2 on x: 3 x H100, GPU 0-1,3, 4 threads each\n"
        "ranks 3-5 on x: cpu (avx2), 4 threads each\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_gpu_for_everyone), cmocka_unit_test(no_nccl),
      cmocka_unit_test(shared_gpus),        cmocka_unit_test(ranks_without_gpus),
      cmocka_unit_test(opens_alone),        cmocka_unit_test(maps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
