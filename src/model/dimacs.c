#include "model/dimacs.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/source.h"

/* Room reserved on the word of the header; more grows as edges arrive. */
enum { FIRST_EDGES = 1024, TRUSTED_EDGES = 1 << 22 };

typedef struct reader {
  prism_source_t *source;
  int32_t n;           /* 0 until the p line */
  int64_t header_line;
  int32_t *pairs;      /* [2 * room], 0-based */
  int64_t count, room;
  prism_dimacs_report_t report;
} reader_t;

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* Take a vertex number off a line: the loops end at the line's sentinel. False on
 * anything unusual, which the slow path then names. */
static inline bool take_vertex(const char **at, uint32_t n, int32_t *out) {
  const char *p = *at;
  if (!is_blank(*p)) return false;
  while (is_blank(*p)) ++p;
  uint32_t digit = (uint32_t)(unsigned char)*p - '0';
  if (digit > 9) return false;
  uint64_t value = 0;
  do {
    value = 10 * value + digit;
    if (value > n) return false;
    digit = (uint32_t)(unsigned char)*++p - '0';
  } while (digit <= 9);
  if (value == 0) return false;
  *out = (int32_t)(value - 1);
  *at = p;
  return true;
}

/* Name what is wrong with an edge line (or read an unusual one all the same). */
static prism_status_t read_edge_slowly(reader_t *reader, prism_line_t line, int32_t *u,
                                       int32_t *v) {
  int64_t ends[2];
  for (int i = 0; i < 2; ++i)
    PRISM_TRY(prism_source_number(reader->source, &line, "vertex", 1, reader->n, &ends[i]));
  PRISM_TRY(prism_source_no_more(reader->source, &line));
  *u = (int32_t)(ends[0] - 1);
  *v = (int32_t)(ends[1] - 1);
  return PRISM_OK;
}

static prism_status_t grow_pairs(reader_t *reader) {
  int64_t room = reader->room < FIRST_EDGES ? FIRST_EDGES : 2 * reader->room;
  PRISM_TRY(PRISM_GROW(&reader->pairs, 2 * reader->room, 2 * room));
  reader->room = room;
  return PRISM_OK;
}

/* [in] line  what follows the "e". */
static prism_status_t read_edge(reader_t *reader, prism_line_t line) {
  if (reader->n == 0)
    PRISM_SOURCE_FAIL(reader->source, PRISM_FORMAT, "an edge stands before the p line");
  int32_t u = 0, v = 0;
  const char *at = line.at;
  uint32_t n = (uint32_t)reader->n;
  bool plain = take_vertex(&at, n, &u) && take_vertex(&at, n, &v);
  while (plain && is_blank(*at)) ++at;
  if (!plain || at != line.end) PRISM_TRY(read_edge_slowly(reader, line, &u, &v));
  if (reader->count == reader->room) PRISM_TRY(grow_pairs(reader));
  reader->pairs[2 * reader->count] = u;
  reader->pairs[2 * reader->count + 1] = v;
  ++reader->count;
  return PRISM_OK;
}

/* Refuse a vertex count whose rows alone exceed the machine's memory: a short
 * malformed line must not bring the machine down. */
static prism_status_t check_memory(const reader_t *reader, int64_t n) {
  enum { BYTES_PER_VERTEX = 48 }; /* peak of the graph's construction */
  long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return PRISM_OK;
  double need = (double)n * BYTES_PER_VERTEX, have = (double)pages * (double)page;
  if (need > have)
    PRISM_SOURCE_FAIL(reader->source, PRISM_MEMORY,
                      "%lld vertices need %.1f GiB of memory, this machine has %.1f GiB",
                      (long long)n, need / 1073741824.0, have / 1073741824.0);
  return PRISM_OK;
}

/* [in] line  what follows the "p". */
static prism_status_t read_header(reader_t *reader, prism_line_t line) {
  prism_source_t *source = reader->source;
  char quote[PRISM_TOKEN_QUOTE];
  if (reader->n != 0)
    PRISM_SOURCE_FAIL(source, PRISM_FORMAT, "a second p line (the first is line %lld)",
                      (long long)reader->header_line);
  prism_line_t kind;
  if (!prism_line_token(&line, &kind))
    PRISM_SOURCE_FAIL(source, PRISM_FORMAT,
                      "the p line is empty; 'p edge VERTICES EDGES' is meant");
  if (!prism_token_is(&kind, "edge") && !prism_token_is(&kind, "col") &&
      !prism_token_is(&kind, "edges"))
    PRISM_SOURCE_FAIL(source, PRISM_FORMAT,
                      "the p line is for %s problems; 'p edge' or 'p col' is meant",
                      prism_token_quote(&kind, quote));
  int64_t n = 0, edges = 0;
  PRISM_TRY(prism_source_number(source, &line, "number of vertices", 1, INT32_MAX - 1, &n));
  PRISM_TRY(prism_source_number(source, &line, "number of edges", 0, INT64_MAX - 1, &edges));
  PRISM_TRY(prism_source_no_more(source, &line));
  PRISM_TRY(check_memory(reader, n));
  reader->room = edges < TRUSTED_EDGES ? edges : TRUSTED_EDGES;
  PRISM_TRY(PRISM_ALLOC(2 * reader->room, &reader->pairs));
  reader->n = (int32_t)n;
  reader->header_line = prism_source_line(source);
  reader->report.header_edges = edges;
  return PRISM_OK;
}

/* A comment may tell the chromatic number; one that does not parse is just text. */
static void read_comment(reader_t *reader, prism_line_t line) {
  prism_line_t word;
  if (!prism_line_token(&line, &word) || !prism_token_is(&word, "chromatic-number")) return;
  int32_t value = 0;
  if (prism_line_token(&line, &word) && word.end - word.at <= 9) {
    for (; word.at < word.end && *word.at >= '0' && *word.at <= '9'; ++word.at)
      value = 10 * value + (*word.at - '0');
    if (word.at == word.end) reader->report.known_colors = value;
  }
}

/* Anything that is no plain edge line. */
static prism_status_t read_other(reader_t *reader, prism_line_t line) {
  char quote[PRISM_TOKEN_QUOTE];
  prism_line_t word, rest = line;
  if (!prism_line_token(&rest, &word)) return PRISM_OK; /* an empty line */
  if (*word.at == 'c') {
    if (prism_token_is(&word, "c")) read_comment(reader, rest);
    return PRISM_OK;
  }
  if (prism_token_is(&word, "e")) return read_edge(reader, rest);
  if (prism_token_is(&word, "p")) return read_header(reader, rest);
  if (prism_token_is(&word, "n")) return PRISM_OK; /* node values mean nothing here */
  PRISM_SOURCE_FAIL(reader->source, PRISM_FORMAT,
                    "a line begins with %s; c, p, e or n is meant (is this a DIMACS file?)",
                    prism_token_quote(&word, quote));
}

static prism_status_t read_lines(reader_t *reader) {
  for (;;) {
    prism_line_t line;
    bool found = false;
    PRISM_TRY(prism_source_next(reader->source, &line, &found));
    if (!found) break;
    if (line.at[0] == 'e' && is_blank(line.at[1])) {
      ++line.at;
      PRISM_TRY(read_edge(reader, line));
    } else {
      PRISM_TRY(read_other(reader, line));
    }
  }
  if (prism_source_line(reader->source) == 0)
    PRISM_FAIL(PRISM_FORMAT, "%s:1: the file is empty", prism_source_name(reader->source));
  if (reader->n == 0)
    PRISM_SOURCE_FAIL(reader->source, PRISM_FORMAT,
                      "the file ends without a p line ('p edge VERTICES EDGES')");
  return PRISM_OK;
}

/* Distinct (u, v) among the lines as written, loops aside: what a line repeats in
 * the same direction is a repeat, the rest was given in both directions. */
static prism_status_t count_directed(const reader_t *reader, int64_t *distinct) {
  int64_t *start = NULL, found = 0;
  int32_t *target = NULL, *last = NULL;
  prism_status_t status;
  PRISM_TRY_GOTO(status, PRISM_ALLOC_ZERO((size_t)reader->n + 1, &start), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(reader->count, &target), done);
  PRISM_TRY_GOTO(status, PRISM_ALLOC_ZERO(reader->n, &last), done);
  for (int64_t e = 0; e < reader->count; ++e) ++start[reader->pairs[2 * e]];
  int64_t sum = 0;
  for (int32_t u = 0; u <= reader->n; ++u) {
    int64_t size = start[u];
    start[u] = sum;
    sum += size;
  }
  for (int64_t e = 0; e < reader->count; ++e)
    target[start[reader->pairs[2 * e]]++] = reader->pairs[2 * e + 1];
  /* start[u] has moved to the end of row u, which is where row u + 1 begins. */
  for (int32_t u = 0; u < reader->n; ++u)
    for (int64_t i = u == 0 ? 0 : start[u - 1]; i < start[u]; ++i)
      if (target[i] != u && last[target[i]] != u + 1) {
        last[target[i]] = u + 1;
        ++found;
      }
  *distinct = found;
done:
  prism_free(start);
  prism_free(target);
  prism_free(last);
  return status;
}

static char *next_warning(prism_dimacs_report_t *report) {
  return report->warning[report->warnings++];
}

static prism_status_t make_warnings(reader_t *reader, const prism_graph_t *graph) {
  prism_dimacs_report_t *report = &reader->report;
  const prism_graph_stats_t *stats = &report->stats;
  if (report->header_edges != reader->count && report->header_edges != graph->m)
    snprintf(next_warning(report), PRISM_DIMACS_WARNING_TEXT,
             "the header (line %lld) says %lld edges, the file lists %lld",
             (long long)reader->header_line, (long long)report->header_edges,
             (long long)reader->count);
  if (stats->repeated_edges > 0) {
    int64_t directed = 0;
    PRISM_TRY(count_directed(reader, &directed));
    int64_t both_ways = directed - graph->m, repeats = stats->repeated_edges - both_ways;
    if (repeats > 0)
      snprintf(next_warning(report), PRISM_DIMACS_WARNING_TEXT,
               "%lld repeated edges are counted once", (long long)repeats);
    if (both_ways > 0)
      snprintf(next_warning(report), PRISM_DIMACS_WARNING_TEXT,
               "%lld edges are listed in both directions and counted once", (long long)both_ways);
  }
  if (stats->self_loops > 0)
    snprintf(next_warning(report), PRISM_DIMACS_WARNING_TEXT, "%lld self-loops are ignored",
             (long long)stats->self_loops);
  return PRISM_OK;
}

prism_status_t prism_dimacs_read(const char *path, prism_dimacs_report_t *report,
                                 prism_graph_t **out) {
  *out = NULL;
  reader_t reader = {0};
  prism_graph_t *graph = NULL;
  prism_status_t status;
  double start = prism_clock_now();
  PRISM_TRY(prism_source_open(path, &reader.source));
  PRISM_TRY_GOTO(status, read_lines(&reader), done);
  reader.report.edge_lines = reader.count;
  PRISM_TRY_GOTO(status,
                 prism_graph_from_edges(reader.n, reader.pairs, reader.count,
                                        &reader.report.stats, &graph),
                 done);
  PRISM_TRY_GOTO(status, make_warnings(&reader, graph), done);
  reader.report.seconds = prism_clock_now() - start;
  if (report != NULL) *report = reader.report;
  *out = graph;
  graph = NULL;
done:
  prism_graph_destroy(&graph);
  prism_free(reader.pairs);
  prism_source_close(&reader.source);
  return status;
}

static char *put_number(char *at, int64_t value) {
  char digits[24];
  int count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  while (count > 0) *at++ = digits[--count];
  return at;
}

static void write_comment(FILE *file, const char *comment) {
  while (*comment != '\0') {
    int length = (int)strcspn(comment, "\n");
    fprintf(file, "c %.*s\n", length, comment);
    comment += length + (comment[length] == '\n');
  }
}

prism_status_t prism_dimacs_write(FILE *file, const prism_graph_t *graph, const char *comment) {
  enum { BUFFER = 8192, EDGE_LINE = 32 };
  char buffer[BUFFER];
  char *at = buffer;
  if (comment != NULL) write_comment(file, comment);
  fprintf(file, "p edge %ld %lld\n", (long)graph->n, (long long)graph->m);
  for (int32_t u = 0; u < graph->n && !ferror(file); ++u)
    for (int64_t i = graph->offset[u]; i < graph->offset[u + 1]; ++i) {
      if (graph->neighbor[i] < u) continue;
      *at++ = 'e';
      *at++ = ' ';
      at = put_number(at, (int64_t)u + 1);
      *at++ = ' ';
      at = put_number(at, (int64_t)graph->neighbor[i] + 1);
      *at++ = '\n';
      if (at - buffer < BUFFER - EDGE_LINE) continue;
      fwrite(buffer, 1, (size_t)(at - buffer), file);
      at = buffer;
    }
  fwrite(buffer, 1, (size_t)(at - buffer), file);
  if (fflush(file) != 0 || ferror(file))
    PRISM_FAIL(PRISM_IO, "the graph cannot be written: %s", strerror(errno));
  return PRISM_OK;
}
