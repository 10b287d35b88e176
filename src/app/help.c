/* --help of prism-dist, laid out from the parameter table. */
#include <stdio.h>
#include <string.h>

#include "app/options.h"

enum { OPTION_COLUMN = 30, WIDTH = 92 };

/* Where a group of the long list begins, by the row that opens it. Later
 * sections are groups of their own. */
typedef struct group {
  const char *section;
  const char *name;
  const char *title;
} group_t;

static const group_t groups[] = {
    {"run", "k", "Goal and limits"},
    {"run", "seed", "Random numbers and repetition"},
    {"run", "threads", "Machine"},
    {"run", "initial", "Files"},
    {"run", "json", "Messages"},
    {"checkpoint", "enabled", "Checkpoints"},
    {"reduction", "enabled", "Advanced: before the search"},
    {"initial_coloring", "strategy", "Advanced: first coloring"},
    {"islands", "migration", "Advanced: islands"},
    {"memetic", "method", "Advanced: search methods"},
    {"thermodynamic", "enabled", "Advanced: parallel tempering"},
    {"cpu", "isa", "Advanced: processor"},
    {"gpu", "device_id", "Advanced: GPU"},
    {"telemetry", "enabled", "Advanced: run file"},
};

static const char *group_title(const prism_param_row_t *row) {
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; ++i) {
    if (strcmp(groups[i].section, row->section) == 0 && strcmp(groups[i].name, row->name) == 0) {
      return groups[i].title;
    }
  }
  return NULL;
}

/* "  OPTION            help, wrapped at words" */
static prism_status_t add_entry(prism_text_t *out, const char *option, const char *help) {
  PRISM_TRY(prism_text_add(out, "  %-*s", OPTION_COLUMN - 2, option));
  size_t column = strlen(option) + 2;
  if (column >= OPTION_COLUMN) {
    PRISM_TRY(prism_text_add(out, "\n%*s", OPTION_COLUMN, ""));
  }
  column = OPTION_COLUMN;
  for (const char *at = help; *at != '\0';) {
    size_t word = strcspn(at, " ");
    if (column + 1 + word > WIDTH) {
      PRISM_TRY(prism_text_add(out, "\n%*s", OPTION_COLUMN, ""));
      column = OPTION_COLUMN;
    } else if (column > OPTION_COLUMN) {
      PRISM_TRY(prism_text_add(out, " "));
      ++column;
    }
    PRISM_TRY(prism_text_add(out, "%.*s", (int)word, at));
    column += word;
    at += word;
    while (*at == ' ') ++at;
  }
  return prism_text_add(out, "\n");
}

/* What stands for the value: N, S, FILE, a|b|c. */
static const char *placeholder(const prism_param_row_t *row) {
  switch (row->type) {
    case PRISM_PARAM_I64:
    case PRISM_PARAM_U64:
      return "N";
    case PRISM_PARAM_F64:
      return strcmp(row->unit, "s") == 0 ? "S" : "X";
    case PRISM_PARAM_FLAG:
      return "true|false";
    case PRISM_PARAM_TEXT:
    case PRISM_PARAM_CHOICE:
      return row->unit;
  }
  return "";
}

static prism_status_t add_row(prism_text_t *out, const prism_param_row_t *row) {
  char option[256], help[512], none[16];
  bool alias = row->alias[0] != '\0';
  if (alias && row->type == PRISM_PARAM_FLAG) {
    snprintf(option, sizeof option, "%s", row->alias);
  } else if (alias) {
    snprintf(option, sizeof option, "%s %s", row->alias, placeholder(row));
  } else {
    snprintf(option, sizeof option, "--%s.%s %s", row->section, row->name, placeholder(row));
  }
  /* The help of many keys already says what the default 0 means. */
  snprintf(none, sizeof none, "(%s:", row->default_text);
  bool said = row->default_text[0] == '\0' || strstr(row->help, none) != NULL ||
              (alias && row->type == PRISM_PARAM_FLAG);
  bool negated = alias && strncmp(row->alias, "--no-", 5) == 0;
  snprintf(help, sizeof help, "%s%s%s%s%s", row->help, negated ? ": switch that off" : "",
           said ? "" : " (default: ", said ? "" : row->default_text, said ? "" : ")");
  return add_entry(out, option, help);
}

prism_status_t prism_options_help(prism_text_t *out) {
  PRISM_TRY(prism_text_add(
      out,
      "Usage: prism-dist [options] GRAPH\n"
      "       mpirun -np RANKS prism-dist [options] GRAPH\n"
      "\n"
      "Colors the vertices of GRAPH with as few colors as possible. GRAPH is a DIMACS .col or\n"
      ".col.gz file, or - for standard input. The best coloring found so far is always on disk;\n"
      "Ctrl-C ends a run in order, a second Ctrl-C at once.\n"
      "\n"
      "  prism-dist graph.col                       a minute on all cores\n"
      "  prism-dist --time-limit 600 graph.col.gz   ten minutes\n"
      "  prism-dist -k 48 graph.col                 is there a coloring with 48 colors?\n"
      "  prism-dist --resume X.ckpt.h5 graph.col    goes on with a run that has ended or died\n"));
  size_t rows;
  const prism_param_row_t *row = prism_param_rows(&rows);
  for (size_t i = 0; i < rows; ++i) {
    const char *title = group_title(&row[i]);
    if (title != NULL) PRISM_TRY(prism_text_add(out, "\n%s\n", title));
    PRISM_TRY(add_row(out, &row[i]));
  }
  PRISM_TRY(prism_text_add(out, "\nConfiguration and information\n"));
  PRISM_TRY(add_entry(out, "--config FILE", "read parameters from an INI file; options beat it"));
  PRISM_TRY(add_entry(out, "--print-config", "print all parameters as an INI file and end"));
  PRISM_TRY(add_entry(out, "--list-devices", "print the GPUs and cores of this machine and end"));
  PRISM_TRY(add_entry(out, "--SECTION.NAME VALUE",
                      "set any key of that INI file, e.g. --memetic.method head"));
  PRISM_TRY(add_entry(out, "--version", "print versions and end"));
  PRISM_TRY(add_entry(out, "--help", "print this text and end"));
  return prism_text_add(
      out,
      "\nValues may also follow an equals sign (--seed=7).\n"
      "\n"
      "Signals: USR1 saves a checkpoint, USR2 saves one and ends the run with exit code 85.\n"
      "\n"
      "Exit codes: 0 colored (and -k or --target met), 1 -k or --target not met, 2 usage or\n"
      "input error, 3 device, memory, disk or peer failed, 4 internal error, 85 saved, to be\n"
      "resumed.\n");
}
