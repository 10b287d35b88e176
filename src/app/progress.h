/* What the user sees on stderr while a run goes on: a live line on a terminal,
 * otherwise a plain line every few seconds and at every improvement; warnings.
 * Lines from several threads do not mix. */
#ifndef PRISM_APP_PROGRESS_H
#define PRISM_APP_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>

#include "solve/solve.h"

typedef struct prism_progress_view {
  bool quiet;     /* warnings and errors only */
  bool terminal;  /* stderr is one */
  bool live;      /* an unfinished line stands on the terminal */
  double shown;   /* elapsed time of the last line */
  bool improved;  /* there was a better coloring since */
  pthread_mutex_t lock;
} prism_progress_view_t;

void prism_progress_begin(prism_progress_view_t *view, bool quiet);
void prism_progress_end(prism_progress_view_t *view);

/* Begin a new run: its clock starts at 0 again. */
void prism_progress_restart(prism_progress_view_t *view);

/* Callbacks of prism_solve and prism_store_open; user is the view. */
void prism_progress_show(void *user, const prism_progress_t *progress);
void prism_progress_warn(void *user, const char *text);
void prism_progress_remark(void *user, const char *text); /* dropped when quiet */

/* A remark; dropped when quiet. */
void prism_progress_note(prism_progress_view_t *view, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One line of state: "k=48 conflicts=12 | best 49 | 1.9M it/s | ...". */
void prism_progress_line(const prism_progress_t *progress, char *out, size_t size);

#endif
