/* prism monitor --serve: a run as a page in the browser. */
#ifndef PRISM_APP_SERVE_H
#define PRISM_APP_SERVE_H

#include <stddef.h>

#include "solve/run_reader.h"

/* Serve the run until an interrupt. [in] address  as for prism_listen_open; path  a file that
 * prism_find_run named. PRISM_UNSUPPORTED in a build without libmicrohttpd. */
prism_status_t prism_serve(const char *address, const char *path, prism_run_source_t source);

/* A file of the page (src/app/page), part of the program. */
typedef struct prism_page_file {
  const char *name; /* "page.css" */
  const char *type; /* of its content */
  const unsigned char *data;
  size_t bytes;
} prism_page_file_t;

/* Ends with a row whose name is NULL. */
extern const prism_page_file_t prism_page_files[];

#endif
