/* Every malformed input of the folder gets its status and a message with file:line;
 * what cannot lie in a folder (missing files, folders, long lines) is made here. */
#include <dirent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "model/dimacs.h"
#include "model/solution.h"
#include "temp_file.h"

enum { SOLUTION_VERTICES = 3 };

typedef struct expectation {
  const char *file;
  int line;
  const char *text; /* must follow "file:line: " somewhere */
} expectation_t;

/* All are PRISM_FORMAT. Solutions are read for a graph of three vertices. */
static const expectation_t EXPECTATIONS[] = {
    {"empty.col", 1, "the file is empty"},
    {"no_p.col", 2, "ends without a p line"},
    {"blank_only.col", 3, "ends without a p line"},
    {"two_p.col", 3, "a second p line (the first is line 1)"},
    {"edge_before_p.col", 2, "before the p line"},
    {"spaced_edge_before_p.col", 1, "before the p line"},
    {"vertex_zero.col", 3, "the vertex '0' is outside 1 to 3"},
    {"vertex_zero_second.col", 3, "the vertex '0' is outside 1 to 3"},
    {"vertex_above_n.col", 2, "the vertex '4' is outside 1 to 3"},
    {"vertex_negative.col", 2, "the vertex '-1' is outside 1 to 3"},
    {"vertex_minus.col", 2, "the vertex '-' is not a whole number"},
    {"vertex_plus.col", 2, "the vertex '+1' is not a whole number"},
    {"vertex_huge.col", 2, "the vertex '99999999999999999999999' is outside 1 to 3"},
    {"vertex_huge_negative.col", 2, "the vertex '-99999999999999999999999' is outside 1 to 3"},
    {"vertex_wraps_32.col", 2, "the vertex '4294967298' is outside"},
    {"vertex_wraps_64.col", 2, "the vertex '18446744073709551618' is outside"},
    {"vertex_half_number.col", 2, "the vertex '2x' is not a whole number"},
    {"vertex_fraction.col", 2, "the vertex '1.5' is not a whole number"},
    {"vertex_word.col", 2, "the vertex 'one' is not a whole number"},
    {"edge_one_end.col", 2, "the vertex is missing"},
    {"edge_one_end_blank.col", 2, "the vertex is missing"},
    {"edge_no_end.col", 2, "the vertex is missing"},
    {"edge_crlf_no_end.col", 2, "the vertex is missing"},
    {"edge_three_ends.col", 2, "unexpected '3' at the end of the line"},
    {"edge_glued.col", 2, "a line begins with 'e1'"},
    {"edge_stray_return.col", 2, "the vertex '1\\x0D2' is not a whole number"},
    {"edge_nul.col", 2, "the vertex '2\\x00' is not a whole number"},
    {"p_alone.col", 1, "the p line is empty"},
    {"p_other_problem.col", 2, "the p line is for 'cnf' problems"},
    {"p_kind_only.col", 1, "the number of vertices is missing"},
    {"p_no_edges.col", 1, "the number of edges is missing"},
    {"p_four_numbers.col", 1, "unexpected '1' at the end of the line"},
    {"n_zero.col", 1, "the number of vertices '0' is outside 1 to 2147483646"},
    {"n_negative.col", 1, "the number of vertices '-5' is outside"},
    {"n_above_int32.col", 1, "the number of vertices '2147483647' is outside 1 to 2147483646"},
    {"n_huge.col", 1, "the number of vertices '99999999999999999999' is outside"},
    {"n_word.col", 1, "the number of vertices 'many' is not a whole number"},
    {"m_negative.col", 1, "the number of edges '-1' is outside"},
    {"m_huge.col", 1, "the number of edges '9223372036854775807' is outside"},
    {"m_half_number.col", 1, "the number of edges '2e1' is not a whole number"},
    {"unknown_line.col", 3, "a line begins with 'x'"},
    {"edge_list.col", 1, "a line begins with '1'"},
    {"long_token.col", 2, "zzzz...'"},
    {"utf8_mark.col", 1, "a line begins with '\\xEF\\xBB\\xBFp'"},
    {"binary.col", 1, "a line begins with"},
    {"truncated.col.gz", 3, "the gzip data is cut off"},
    {"truncated_trailer.col.gz", 4, "the gzip data is cut off"},
    {"truncated_header.col.gz", 1, "the gzip data is cut off"},
    {"bad_checksum.col.gz", 4, "the gzip data is damaged"},
    {"bad_method.col.gz", 1, "the gzip data is damaged"},
    {"garbage_after.col.gz", 4, "follows the end of the gzip data"},
    {"empty_inside.col.gz", 1, "the file is empty"},
    {"bad_edge_inside.col.gz", 3, "the vertex '7' is outside 1 to 3"},
    {"empty.sol", 1, "the file is empty"},
    {"no_s.sol", 1, "ends without an s line"},
    {"two_s.sol", 2, "a second s line"},
    {"s_kind.sol", 1, "must read 's col COLORS'"},
    {"s_alone.sol", 1, "must read 's col COLORS'"},
    {"s_no_number.sol", 1, "the number of colors is missing"},
    {"s_zero.sol", 1, "the number of colors '0' is outside 1 to 3"},
    {"s_above_n.sol", 1, "the number of colors '4' is outside 1 to 3"},
    {"s_trailing.sol", 1, "unexpected 'x'"},
    {"l_before_s.sol", 1, "before the s line"},
    {"vertex_zero.sol", 2, "the vertex '0' is outside 1 to 3"},
    {"vertex_above_n.sol", 2, "the vertex '4' is outside 1 to 3"},
    {"vertex_word.sol", 2, "the vertex 'a' is not a whole number"},
    {"vertex_missing.sol", 2, "the vertex is missing"},
    {"color_zero.sol", 2, "the color '0' is outside 1 to 2"},
    {"color_above_k.sol", 2, "the color '3' is outside 1 to 2"},
    {"color_missing.sol", 2, "the color is missing"},
    {"color_half_number.sol", 2, "the color '1.0' is not a whole number"},
    {"l_trailing.sol", 2, "unexpected '1'"},
    {"colored_twice.sol", 4, "vertex 1 is colored twice"},
    {"uncolored.sol", 3, "1 of 3 vertices have no color, the first is vertex 2"},
    {"hash_short.sol", 1, "not made of 64 hexadecimal digits"},
    {"hash_missing.sol", 1, "not made of 64 hexadecimal digits"},
    {"hash_letters.sol", 1, "not made of 64 hexadecimal digits"},
    {"hash_trailing.sol", 1, "unexpected 'b'"},
    {"hash_twice.sol", 2, "a second graph-hash line"},
    {"unknown_line.sol", 2, "a line begins with 'e'"},
    {"binary.sol", 1, "a line begins with"},
    {"truncated.sol.gz", 3, "the gzip data is cut off"},
};
enum { EXPECTED = sizeof EXPECTATIONS / sizeof *EXPECTATIONS };

static int failures;

__attribute__((format(printf, 2, 3))) static void complain(const char *file, const char *format,
                                                           ...) {
  va_list args;
  va_start(args, format);
  printf("FAILED %s: ", file);
  vprintf(format, args);
  printf("\n");
  va_end(args);
  ++failures;
}

static prism_status_t read_any(const char *path) {
  if (strstr(path, ".sol") != NULL) {
    prism_solution_t solution;
    prism_status_t status = prism_solution_read(path, SOLUTION_VERTICES, &solution);
    prism_solution_release(&solution);
    return status;
  }
  prism_graph_t *graph = NULL;
  prism_status_t status = prism_dimacs_read(path, NULL, &graph);
  prism_graph_destroy(&graph);
  return status;
}

static void check(const char *path, prism_status_t expected, const char *text) {
  prism_error_clear();
  prism_status_t status = read_any(path);
  if (status != expected)
    complain(path, "status '%s', not '%s' (%s)", prism_status_text(status),
             prism_status_text(expected), prism_error_text());
  else if (strstr(prism_error_text(), text) == NULL)
    complain(path, "the message '%s' does not hold '%s'", prism_error_text(), text);
  if (prism_mem_live_blocks() != 0)
    complain(path, "%zu blocks of memory are left", prism_mem_live_blocks());
}

static void check_table(const char *folder) {
  for (int i = 0; i < EXPECTED; ++i) {
    char path[1024], place[1100];
    snprintf(path, sizeof path, "%s/%s", folder, EXPECTATIONS[i].file);
    snprintf(place, sizeof place, "%s:%d: ", path, EXPECTATIONS[i].line);
    check(path, PRISM_FORMAT, place);
    if (strstr(prism_error_text(), EXPECTATIONS[i].text) == NULL)
      complain(EXPECTATIONS[i].file, "the message '%s' does not hold '%s'", prism_error_text(),
               EXPECTATIONS[i].text);
  }
}

/* No file of the folder may go untested. */
static void check_folder(const char *folder) {
  DIR *listing = opendir(folder);
  if (listing == NULL) {
    complain(folder, "cannot be listed");
    return;
  }
  for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
    bool found = entry->d_name[0] == '.';
    for (int i = 0; i < EXPECTED && !found; ++i)
      found = strcmp(EXPECTATIONS[i].file, entry->d_name) == 0;
    if (!found) complain(entry->d_name, "nothing is expected of this file");
  }
  closedir(listing);
}

static void check_made_inputs(void) {
  static char line[70000];
  check(temp_path("missing.col"), PRISM_IO, "missing.col: No such file");
  check(temp_path("missing.sol"), PRISM_IO, "missing.sol: No such file");
  check(temp_path("missing/below.col"), PRISM_IO, "below.col: No such file");
  check(temp_folder, PRISM_IO, "it is a folder");
  check(temp_path("missing.sol/"), PRISM_IO, "cannot open");
  memset(line, 'c', sizeof line);
  check(temp_write("comment.col", line, sizeof line), PRISM_FORMAT,
        "comment.col:1: the line is longer than 65536 bytes");
  line[0] = 'l';
  check(temp_write("line.sol", line, sizeof line), PRISM_FORMAT,
        "line.sol:1: the line is longer than 65536 bytes");
  memset(line, 0, sizeof line);
  check(temp_write("zeros.col", line, sizeof line), PRISM_FORMAT, "zeros.col:1: ");
  const char *path = temp_write_text("secret.col", "p edge 1 0\n");
  if (geteuid() != 0 && chmod(path, 0) == 0) /* root may read everything */
    check(path, PRISM_IO, "secret.col: Permission denied");
}

/* A vertex count that would need more memory than there is: refused, not tried. */
static void check_memory(void) {
  double have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  if (have >= 40.0 * 2147483646.0) return; /* such a machine may well try */
  check(temp_write_text("vast.col", "c\np edge 2147483646 0\n"), PRISM_MEMORY, "vast.col:2: ");
}

int main(int argc, char **argv) {
  if (argc != 2 || temp_setup(NULL) != 0) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  check_table(argv[1]);
  check_folder(argv[1]);
  check_made_inputs();
  check_memory();
  if (temp_teardown(NULL) != 0) complain(temp_folder, "cannot be removed");
  printf("%d inputs in the table, %d failures\n", (int)EXPECTED, failures);
  return failures == 0 ? 0 : 1;
}
