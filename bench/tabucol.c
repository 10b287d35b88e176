/* Speed of the local searches on one core, and the memory of one individual.
 *
 * tabucol GRAPH K SECONDS [--isa auto|avx512|avx2|portable] [--seed N]
 *         [--method tabucol|weighted|partialcol]
 * prints: graph k isa N it/s B bytes
 *
 * The search runs on the input graph, not on a reduced one, from random starts; a
 * solved start is followed by a fresh one. The first tenth of the time is not
 * counted, nor is the making of starts. The bytes are those of one individual at
 * the start of a real run: DSATUR, brought down to K colors. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/dimacs.h"
#include "search/bounds.h"
#include "search/local.h"
#include "search/seeds.h"

enum { SLICE = 1000 };
static const size_t dense_bytes = (size_t)1 << 29; /* as the CPU engine has it */
static const double tenure_base = 10.0, tenure_slope = 0.6, warm_up = 0.1, least_share = 0.95;

typedef struct arguments {
  const char *path;
  int32_t k;
  double seconds;
  int32_t isa; /* as for prism_isa_select */
  prism_method_t method;
  uint64_t seed;
} arguments_t;

typedef struct measurement {
  int64_t iterations;
  double seconds;
  double share; /* of the core that this process got; 1: it was alone */
  size_t bytes;
} measurement_t;

static bool parse_choice(const char *text, const char *const *names, int32_t count, int32_t *out) {
  for (int32_t i = 0; i < count; ++i)
    if (strcmp(text, names[i]) == 0) {
      *out = i;
      return true;
    }
  return false;
}

static bool parse_number(const char *text, double min, double max, double *out) {
  char *end = NULL;
  errno = 0;
  *out = strtod(text, &end);
  return end != text && *end == '\0' && errno == 0 && *out >= min && *out <= max;
}

static bool parse_option(const char *name, const char *value, arguments_t *out) {
  static const char *const isas[] = {"auto", "avx512", "avx2", "portable"};
  static const char *const methods[] = {"tabucol", "partialcol", "weighted"};
  static const prism_method_t method_of[] = {PRISM_METHOD_TABUCOL, PRISM_METHOD_PARTIALCOL,
                                             PRISM_METHOD_WEIGHTED};
  int32_t choice = 0;
  double number = 0.0;
  if (strcmp(name, "--isa") == 0) return parse_choice(value, isas, 4, &out->isa);
  if (strcmp(name, "--method") == 0) {
    if (!parse_choice(value, methods, 3, &choice)) return false;
    out->method = method_of[choice];
    return true;
  }
  if (strcmp(name, "--seed") != 0 || !parse_number(value, 0.0, 1e15, &number)) return false;
  out->seed = (uint64_t)number;
  return true;
}

static bool parse_arguments(int argc, char **argv, arguments_t *out) {
  double k = 0.0;
  *out = (arguments_t){.method = PRISM_METHOD_TABUCOL, .seed = 1};
  if (argc < 4 || argc % 2 != 0) return false;
  out->path = argv[1];
  if (!parse_number(argv[2], 1.0, 65535.0, &k)) return false;
  out->k = (int32_t)k;
  if (!parse_number(argv[3], 0.01, 3600.0, &out->seconds)) return false;
  for (int i = 4; i < argc; i += 2)
    if (!parse_option(argv[i], argv[i + 1], out)) return false;
  return true;
}

/* "dir/DSJC125.5.col.gz" -> "DSJC125.5" */
static void graph_name(const char *path, char *out, size_t size) {
  const char *slash = strrchr(path, '/');
  snprintf(out, size, "%s", slash != NULL ? slash + 1 : path);
  static const char *const endings[] = {".gz", ".col"};
  for (int i = 0; i < 2; ++i) {
    size_t length = strlen(out), tail = strlen(endings[i]);
    if (length > tail && strcmp(out + length - tail, endings[i]) == 0) out[length - tail] = '\0';
  }
}

/* Bytes that one started search adds to the program. */
static prism_status_t weigh(const arguments_t *args, const prism_problem_t *problem,
                            const prism_isa_t *isa, int32_t *color, size_t *bytes) {
  int32_t colors = 0;
  prism_rng_t rng = prism_rng_stream(args->seed, 0, 1, PRISM_RNG_INITIAL);
  PRISM_TRY(prism_greedy_color(problem->graph, PRISM_GREEDY_DSATUR, args->seed, NULL, color,
                               &colors));
  PRISM_TRY(prism_seed_dissolve(problem->graph, colors, args->k, &rng, color));
  prism_local_t local;
  prism_local_init(&local, problem, isa, NULL, args->method, args->k, tenure_base, tenure_slope);
  size_t before = prism_mem_live_bytes();
  prism_status_t status = prism_local_start(&local, color);
  *bytes = prism_mem_live_bytes() - before;
  prism_local_release(&local);
  return status;
}

static double core_seconds(void) {
  struct timespec now = {0};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static prism_status_t race(const arguments_t *args, prism_local_t *local, int32_t *color,
                           measurement_t *out) {
  const prism_graph_t *graph = local->problem->graph;
  const prism_tabu_params_t tabu = {tenure_base, tenure_slope,
                                    args->method == PRISM_METHOD_PARTIALCOL, args->seed, 0};
  prism_rng_t rng = prism_rng_stream(args->seed, 0, 0, PRISM_RNG_INITIAL);
  bool solved = true;
  int64_t used = 0;
  double start = prism_clock_now(), start_core = core_seconds(), now = start;
  while (now - start < args->seconds) {
    if (solved) {
      PRISM_TRY(prism_seed_random(graph, args->k, &rng, color));
      PRISM_TRY(prism_local_start(local, color));
    }
    double before = prism_clock_now();
    PRISM_TRY(prism_local_run(local, &tabu, SLICE, NULL, &used, &solved));
    now = prism_clock_now();
    if (before - start < warm_up * args->seconds) continue;
    out->iterations += used;
    out->seconds += now - before;
  }
  out->share = (core_seconds() - start_core) / (prism_clock_now() - start);
  return PRISM_OK;
}

static prism_status_t measure(const arguments_t *args, const prism_isa_t *isa,
                              measurement_t *out) {
  prism_graph_t *graph = NULL;
  prism_problem_t *problem = NULL;
  int32_t *color = NULL;
  prism_local_t local = {0};
  prism_status_t status;
  PRISM_TRY(prism_dimacs_read(args->path, NULL, &graph));
  PRISM_TRY_GOTO(status, prism_problem_create(graph, dense_bytes, &problem), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(graph->n, &color), done);
  PRISM_TRY_GOTO(status, weigh(args, problem, isa, color, &out->bytes), done);
  prism_local_init(&local, problem, isa, NULL, args->method, args->k, tenure_base, tenure_slope);
  PRISM_TRY_GOTO(status, race(args, &local, color, out), done);
done:
  prism_local_release(&local);
  prism_free(color);
  prism_problem_destroy(&problem);
  prism_graph_destroy(&graph);
  return status;
}

int main(int argc, char **argv) {
  arguments_t args;
  if (!parse_arguments(argc, argv, &args)) {
    fprintf(stderr,
            "usage: %s GRAPH K SECONDS [--isa auto|avx512|avx2|portable]\n"
            "       [--method tabucol|partialcol|weighted] [--seed N]\n",
            argv[0]);
    return 2;
  }
  const prism_isa_t *isa = prism_isa_select(args.isa);
  if (isa == NULL) {
    fprintf(stderr, "%s: this processor does not have that instruction set\n", argv[0]);
    return 77; /* skipped */
  }
  measurement_t result = {0};
  if (measure(&args, isa, &result) != PRISM_OK) {
    fprintf(stderr, "%s\n", prism_error_text());
    return 3;
  }
  char name[256];
  graph_name(args.path, name, sizeof name);
  if (result.share < least_share)
    fprintf(stderr, "%s: the core was shared, only %.0f %% of the time was left\n", argv[0],
            100.0 * result.share);
  double speed = result.seconds > 0.0 ? (double)result.iterations / result.seconds : 0.0;
  printf("%s %d %s %.0f it/s %zu bytes\n", name, args.k, isa->name, speed, result.bytes);
  return prism_mem_live_blocks() == 0 ? 0 : 4;
}
