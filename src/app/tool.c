#include "app/tool.h"

#include <stdarg.h>
#include <stdio.h>

int prism_tool_fail(prism_status_t status) {
  const char *text = prism_error_text();
  fprintf(stderr, "prism: %s\n", text[0] != '\0' ? text : prism_status_text(status));
  return prism_status_exit_code(status);
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
