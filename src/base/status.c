#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct error_slot {
  char text[1024];
  char trace[2048];
} error_slot_t;

static _Thread_local error_slot_t slot;

const char *prism_status_text(prism_status_t status) {
  switch (status) {
#define CASE(name, exit_code, text) \
  case PRISM_##name:                \
    return text;
    PRISM_STATUS_LIST(CASE)
#undef CASE
    case PRISM_STATUS_COUNT:
      break;
  }
  return "unknown status";
}

int prism_status_exit_code(prism_status_t status) {
  switch (status) {
#define CASE(name, exit_code, text) \
  case PRISM_##name:                \
    return exit_code;
    PRISM_STATUS_LIST(CASE)
#undef CASE
    case PRISM_STATUS_COUNT:
      break;
  }
  return 4;
}

const char *prism_error_text(void) { return slot.text; }
const char *prism_error_trace(void) { return slot.trace; }

void prism_error_clear(void) {
  slot.text[0] = '\0';
  slot.trace[0] = '\0';
}

prism_status_t prism_error_set(prism_status_t status, const char *text) {
  snprintf(slot.text, sizeof slot.text, "%s", text);
  slot.trace[0] = '\0';
  return status;
}

void prism_error_frame(const char *file, int line, const char *function) {
  size_t used = strlen(slot.trace);
  snprintf(slot.trace + used, sizeof slot.trace - used, "%s:%d %s\n", file, line, function);
}

prism_status_t prism_error_record(prism_status_t status, const char *file, int line,
                                  const char *function, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char text[sizeof slot.text]; /* the arguments may point into the old text */
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  memcpy(slot.text, text, sizeof text);
  slot.trace[0] = '\0';
  prism_error_frame(file, line, function);
  return status;
}
