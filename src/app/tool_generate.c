/* prism generate: graphs of known families, the same for the same seed. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/hint.h"
#include "app/tool.h"
#include "base/file.h"
#include "model/dimacs.h"
#include "model/generate.h"

/* Values of the options; what a family does not use must not be given. */
typedef struct values {
  int64_t n, k, level, rows, columns, nx, ny, nz;
  double p, radius;
  uint64_t seed;
  bool complement, force;
  const char *output;
} values_t;

typedef enum option {
  OPTION_N, OPTION_K, OPTION_P, OPTION_RADIUS, OPTION_COMPLEMENT, OPTION_LEVEL, OPTION_ROWS,
  OPTION_COLUMNS, OPTION_NX, OPTION_NY, OPTION_NZ, OPTION_SEED, OPTION_OUTPUT, OPTION_FORCE,
  OPTION_COUNT
} option_t;

static const char *const option_names[OPTION_COUNT] = {
    "--n", "--k", "--p", "--radius", "--complement", "--level", "--rows",
    "--columns", "--nx", "--ny", "--nz", "--seed", "-o", "--force"};

#define BIT(name) (1u << OPTION_##name)

static prism_status_t make_gnp(const values_t *v, prism_generated_t *out) {
  return prism_generate_gnp((int32_t)v->n, v->p, v->seed, out);
}
static prism_status_t make_planted(const values_t *v, prism_generated_t *out) {
  return prism_generate_planted((int32_t)v->n, (int32_t)v->k, v->p, 0, v->seed, out);
}
static prism_status_t make_flat(const values_t *v, prism_generated_t *out) {
  return prism_generate_planted((int32_t)v->n, (int32_t)v->k, v->p, 1, v->seed, out);
}
static prism_status_t make_geometric(const values_t *v, prism_generated_t *out) {
  return prism_generate_geometric((int32_t)v->n, v->radius, v->complement, v->seed, out);
}
static prism_status_t make_mycielski(const values_t *v, prism_generated_t *out) {
  return prism_generate_mycielski((int32_t)v->level, out);
}
static prism_status_t make_queen(const values_t *v, prism_generated_t *out) {
  return prism_generate_queen((int32_t)v->rows, (int32_t)v->columns, out);
}
static prism_status_t make_rook(const values_t *v, prism_generated_t *out) {
  return prism_generate_rook((int32_t)v->rows, (int32_t)v->columns, out);
}
static prism_status_t make_mesh27(const values_t *v, prism_generated_t *out) {
  return prism_generate_mesh27((int32_t)v->nx, (int32_t)v->ny, (int32_t)v->nz, out);
}

typedef struct family {
  const char *name;
  unsigned needed, allowed; /* bits of option_t */
  prism_status_t (*make)(const values_t *values, prism_generated_t *out);
  const char *help;
} family_t;

static const family_t families[] = {
    {"gnp", BIT(N) | BIT(P), BIT(SEED), make_gnp,
     "--n N --p P                 every pair is an edge with probability P"},
    {"planted", BIT(N) | BIT(K) | BIT(P), BIT(SEED), make_planted,
     "--n N --k K --p P           hides a coloring with K classes"},
    {"flat", BIT(N) | BIT(K) | BIT(P), BIT(SEED), make_flat,
     "--n N --k K --p P           the same with nearly equal degrees"},
    {"geometric", BIT(N) | BIT(RADIUS), BIT(SEED) | BIT(COMPLEMENT), make_geometric,
     "--n N --radius R            points in the unit square closer than R [--complement]"},
    {"mycielski", BIT(LEVEL), 0, make_mycielski,
     "--level L                   no triangle, and L colors are needed"},
    {"queen", BIT(ROWS), BIT(COLUMNS), make_queen,
     "--rows R [--columns C]      queens' moves on a board"},
    {"rook", BIT(ROWS), BIT(COLUMNS), make_rook,
     "--rows R [--columns C]      rooks' moves on a board"},
    {"mesh27", BIT(NX), BIT(NY) | BIT(NZ), make_mesh27,
     "--nx X [--ny Y] [--nz Z]    27-point stencil on a grid"},
};
enum { FAMILIES = sizeof families / sizeof families[0] };

static int print_help(void) {
  fputs("Usage: prism generate FAMILY OPTIONS [--seed N] [-o FILE [--force]]\n\n", stdout);
  for (int i = 0; i < FAMILIES; ++i) printf("  %-10s %s\n", families[i].name, families[i].help);
  return prism_tool_help(
      "\nWrites a DIMACS .col file to FILE or standard output. The same options and seed\n"
      "(default 1) give the same graph everywhere. Missing sides are equal to the first.\n");
}

static prism_status_t parse_whole(const char *name, const char *text, int64_t *out) {
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != '\0') {
    PRISM_FAIL(PRISM_INVALID, "generate: %s: \"%.80s\" is not a whole number", name, text);
  }
  if (errno == ERANGE || value < 1 || value > INT32_MAX - 1) {
    PRISM_FAIL(PRISM_INVALID, "generate: %s: %.80s is out of range (allowed: 1 to %d)", name, text,
               INT32_MAX - 1);
  }
  *out = value;
  return PRISM_OK;
}

static prism_status_t parse_seed(const char *text, uint64_t *out) {
  char *end;
  errno = 0;
  *out = strtoull(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno == ERANGE) {
    PRISM_FAIL(PRISM_INVALID, "generate: --seed: \"%.80s\" is not a whole number of 64 bits",
               text);
  }
  return PRISM_OK;
}

static prism_status_t parse_real(const char *name, const char *text, double max, double *out) {
  char *end;
  double value = strtod(text, &end);
  if (text[strspn(text, ".0123456789eE+-")] != '\0' || end == text || *end != '\0') {
    PRISM_FAIL(PRISM_INVALID, "generate: %s: \"%.80s\" is not a number", name, text);
  }
  if (!(value >= 0 && value <= max)) {
    PRISM_FAIL(PRISM_INVALID, "generate: %s: %.80s is out of range (allowed: 0 to %g)", name, text,
               max);
  }
  *out = value;
  return PRISM_OK;
}

static prism_status_t store_value(option_t option, const char *text, values_t *v) {
  const char *name = option_names[option];
  switch (option) {
    case OPTION_N: return parse_whole(name, text, &v->n);
    case OPTION_K: return parse_whole(name, text, &v->k);
    case OPTION_LEVEL: return parse_whole(name, text, &v->level);
    case OPTION_ROWS: return parse_whole(name, text, &v->rows);
    case OPTION_COLUMNS: return parse_whole(name, text, &v->columns);
    case OPTION_NX: return parse_whole(name, text, &v->nx);
    case OPTION_NY: return parse_whole(name, text, &v->ny);
    case OPTION_NZ: return parse_whole(name, text, &v->nz);
    case OPTION_P: return parse_real(name, text, 1.0, &v->p);
    case OPTION_RADIUS: return parse_real(name, text, 2.0, &v->radius);
    case OPTION_SEED: return parse_seed(text, &v->seed);
    case OPTION_OUTPUT: v->output = text; return PRISM_OK;
    case OPTION_COMPLEMENT:
    case OPTION_FORCE:
    case OPTION_COUNT: break;
  }
  PRISM_FAIL(PRISM_INTERNAL, "option %s takes no value", name);
}

static prism_status_t find_option(const char *name, option_t *out) {
  prism_hint_t hint = {0};
  for (int i = 0; i < OPTION_COUNT; ++i) {
    *out = (option_t)i;
    if (strcmp(option_names[i], name) == 0) return PRISM_OK;
    prism_hint_try(&hint, name, option_names[i]);
  }
  char advice[160] = "";
  prism_hint_append(&hint, advice, sizeof advice);
  PRISM_FAIL(PRISM_INVALID, "generate: unknown option %s%s", name,
             advice[0] == '\0' ? "; see prism generate --help" : advice);
}

static prism_status_t parse(const family_t *family, int argc, char *const *argv, values_t *v) {
  unsigned given = 0, allowed = family->needed | family->allowed | BIT(OUTPUT) | BIT(FORCE);
  for (int at = 2; at < argc; ++at) {
    char name[32];
    const char *equals = strncmp(argv[at], "--", 2) == 0 ? strchr(argv[at], '=') : NULL;
    snprintf(name, sizeof name, "%.*s",
             equals == NULL ? (int)sizeof name : (int)(equals - argv[at]), argv[at]);
    option_t option;
    PRISM_TRY(find_option(name, &option));
    if ((allowed & (1u << option)) == 0) {
      PRISM_FAIL(PRISM_INVALID, "generate: %s has no option %s", family->name, name);
    }
    given |= 1u << option;
    bool flag = option == OPTION_COMPLEMENT || option == OPTION_FORCE;
    if (flag && equals != NULL) PRISM_FAIL(PRISM_INVALID, "generate: %s takes no value", name);
    v->complement |= option == OPTION_COMPLEMENT;
    v->force |= option == OPTION_FORCE;
    if (flag) continue;
    if (equals == NULL && at + 1 >= argc) {
      PRISM_FAIL(PRISM_INVALID, "generate: %s needs a value", name);
    }
    PRISM_TRY(store_value(option, equals != NULL ? equals + 1 : argv[++at], v));
  }
  for (int i = 0; i < OPTION_COUNT; ++i) {
    if ((family->needed & ~given & (1u << i)) != 0) {
      PRISM_FAIL(PRISM_INVALID, "generate: %s needs %s", family->name, option_names[i]);
    }
  }
  if (v->columns == 0) v->columns = v->rows;
  if (v->ny == 0) v->ny = v->nx;
  if (v->nz == 0) v->nz = v->nx;
  return PRISM_OK;
}

static prism_status_t write_to(FILE *file, const char *name, const prism_generated_t *made) {
  prism_text_t comment = {0};
  prism_status_t status = prism_text_add(&comment, "%s", made->description);
  if (status == PRISM_OK && made->known_colors > 0) {
    status = prism_text_add(&comment, "\n%s %d",
                            made->known_is_exact ? "chromatic-number" : "planted-colors",
                            made->known_colors);
  }
  if (status == PRISM_OK) status = prism_dimacs_write(file, made->graph, comment.data);
  prism_text_free(&comment);
  PRISM_TRY(status);
  if (fflush(file) != 0) PRISM_FAIL(PRISM_STORAGE, "%s: %s", name, strerror(errno));
  return PRISM_OK;
}

static prism_status_t write_graph(const values_t *v, const prism_generated_t *made) {
  if (v->output == NULL) return write_to(stdout, "standard output", made);
  FILE *file = fopen(v->output, v->force ? "w" : "wx");
  if (file == NULL && errno == EEXIST) {
    PRISM_FAIL(PRISM_INVALID, "%s: exists already (--force overwrites it)", v->output);
  }
  if (file == NULL) PRISM_FAIL(PRISM_IO, "%s: %s", v->output, strerror(errno));
  prism_status_t status = write_to(file, v->output, made);
  if (fclose(file) != 0 && status == PRISM_OK) {
    status = prism_error_record(PRISM_STORAGE, __FILE__, __LINE__, __func__, "%s: %s", v->output,
                                strerror(errno));
  }
  if (status != PRISM_OK) unlink(v->output); /* half a graph is worse than none */
  return status;
}

static prism_status_t generate(const family_t *family, int argc, char *const *argv) {
  values_t values = {.seed = 1};
  prism_generated_t made = {0};
  PRISM_TRY(parse(family, argc, argv, &values));
  PRISM_TRY(family->make(&values, &made));
  prism_status_t status = write_graph(&values, &made);
  prism_graph_destroy(&made.graph);
  return status;
}

int prism_tool_generate(int argc, char *const *argv) {
  if (argc < 2) return prism_tool_usage("generate: no family given; see prism generate --help");
  for (int i = 1; i < argc; ++i)
    if (prism_tool_is_help(argv[i])) return print_help();
  prism_hint_t hint = {0};
  for (int i = 0; i < FAMILIES; ++i) {
    if (strcmp(families[i].name, argv[1]) == 0) {
      prism_status_t status = generate(&families[i], argc, argv);
      return status == PRISM_OK ? 0 : prism_tool_fail(status);
    }
    prism_hint_try(&hint, argv[1], families[i].name);
  }
  char advice[160] = "";
  prism_hint_append(&hint, advice, sizeof advice);
  return prism_tool_usage("generate: unknown family %s%s", argv[1],
                          advice[0] == '\0' ? "; see prism generate --help" : advice);
}
