#include "app/tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int prism_tool_fail(prism_status_t status) {
  const char *text = prism_error_text();
  fprintf(stderr, "prism: %s\n", text[0] != '\0' ? text : prism_status_text(status));
  return prism_status_exit_code(status);
}

bool prism_tool_is_help(const char *argument) {
  return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

int prism_tool_help(const char *text) {
  if (fputs(text, stdout) >= 0 && fflush(stdout) == 0) return 0;
  return prism_tool_fail(prism_error_set(PRISM_STORAGE, "standard output cannot be written"));
}

int prism_tool_usage(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("prism: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  return prism_status_exit_code(PRISM_INVALID);
}

int prism_tool_unknown_option(const char *tool, const char *option) {
  return prism_tool_usage("%s: unknown option %s; see prism %s --help", tool, option, tool);
}
