#include "app/print.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

prism_status_t prism_print_text(const prism_text_t *text) {
  if (text->length == 0) return PRISM_OK;
  errno = 0;
  bool written = fwrite(text->data, 1, text->length, stdout) == text->length;
  if (fflush(stdout) != 0) written = false;
  if (!written) PRISM_FAIL(PRISM_STORAGE, "standard output: %s", strerror(errno));
  return PRISM_OK;
}
