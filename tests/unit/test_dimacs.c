/* The DIMACS reader and writer: what is accepted, what is warned of, gzip, stdin,
 * long lines. What is refused stands in tests/malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/dimacs.h"
#include "temp_file.h"

enum { SEED = 20261121 };

static prism_graph_t *read_text(const char *text, prism_dimacs_report_t *report) {
  prism_graph_t *graph = NULL;
  prism_status_t status = prism_dimacs_read(temp_write_text("g.col", text), report, &graph);
  if (status != PRISM_OK) print_message("%s\n", prism_error_text());
  assert_int_equal(status, PRISM_OK);
  return graph;
}

static void check_triangle(const char *text) {
  prism_dimacs_report_t report;
  prism_graph_t *graph = read_text(text, &report);
  assert_int_equal(graph->n, 3);
  assert_int_equal(graph->m, 3);
  assert_int_equal(report.warnings, 0);
  assert_int_equal(report.header_edges, 3);
  assert_int_equal(report.edge_lines, 3);
  prism_graph_destroy(&graph);
}

static void spellings_of_a_triangle(void **state) {
  (void)state;
  check_triangle("p edge 3 3\ne 1 2\ne 2 3\ne 1 3\n");
  check_triangle("p col 3 3\ne 1 2\ne 2 3\ne 1 3\n");
  check_triangle("p edges 3 3\ne 1 2\ne 2 3\ne 1 3\n");
  check_triangle("p edge 3 3\ne 1 2\ne 2 3\ne 1 3");           /* no last line end */
  check_triangle("p edge 3 3\r\ne 1 2\r\ne 2 3\r\ne 1 3\r\n"); /* CRLF */
  check_triangle("p edge 3 3\r\ne 1 2\r\ne 2 3\r\ne 1 3\r");
  check_triangle(
      "c a comment\nc\n\np edge 3 3\nn 1 7\ne 1 2\n\ncomment\ne 2 3\nn 2 0\ne 1 3\nc\n");
  check_triangle("  p\tedge   3\t3  \n\te 1\t2\n e   2   3  \ne 1 3 \n"); /* blanks, tabs */
  check_triangle("p edge 3 3\ne 0001 2\ne 2 03\ne 1 3\n");
}

static void vertices_without_edges(void **state) {
  (void)state;
  prism_dimacs_report_t report;
  prism_graph_t *graph = read_text("p edge 1 0\n", &report);
  assert_int_equal(graph->n, 1);
  assert_int_equal(graph->m, 0);
  assert_int_equal(report.warnings, 0);
  prism_graph_destroy(&graph);
}

static void each_oddity_is_warned_of_once(void **state) {
  (void)state;
  prism_dimacs_report_t report;
  prism_graph_t *graph =
      read_text("p edge 4 99\ne 1 2\ne 1 2\ne 2 1\ne 1 2\ne 3 3\ne 3 3\n"
                "e 3 4\ne 4 3\ne 1 4\n",
                &report);
  assert_int_equal(graph->m, 3);
  assert_int_equal(report.edge_lines, 9);
  assert_int_equal(report.stats.self_loops, 2);
  assert_int_equal(report.stats.repeated_edges, 4);
  assert_int_equal(report.warnings, 4);
  assert_string_equal(report.warning[0], "the header (line 1) says 99 edges, the file lists 9");
  assert_string_equal(report.warning[1], "2 repeated edges are counted once");
  assert_string_equal(report.warning[2], "2 edges are listed in both directions and counted once");
  assert_string_equal(report.warning[3], "2 self-loops are ignored");
  prism_graph_destroy(&graph);
  /* Fewer edges than the header says; only that. */
  graph = read_text("p edge 4 2\ne 1 2\n", &report);
  assert_int_equal(report.warnings, 1);
  prism_graph_destroy(&graph);
  /* Both directions, header counting lines or edges: one warning. */
  graph = read_text("p edge 2 2\ne 1 2\ne 2 1\n", &report);
  assert_int_equal(report.warnings, 1);
  prism_graph_destroy(&graph);
  graph = read_text("p edge 2 1\ne 1 2\ne 2 1\n", &report);
  assert_int_equal(report.warnings, 1);
  prism_graph_destroy(&graph);
}

static void known_colors_come_from_the_comment(void **state) {
  (void)state;
  const struct {
    const char *text;
    int32_t colors;
  } cases[] = {{"c chromatic-number 12\np edge 1 0\n", 12},
               {"c chromatic-number 12\r\np edge 1 0\r\n", 12},
               {"p edge 1 0\nc chromatic-number 3 proved\n", 3},
               {"c chromatic-number x\np edge 1 0\n", 0},
               {"c chromatic-number\np edge 1 0\n", 0},
               {"c chromatic-number 99999999999\np edge 1 0\n", 0},
               {"c the chromatic-number 5\np edge 1 0\n", 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    prism_dimacs_report_t report;
    prism_graph_t *graph = read_text(cases[i].text, &report);
    assert_int_equal(report.known_colors, cases[i].colors);
    prism_graph_destroy(&graph);
  }
}

static prism_graph_t *draw_graph(prism_rng_t *rng, int32_t n, int64_t count) {
  static int32_t pairs[2 * 200000];
  prism_graph_t *graph = NULL;
  for (int64_t i = 0; i < 2 * count; ++i) pairs[i] = (int32_t)prism_rng_below(rng, (uint32_t)n);
  assert_int_equal(prism_graph_from_edges(n, pairs, count, NULL, &graph), PRISM_OK);
  return graph;
}

static void check_same(const prism_graph_t *a, const prism_graph_t *b) {
  assert_int_equal(a->n, b->n);
  assert_int_equal(a->m, b->m);
  assert_memory_equal(a->offset, b->offset, ((size_t)a->n + 1) * sizeof *a->offset);
  size_t bytes = 2 * (size_t)a->m * sizeof *a->neighbor;
  if (bytes > 0) assert_memory_equal(a->neighbor, b->neighbor, bytes);
}

static void write_graph(const char *path, const prism_graph_t *graph, const char *comment) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(prism_dimacs_write(file, graph, comment), PRISM_OK);
  assert_int_equal(fclose(file), 0);
}

/* Written and read again; the largest passes the reader's buffer. */
static void round_trip(void **state) {
  (void)state;
  print_message("seed %d\n", SEED);
  prism_rng_t rng = prism_rng_stream(SEED, 0, 1, PRISM_RNG_TEST);
  for (int round = 0; round < 40; ++round) {
    bool large = round == 0;
    int32_t n = large ? 100000 : 1 + (int32_t)prism_rng_below(&rng, 300);
    prism_graph_t *graph = draw_graph(&rng, n, large ? 200000 : prism_rng_below(&rng, 2000));
    prism_graph_t *again = NULL;
    prism_dimacs_report_t report;
    write_graph(temp_path("w.col"), graph, "first\nchromatic-number 4\n\nlast");
    assert_int_equal(prism_dimacs_read(temp_path("w.col"), &report, &again), PRISM_OK);
    check_same(graph, again);
    assert_int_equal(report.warnings, 0);
    assert_int_equal(report.known_colors, 4);
    assert_true(report.seconds >= 0.0);
    prism_graph_destroy(&again);
    prism_graph_destroy(&graph);
  }
}

static void failing_writes_are_reported(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 0, 5, PRISM_RNG_TEST);
  prism_graph_t *graph = draw_graph(&rng, 2000, 20000);
  FILE *file = fopen("/dev/full", "wb");
  if (file == NULL) {
    prism_graph_destroy(&graph);
    skip();
  }
  assert_int_equal(prism_dimacs_write(file, graph, NULL), PRISM_IO);
  fclose(file);
  prism_graph_destroy(&graph);
}

/* Read bytes as they would come through a pipe on standard input. */
static prism_status_t read_stdin(const void *data, size_t size, prism_graph_t **out) {
  int kept = dup(STDIN_FILENO), file = open(temp_write("stdin", data, size), O_RDONLY);
  assert_true(file >= 0);
  assert_true(dup2(file, STDIN_FILENO) >= 0);
  prism_status_t status = prism_dimacs_read("-", NULL, out);
  if (kept >= 0) {
    dup2(kept, STDIN_FILENO);
    close(kept);
  }
  close(file);
  return status;
}

static void gzip_is_recognised_by_content(void **state) {
  (void)state;
  prism_rng_t rng = prism_rng_stream(SEED, 0, 2, PRISM_RNG_TEST);
  prism_graph_t *graph = draw_graph(&rng, 100000, 150000), *again = NULL;
  static char text[4000000];
  static uint8_t packed[4100000];
  write_graph(temp_path("z.col"), graph, "packed");
  FILE *file = fopen(temp_path("z.col"), "rb");
  size_t size = fread(text, 1, sizeof text, file);
  fclose(file);
  assert_in_range(size, 1 << 20, sizeof text - 1); /* more than one buffer */
  size_t packed_size = temp_gzip(text, size, packed);
  const char *path = temp_write("no-suffix", packed, packed_size);
  assert_int_equal(prism_dimacs_read(path, NULL, &again), PRISM_OK);
  check_same(graph, again);
  prism_graph_destroy(&again);
  assert_int_equal(read_stdin(packed, packed_size, &again), PRISM_OK);
  check_same(graph, again);
  prism_graph_destroy(&again);
  assert_int_equal(read_stdin(text, size, &again), PRISM_OK);
  check_same(graph, again);
  prism_graph_destroy(&again);
  /* Two members, split inside a line, and padding behind them. */
  size_t half = size / 2 + 1;
  packed_size = temp_gzip(text, half, packed);
  packed_size += temp_gzip(text + half, size - half, packed + packed_size);
  memset(packed + packed_size, 0, 512);
  path = temp_write("two.col.gz", packed, packed_size + 512);
  assert_int_equal(prism_dimacs_read(path, NULL, &again), PRISM_OK);
  check_same(graph, again);
  prism_graph_destroy(&again);
  packed[packed_size] = 'x'; /* something else behind them */
  path = temp_write("tail.col.gz", packed, packed_size + 1);
  assert_int_equal(prism_dimacs_read(path, NULL, &again), PRISM_FORMAT);
  assert_non_null(strstr(prism_error_text(), "follows the end"));
  assert_null(again);
  prism_graph_destroy(&graph);
}

/* A gzip file cut at any byte, or with any byte changed that matters, never reads as
 * a graph without complaint. */
static void damaged_gzip_never_passes(void **state) {
  (void)state;
  const char *text = "c damaged\np edge 5 4\ne 1 2\ne 2 3\ne 3 4\ne 4 5\n";
  uint8_t packed[256];
  size_t size = temp_gzip(text, strlen(text), packed);
  for (size_t cut = 0; cut < size; ++cut) {
    prism_graph_t *graph = NULL;
    assert_int_equal(prism_dimacs_read(temp_write("cut.gz", packed, cut), NULL, &graph),
                     PRISM_FORMAT);
    assert_non_null(strstr(prism_error_text(), "cut.gz:"));
    assert_null(graph);
  }
  for (size_t at = 10; at < size; ++at) { /* behind the header, whose time stamp is free */
    prism_graph_t *graph = NULL;
    packed[at] ^= 0x02;
    assert_int_equal(prism_dimacs_read(temp_write("bad.gz", packed, size), NULL, &graph),
                     PRISM_FORMAT);
    packed[at] ^= 0x02;
    assert_null(graph);
  }
}

/* The line named is the one where the text breaks off. */
static void cut_gzip_names_the_line(void **state) {
  (void)state;
  static char text[20000];
  static uint8_t packed[21000];
  size_t used = (size_t)snprintf(text, sizeof text, "p edge 9 2000\n");
  while (used + 6 < 12000) used += (size_t)snprintf(text + used, sizeof text - used, "e 1 2\n");
  (void)temp_gzip(text, used, packed);
  prism_graph_t *graph = NULL;
  size_t cut = 10 + 5 * 1005; /* five whole blocks of 1000 bytes */
  assert_int_equal(prism_dimacs_read(temp_write("cut.gz", packed, cut), NULL, &graph),
                   PRISM_FORMAT);
  char place[64];
  snprintf(place, sizeof place, "cut.gz:%zu:", (5000 - strlen("p edge 9 2000\n")) / 6 + 2);
  assert_non_null(strstr(prism_error_text(), place));
}

/* 64 KiB are allowed, one byte more is not; wherever the line lies in the buffer. */
static void long_lines(void **state) {
  (void)state;
  static char text[1300000];
  const size_t fronts[] = {0, 1 << 20, (1 << 20) - 70000, (1 << 20) - 1};
  for (size_t f = 0; f < sizeof fronts / sizeof *fronts; ++f)
    for (int extra = 0; extra < 2; ++extra)
      for (int last = 0; last < 2; ++last) {
        size_t used = 0;
        int64_t line = 1;
        while (used < fronts[f]) { /* short comment lines up to the exact byte */
          size_t take = fronts[f] - used < 200 ? fronts[f] - used : 100;
          memset(text + used, 'c', take);
          text[used + take - 1] = '\n';
          used += take;
          ++line;
        }
        size_t start = used, length = 65536 + (size_t)extra;
        memset(text + start, 'c', length);
        used += length;
        if (!last) {
          memcpy(text + used, "\np edge 2 1\ne 1 2\n", 18);
          used += 18;
        }
        prism_graph_t *graph = NULL;
        prism_status_t status = prism_dimacs_read(temp_write("long.col", text, used), NULL, &graph);
        char place[80];
        snprintf(place, sizeof place, "long.col:%lld: the line is longer", (long long)line);
        assert_int_equal(status, extra || last ? PRISM_FORMAT : PRISM_OK);
        if (extra) assert_non_null(strstr(prism_error_text(), place));
        if (!extra && last) assert_non_null(strstr(prism_error_text(), "without a p line"));
        if (status == PRISM_OK) assert_int_equal(graph->m, 1);
        prism_graph_destroy(&graph);
      }
}

static void header_is_only_a_hint(void **state) {
  (void)state;
  prism_dimacs_report_t report;
  prism_graph_t *graph = read_text("p edge 2 9223372036854775806\ne 1 2\n", &report);
  assert_int_equal(graph->m, 1);
  assert_int_equal(report.warnings, 1);
  prism_graph_destroy(&graph);
}

static void bundled_instances(void **state) {
  (void)state;
  const char *folder = getenv("PRISM_INSTANCES");
  if (folder == NULL || folder[0] == '\0') skip();
  const struct {
    const char *name;
    int32_t n;
    int64_t m;
  } cases[] = {{"DSJC125.5", 125, 3891}, {"DSJC500.5", 500, 62624}, {"le450_25a", 450, 8260}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.col.gz", folder, cases[i].name);
    if (access(path, R_OK) != 0) skip();
    prism_graph_t *graph = NULL;
    assert_int_equal(prism_dimacs_read(path, NULL, &graph), PRISM_OK);
    assert_int_equal(graph->n, cases[i].n);
    assert_int_equal(graph->m, cases[i].m);
    prism_graph_destroy(&graph);
  }
}

static void nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(prism_mem_live_blocks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spellings_of_a_triangle),
      cmocka_unit_test(vertices_without_edges),
      cmocka_unit_test(each_oddity_is_warned_of_once),
      cmocka_unit_test(known_colors_come_from_the_comment),
      cmocka_unit_test(round_trip),
      cmocka_unit_test(failing_writes_are_reported),
      cmocka_unit_test(gzip_is_recognised_by_content),
      cmocka_unit_test(damaged_gzip_never_passes),
      cmocka_unit_test(cut_gzip_names_the_line),
      cmocka_unit_test(long_lines),
      cmocka_unit_test(header_is_only_a_hint),
      cmocka_unit_test(bundled_instances),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
