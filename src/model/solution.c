#include "model/solution.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/coloring.h"
#include "model/source.h"

/* One line per call of prism_text_add would format n times; this gathers them. */
static prism_status_t add_lines(const int32_t *color, int32_t n, prism_text_t *out) {
  enum { BUFFER = 4096, LINE = 32 };
  char buffer[BUFFER];
  int used = 0;
  for (int32_t v = 0; v < n; ++v) {
    used += snprintf(buffer + used, LINE, "l %ld %ld\n", (long)v + 1, (long)color[v] + 1);
    if (used < BUFFER - LINE && v + 1 < n) continue;
    PRISM_TRY(prism_text_add(out, "%.*s", used, buffer));
    used = 0;
  }
  return PRISM_OK;
}

static prism_status_t add_comment(const char *comment, prism_text_t *out) {
  while (*comment != '\0') {
    int length = (int)strcspn(comment, "\n");
    PRISM_TRY(prism_text_add(out, "c %.*s\n", length, comment));
    comment += length + (comment[length] == '\n');
  }
  return PRISM_OK;
}

prism_status_t prism_solution_format(const prism_graph_t *graph, const int32_t *color,
                                     const char *hash, const char *comment, prism_text_t *out) {
  char own[PRISM_SHA256_HEX];
  for (int32_t v = 0; v < graph->n; ++v)
    if (color[v] < 0)
      PRISM_FAIL(PRISM_INVALID, "vertex %ld has no color: only complete colorings are stored",
                 (long)v + 1);
  if (hash == NULL) {
    prism_graph_hash(graph, own);
    hash = own;
  }
  if (comment != NULL) PRISM_TRY(add_comment(comment, out));
  PRISM_TRY(prism_text_add(out, "c graph-hash %s\n", hash));
  PRISM_TRY(prism_text_add(out, "s col %ld\n", (long)prism_coloring_span(color, graph->n)));
  PRISM_TRY(add_lines(color, graph->n, out));
  return PRISM_OK;
}

typedef struct reader {
  prism_source_t *source;
  int32_t n;
  int32_t colored;
  prism_solution_t solution;
} reader_t;

/* "c graph-hash HEX"; other comments are skipped. */
static prism_status_t read_comment(reader_t *reader, prism_line_t line) {
  enum { DIGITS = PRISM_SHA256_HEX - 1 };
  prism_solution_t *solution = &reader->solution;
  prism_line_t word;
  if (!prism_line_token(&line, &word) || !prism_token_is(&word, "graph-hash")) return PRISM_OK;
  if (solution->has_hash)
    PRISM_SOURCE_FAIL(reader->source, PRISM_FORMAT, "a second graph-hash line");
  bool valid = prism_line_token(&line, &word) && word.end - word.at == DIGITS;
  for (int i = 0; valid && i < DIGITS; ++i) {
    char c = word.at[i];
    if (c >= 'A' && c <= 'F') c = (char)(c - 'A' + 'a');
    valid = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    solution->hash[i] = c;
  }
  if (!valid)
    PRISM_SOURCE_FAIL(reader->source, PRISM_FORMAT,
                      "the graph-hash is not made of %d hexadecimal digits", DIGITS);
  solution->hash[DIGITS] = '\0';
  solution->has_hash = true;
  return prism_source_no_more(reader->source, &line);
}

/* [in] line  what follows the "s". */
static prism_status_t read_size(reader_t *reader, prism_line_t line) {
  prism_line_t kind;
  int64_t k = 0;
  if (reader->solution.k != 0) PRISM_SOURCE_FAIL(reader->source, PRISM_FORMAT, "a second s line");
  if (!prism_line_token(&line, &kind) || !prism_token_is(&kind, "col"))
    PRISM_SOURCE_FAIL(reader->source, PRISM_FORMAT, "the s line must read 's col COLORS'");
  PRISM_TRY(prism_source_number(reader->source, &line, "number of colors", 1, reader->n, &k));
  reader->solution.k = (int32_t)k;
  return prism_source_no_more(reader->source, &line);
}

/* [in] line  what follows the "l". */
static prism_status_t read_color(reader_t *reader, prism_line_t line) {
  int64_t v = 0, c = 0;
  if (reader->solution.k == 0)
    PRISM_SOURCE_FAIL(reader->source, PRISM_FORMAT, "an l line stands before the s line");
  PRISM_TRY(prism_source_number(reader->source, &line, "vertex", 1, reader->n, &v));
  PRISM_TRY(prism_source_number(reader->source, &line, "color", 1, reader->solution.k, &c));
  PRISM_TRY(prism_source_no_more(reader->source, &line));
  int32_t *color = &reader->solution.color[v - 1];
  if (*color >= 0)
    PRISM_SOURCE_FAIL(reader->source, PRISM_FORMAT, "vertex %lld is colored twice", (long long)v);
  *color = (int32_t)(c - 1);
  ++reader->colored;
  return PRISM_OK;
}

static prism_status_t read_line(reader_t *reader, prism_line_t line) {
  char quote[PRISM_TOKEN_QUOTE];
  prism_line_t word;
  if (!prism_line_token(&line, &word)) return PRISM_OK; /* an empty line */
  if (prism_token_is(&word, "c")) return read_comment(reader, line);
  if (prism_token_is(&word, "l")) return read_color(reader, line);
  if (prism_token_is(&word, "s")) return read_size(reader, line);
  if (*word.at == 'c') return PRISM_OK;
  PRISM_SOURCE_FAIL(reader->source, PRISM_FORMAT,
                    "a line begins with %s; c, s or l is meant (is this a solution?)",
                    prism_token_quote(&word, quote));
}

static prism_status_t read_lines(reader_t *reader) {
  for (;;) {
    prism_line_t line;
    bool found = false;
    PRISM_TRY(prism_source_next(reader->source, &line, &found));
    if (!found) break;
    PRISM_TRY(read_line(reader, line));
  }
  if (prism_source_line(reader->source) == 0)
    PRISM_FAIL(PRISM_FORMAT, "%s:1: the file is empty", prism_source_name(reader->source));
  if (reader->solution.k == 0)
    PRISM_SOURCE_FAIL(reader->source, PRISM_FORMAT, "the file ends without an s line");
  for (int32_t v = 0; reader->colored < reader->n && v < reader->n; ++v)
    if (reader->solution.color[v] < 0)
      PRISM_SOURCE_FAIL(reader->source, PRISM_FORMAT,
                        "%ld of %ld vertices have no color, the first is vertex %ld",
                        (long)(reader->n - reader->colored), (long)reader->n, (long)v + 1);
  return PRISM_OK;
}

prism_status_t prism_solution_read(const char *path, int32_t n, prism_solution_t *out) {
  memset(out, 0, sizeof *out);
  if (n < 1) PRISM_FAIL(PRISM_INVALID, "a graph needs at least one vertex");
  reader_t reader = {.n = n, .solution = {.n = n}};
  prism_status_t status;
  PRISM_TRY(prism_source_open(path, &reader.source));
  PRISM_TRY_GOTO(status, PRISM_ALLOC(n, &reader.solution.color), done);
  memset(reader.solution.color, 0xFF, (size_t)n * sizeof *reader.solution.color);
  PRISM_TRY_GOTO(status, read_lines(&reader), done);
done:
  prism_source_close(&reader.source);
  if (status != PRISM_OK) {
    prism_free(reader.solution.color);
    reader.solution.color = NULL;
  }
  *out = reader.solution; /* after a failure: the hash, where the file told one */
  return status;
}

void prism_solution_release(prism_solution_t *solution) {
  prism_free(solution->color);
  memset(solution, 0, sizeof *solution);
}
