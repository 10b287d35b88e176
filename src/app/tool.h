/* Subcommands of `prism`. Each takes its own arguments (argv[0] is its name), talks
 * to the user and returns the exit code of the program. */
#ifndef PRISM_APP_TOOL_H
#define PRISM_APP_TOOL_H

#include <stdbool.h>

#include "base/status.h"

int prism_tool_verify(int argc, char *const *argv);
int prism_tool_generate(int argc, char *const *argv);
int prism_tool_info(int argc, char *const *argv);
int prism_tool_config(int argc, char *const *argv);
int prism_tool_monitor(int argc, char *const *argv);
int prism_tool_export(int argc, char *const *argv);
int prism_tool_repair(int argc, char *const *argv);
int prism_tool_report(int argc, char *const *argv);

/* Print this thread's error to stderr; returns the exit code of `status`. */
int prism_tool_fail(prism_status_t status);

/* Does the argument ask for help? */
bool prism_tool_is_help(const char *argument);

/* Print the help of a subcommand; returns the exit code. */
int prism_tool_help(const char *text);

/* Print a usage error to stderr; returns 2. */
int prism_tool_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The usage error of an option that subcommand `tool` does not have; returns 2. */
int prism_tool_unknown_option(const char *tool, const char *option);

#endif
