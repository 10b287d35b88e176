/* prism: tools around prism-dist. */
#include <stdio.h>
#include <string.h>

#include "app/hint.h"
#include "app/print.h"
#include "app/tool.h"
#include "app/versions.h"

typedef struct subcommand {
  const char *name;
  const char *arguments;
  const char *help;
  int (*run)(int argc, char *const *argv);
} subcommand_t;

static const subcommand_t subcommands[] = {
    {"verify", "GRAPH SOLUTION", "check a coloring with independent code", prism_tool_verify},
    {"info", "[--json] GRAPH", "size, degrees, bounds, kernel and hash of a graph",
     prism_tool_info},
    {"generate", "FAMILY ...", "write a graph of a known family", prism_tool_generate},
    {"config", "[--diff] [FILE] [FILE]", "print, check or compare parameters",
     prism_tool_config},
    {"monitor", "[OPTIONS] [RUN]", "what a run does, or did: lines, tables, full screen",
     prism_tool_monitor},
    {"export", "[OPTIONS] [RUN]", "a table of a run as CSV or JSON", prism_tool_export},
    {"repair", "RUN.h5 [-o OUT.h5]", "make an ordinary, compressed file of a killed run's",
     prism_tool_repair},
    {"report", "RUN.h5... [-o FILE]", "a page about runs: figures, tables, statistics",
     prism_tool_report},
};
enum { SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

enum { USAGE_BYTES = 64 };

static void format_usage(const subcommand_t *subcommand, char out[USAGE_BYTES]) {
  snprintf(out, USAGE_BYTES, "%s %s", subcommand->name, subcommand->arguments);
}

static int print_help(void) {
  prism_text_t text = {0};
  char usage[USAGE_BYTES];
  int width = 0;
  for (int i = 0; i < SUBCOMMANDS; ++i) {
    format_usage(&subcommands[i], usage);
    if ((int)strlen(usage) > width) width = (int)strlen(usage);
  }
  prism_status_t status = prism_text_add(&text, "Usage: prism SUBCOMMAND ...\n\n");
  for (int i = 0; i < SUBCOMMANDS && status == PRISM_OK; ++i) {
    format_usage(&subcommands[i], usage);
    status = prism_text_add(&text, "  %-*s  %s\n", width, usage, subcommands[i].help);
  }
  if (status == PRISM_OK) {
    status = prism_text_add(&text, "\nprism SUBCOMMAND --help says more. prism --version lists "
                                   "versions.\n");
  }
  if (status == PRISM_OK) status = prism_print_text(&text);
  prism_text_free(&text);
  return status == PRISM_OK ? 0 : prism_tool_fail(status);
}

static int print_version(void) {
  prism_text_t text = {0};
  prism_status_t status = prism_versions_format("prism", &text);
  if (status == PRISM_OK) status = prism_print_text(&text);
  prism_text_free(&text);
  return status == PRISM_OK ? 0 : prism_tool_fail(status);
}

int main(int argc, char **argv) {
  if (argc < 2) return prism_tool_usage("no subcommand given; see prism --help");
  if (prism_tool_is_help(argv[1])) return print_help();
  if (strcmp(argv[1], "--version") == 0) return print_version();
  prism_hint_t hint = {0};
  for (int i = 0; i < SUBCOMMANDS; ++i) {
    if (strcmp(subcommands[i].name, argv[1]) == 0) {
      return subcommands[i].run(argc - 1, argv + 1);
    }
    prism_hint_try(&hint, argv[1], subcommands[i].name);
  }
  char advice[160] = "";
  prism_hint_append(&hint, advice, sizeof advice);
  return prism_tool_usage("unknown subcommand %s%s", argv[1],
                          advice[0] == '\0' ? "; see prism --help" : advice);
}
