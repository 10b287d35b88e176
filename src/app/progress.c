#include "app/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const double live_interval = 0.2;
static const double plain_interval = 5.0;
static const double improved_interval = 0.5; /* a descent would fill the page */

void prism_progress_begin(prism_progress_view_t *view, bool quiet) {
  memset(view, 0, sizeof *view);
  view->quiet = quiet;
  view->terminal = isatty(STDERR_FILENO) != 0;
  pthread_mutex_init(&view->lock, NULL);
  prism_progress_restart(view);
}

void prism_progress_restart(prism_progress_view_t *view) {
  view->shown = -plain_interval;
  view->improved = false;
}

/* Take the live line away before something lasting is printed. */
static void clear_live(prism_progress_view_t *view) {
  if (view->live) fputs("\r\033[K", stderr);
  view->live = false;
}

void prism_progress_end(prism_progress_view_t *view) {
  pthread_mutex_lock(&view->lock);
  if (view->live) fputc('\n', stderr); /* the last state stays readable */
  view->live = false;
  pthread_mutex_unlock(&view->lock);
  pthread_mutex_destroy(&view->lock);
}

/* 12345678 -> "12.3M" */
static void short_number(double value, char out[16]) {
  static const char unit[] = {' ', 'k', 'M', 'G', 'T'};
  int at = 0;
  while (value >= 1000 && at + 1 < (int)sizeof unit) {
    value /= 1000;
    ++at;
  }
  if (at == 0) {
    snprintf(out, 16, "%.0f", value);
  } else {
    snprintf(out, 16, "%.*f%c", value < 10 ? 2 : value < 100 ? 1 : 0, value, unit[at]);
  }
}

void prism_progress_line(const prism_progress_t *progress, char *out, size_t size) {
  char speed[16], conflicts[24] = "-", diversity[16] = "-", left[32] = "no limit";
  short_number(progress->iterations_per_second, speed);
  if (progress->conflicts >= 0) {
    snprintf(conflicts, sizeof conflicts, "%" PRId64, progress->conflicts);
  }
  if (progress->diversity >= 0) {
    snprintf(diversity, sizeof diversity, "%.2f", progress->diversity);
  }
  if (progress->remaining >= 0) snprintf(left, sizeof left, "%.0f s left", progress->remaining);
  char best[32] = "none yet";
  if (progress->best_colors > 0) snprintf(best, sizeof best, "best %d", progress->best_colors);
  /* a narrow terminal cuts the end off: the least important stands there */
  snprintf(out, size, "k=%d conflicts=%s | %s | %s it/s | diversity %s | %.1f s, %s | %s",
           progress->searched_colors, conflicts, best, speed, diversity,
           progress->elapsed, left, progress->method == NULL ? "-" : progress->method);
}

/* Columns of the terminal; a longer live line would wrap and pile up. */
static int terminal_columns(void) {
  struct winsize window;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1) return window.ws_col;
  return 80;
}

void prism_progress_show(void *user, const prism_progress_t *progress) {
  prism_progress_view_t *view = user;
  if (view->quiet) return;
  if (progress->improved) view->improved = true;
  double plain = view->improved ? improved_interval : plain_interval;
  if (progress->elapsed - view->shown < (view->terminal ? live_interval : plain)) return;
  view->shown = progress->elapsed;
  view->improved = false;
  char line[256];
  prism_progress_line(progress, line, sizeof line);
  pthread_mutex_lock(&view->lock);
  if (view->terminal) {
    fprintf(stderr, "\r%.*s\033[K", terminal_columns() - 1, line);
    view->live = true;
  } else {
    fprintf(stderr, "%s\n", line);
  }
  fflush(stderr);
  pthread_mutex_unlock(&view->lock);
}

void prism_progress_warn(void *user, const char *text) {
  prism_progress_view_t *view = user;
  pthread_mutex_lock(&view->lock);
  clear_live(view);
  fprintf(stderr, "prism-dist: warning: %s\n", text);
  pthread_mutex_unlock(&view->lock);
}

void prism_progress_note(prism_progress_view_t *view, const char *format, ...) {
  if (view->quiet) return;
  va_list args;
  va_start(args, format);
  pthread_mutex_lock(&view->lock);
  clear_live(view);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  pthread_mutex_unlock(&view->lock);
  va_end(args);
}

void prism_progress_remark(void *user, const char *text) { prism_progress_note(user, "%s", text); }
