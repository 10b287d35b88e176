/* A GPU that is made ready ahead: engines work after it, beside it and without it, and it
 * leaves nothing behind. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/engine_cuda.h"
#include "engine/warmup.h"
#include "gpu/gpu_fixture.h"
#include "gpu/pool_fixture.h"
#include "model/coloring.h"
#include "model/generate.h"
#include "runtime/mem_pool.h"

static const uint64_t seed = 20261123;

typedef struct made_ready {
  prism_params_gpu_t params;
  atomic_bool enough;
  prism_gpu_warmth_t *warmth;
  prism_status_t status;
} made_ready_t;

static made_ready_t plain(void) {
  prism_params_t params;
  prism_params_default(&params);
  return (made_ready_t){.params = params.gpu};
}

/* A planted coloring is found: the engine is sound. */
static void engine_works(const prism_params_gpu_t *params) {
  prism_generated_t made = {0};
  prism_gpu_setup_t setup = {.params = *params};
  prism_engine_t engine = {0};
  must(prism_generate_planted(120, 5, 0.5, 0, seed, &made));
  prism_engine_config_t config = {.graph = made.graph, .seed = seed, .islands = 1};
  prism_engine_backend_t backend = prism_cuda_backend(&setup);
  must(backend.create(&config, backend.context, &engine));
  prism_work_t work = {.phase = PRISM_PHASE_MEMETIC, .k = 5, .generations = 50,
                       .params = {.version = 1, .method = PRISM_METHOD_POOL, .population = 16,
                                  .tenure_base = 10.0, .tenure_slope = 0.6}};
  int64_t ticket = -1;
  prism_summary_t summary = {0};
  must(engine.ops->submit(engine.self, 0, &work, &ticket));
  for (bool done = false; !done;)
    must(engine.ops->poll(engine.self, ticket, 1.0, &done, &summary));
  assert_int_equal(summary.f_best, 0);
  prism_engine_destroy(&engine);
  prism_graph_destroy(&made.graph);
}

static void nothing_is_left(made_ready_t *ready) {
  prism_gpu_warmth_destroy(&ready->warmth);
  assert_null(ready->warmth);
  prism_gpu_warmth_destroy(&ready->warmth);
  assert_int_equal(prism_mem_live_blocks(), 0);
  assert_int_equal(prism_gpu_live_blocks(), 0);
}

static void engines_follow(void **state) {
  (void)state;
  made_ready_t ready = plain();
  must(prism_gpu_warm_up(&ready.params, &ready.enough, &ready.warmth));
  assert_non_null(ready.warmth);
  engine_works(&ready.params);
  engine_works(&ready.params); /* as with several runs */
  nothing_is_left(&ready);
  engine_works(&ready.params); /* and without */
  assert_int_equal(prism_mem_live_blocks(), 0);
}

static void the_rest_may_be_left_out(void **state) {
  (void)state;
  made_ready_t ready = plain();
  atomic_store(&ready.enough, true);
  must(prism_gpu_warm_up(&ready.params, &ready.enough, &ready.warmth));
  assert_non_null(ready.warmth);
  engine_works(&ready.params);
  nothing_is_left(&ready);
}

static void *warm_up(void *argument) {
  made_ready_t *ready = argument;
  ready->status = prism_gpu_warm_up(&ready->params, &ready->enough, &ready->warmth);
  return NULL;
}

/* In a thread of its own, ended at any moment, or beside an engine that did not wait. */
static void in_a_thread(void **state) {
  (void)state;
  for (int round = 0; round < 4; ++round) {
    made_ready_t ready = plain();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, warm_up, &ready), 0);
    if (round == 1) engine_works(&ready.params);
    if (round >= 2) atomic_store(&ready.enough, true);
    pthread_join(thread, NULL);
    assert_int_equal(ready.status, PRISM_OK);
    if (round == 3) engine_works(&ready.params);
    nothing_is_left(&ready);
  }
}

static void no_such_gpu(void **state) {
  (void)state;
  made_ready_t ready = plain();
  ready.params.device_id = 1000;
  assert_true(prism_gpu_warm_up(&ready.params, &ready.enough, &ready.warmth) != PRISM_OK);
  assert_null(ready.warmth);
  assert_non_null(strstr(prism_error_text(), "1000"));
  nothing_is_left(&ready);
}

int main(void) {
  gpu_require();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(engines_follow), cmocka_unit_test(the_rest_may_be_left_out),
      cmocka_unit_test(in_a_thread), cmocka_unit_test(no_such_gpu)};
  return gpu_run(tests);
}
