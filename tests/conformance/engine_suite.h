/* The engine conformance suite: what seam/engine.h promises, checked through that
 * header alone. Every engine passes it; programs differ in the backend they give. */
#ifndef PRISM_TESTS_ENGINE_SUITE_H
#define PRISM_TESTS_ENGINE_SUITE_H

#include <stdbool.h>

#include "seam/engine.h"

typedef struct engine_suite {
  prism_engine_backend_t backend;
  const char *name;    /* for messages */
  bool exact_budgets;  /* iterations and generations end on the dot */
  bool brief;          /* small populations, short generations everywhere: for slow tools */
  void (*abandon)(void); /* after a failed check; does not return */
  uint32_t methods;    /* of its islands; filled in by engine_suite_run */
} engine_suite_t;

/* All checks; the first that fails is printed to stderr and abandons. */
void engine_suite_run(const engine_suite_t *suite);

/* Parts of it, called by engine_suite_run: what is found; hooks and counters; saved states. */
void engine_suite_search(const engine_suite_t *suite);
void engine_suite_hooks(const engine_suite_t *suite);
void engine_suite_state(const engine_suite_t *suite);

/* ---- shared by the suite's files ---- */

void engine_suite_fail(const engine_suite_t *suite, const char *file, int line, const char *what);
#define SUITE_CHECK(suite, condition) \
  ((condition) ? (void)0 : engine_suite_fail((suite), __FILE__, __LINE__, #condition))

/* One case; its name and time are printed. */
void engine_suite_case(const engine_suite_t *suite, const char *name,
                       void (*check)(const engine_suite_t *));
#define SUITE_CASE(suite, check) engine_suite_case((suite), #check, check)

enum { SUITE_GRAPHS = 3 };

static inline bool engine_suite_has(const engine_suite_t *suite, int method) {
  return (suite->methods & PRISM_METHOD_BIT(method)) != 0;
}
/* for (m in the methods of the engine) */
#define SUITE_METHODS(suite, m)                    \
  for (int m = 0; m < PRISM_METHOD_COUNT; ++m)     \
    if (!engine_suite_has((suite), m)) continue;   \
    else
/* for (m in those that search any graph; extraction has unit.test_extraction) */
#define SUITE_SEARCHES(suite, m)                \
  SUITE_METHODS(suite, m)                       \
    if (m == PRISM_METHOD_EXTRACTION) continue; \
    else
static inline bool engine_suite_is_population(prism_method_t method) {
  return method == PRISM_METHOD_HEAD || method == PRISM_METHOD_POOL;
}
/* Seconds after which a wait counts as a hang. */
#define ENGINE_SUITE_HANG_GUARD 120.0
/* What a brief suite makes of a number of moves: a twentieth. */
static inline int64_t engine_suite_moves(const engine_suite_t *suite, int64_t moves) {
  return suite->brief ? (moves + 19) / 20 : moves;
}
/* Number `index` of its methods, around the end. */
prism_method_t engine_suite_method(const engine_suite_t *suite, int32_t index);

prism_graph_t *engine_suite_random(const engine_suite_t *suite, int32_t n, double p,
                                   uint64_t seed);
prism_graph_t *engine_suite_planted(const engine_suite_t *suite, int32_t n, int32_t k, double p,
                                    uint64_t seed);
/* `count` complete graphs of 4 vertices side by side. */
prism_graph_t *engine_suite_cliques(const engine_suite_t *suite, int32_t count);

prism_engine_t engine_suite_open(const engine_suite_t *suite, const prism_graph_t *graph,
                                 uint64_t seed, int32_t islands, int32_t first_island);
/* Work in short generations: with many individuals those of their own choice take long. */
prism_work_t engine_suite_work(const engine_suite_t *suite, prism_method_t method, int32_t k,
                               int64_t iterations);
/* The same, in generations as long as the engine likes (unless the suite is brief). */
prism_work_t engine_suite_long_work(const engine_suite_t *suite, prism_method_t method, int32_t k,
                                    int64_t iterations);
int64_t engine_suite_submit(const engine_suite_t *suite, prism_engine_t *engine, int32_t island,
                            const prism_work_t *work);
prism_summary_t engine_suite_finish(const engine_suite_t *suite, prism_engine_t *engine,
                                    int64_t ticket);
/* Submit and wait to the end. */
prism_summary_t engine_suite_do(const engine_suite_t *suite, prism_engine_t *engine,
                                int32_t island, const prism_work_t *work);
/* Did two pieces of work do the same? Times do not count. */
bool engine_suite_same(const prism_summary_t *a, const prism_summary_t *b);
/* The best coloring, checked: complete, in range, f true by recount. Returns f. */
int64_t engine_suite_export(const engine_suite_t *suite, prism_engine_t *engine, int32_t island,
                            const prism_graph_t *graph, int32_t which, int32_t *color, int32_t *k);

#endif
