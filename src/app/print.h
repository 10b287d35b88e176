/* Results leave the program here. */
#ifndef PRISM_APP_PRINT_H
#define PRISM_APP_PRINT_H

#include "base/file.h"

/* Write to standard output and flush. PRISM_STORAGE when it cannot be written. */
prism_status_t prism_print_text(const prism_text_t *text);

#endif
