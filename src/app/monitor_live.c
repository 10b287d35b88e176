/* prism monitor --live: the run on a whole terminal, kept up to date. The one home of ncurses. */
#include "app/monitor.h"

#if PRISM_HAVE_CURSES

#include <curses.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static const double LOOK_SECONDS = 0.4; /* between two looks at the files */
static const double LIFE_SECONDS = 1.0;
enum { KEY_MILLISECONDS = 100, MOST_FAILURES = 10, LINE_BYTES = 512, MOST_BUCKETS = 512 };

static volatile sig_atomic_t interrupted; /* by a signal that ends the view */

static void note_signal(int number) {
  (void)number;
  interrupted = 1;
}

typedef struct screen {
  prism_monitor_t *monitor;
  prism_run_life_t life;
  int rows, columns;
  int32_t scroll; /* first rank that is shown */
  bool utf8;      /* bars of eighths can be drawn */
} screen_t;

/* ---- Drawing ----------------------------------------------------------------- */

/* One line, cut at the edge; the rest of it is blank. */
static void put_line(const screen_t *screen, int y, const char *text) {
  if (y < 0 || y >= screen->rows) return;
  mvaddnstr(y, 0, text, screen->columns);
  clrtoeol();
}

static void draw_head(const screen_t *screen) {
  const prism_run_head_t *head = prism_run_head(screen->monitor->reader);
  const prism_run_stats_t *stats = &screen->monitor->stats;
  const prism_summary_row_t *result = prism_monitor_result(screen->monitor);
  char line[LINE_BYTES], name[LINE_BYTES / 4];
  prism_monitor_clean(head->graph_name, name, sizeof name);
  snprintf(line, sizeof line, " prism  %s  %" PRId64 " vertices, %" PRId64 " edges   %s   %.1f s",
           name, head->n, head->m, prism_monitor_life(screen->life),
           result != NULL ? result->time : stats->last_t);
  attron(A_REVERSE);
  mvhline(0, 0, ' ', screen->columns);
  mvaddnstr(0, 0, line, screen->columns);
  attroff(A_REVERSE);
  if (stats->best_colors > 0)
    snprintf(line, sizeof line, " best  %d colors, found after %.2f s%s", stats->best_colors,
             stats->best_t, result != NULL && result->optimal == 1 ? " (optimal)" : "");
  else
    snprintf(line, sizeof line, " best  none yet");
  attron(A_BOLD);
  put_line(screen, 1, line);
  attroff(A_BOLD);
}

/* Fewest conflicts of all chosen ranks in each of `count` equal spans of time; NaN where no
 * record lies. [out] most  of all */
static void collect_conflicts(const prism_monitor_t *monitor, int count, double *bucket,
                              double *most) {
  const prism_metric_t *row = prism_monitor_metrics(monitor);
  double from = fmax(0.0, monitor->since), width = (monitor->stats.last_t - from) / count;
  for (int i = 0; i < count; ++i) bucket[i] = NAN;
  *most = 0.0;
  for (int64_t i = 0; i < monitor->have[PRISM_RECORD_METRIC]; ++i) {
    if (row[i].conflicts < 0 || !prism_monitor_wants(monitor, PRISM_RECORD_METRIC, &row[i]))
      continue;
    double place = width > 0.0 ? (row[i].t - from) / width : 0.0;
    int at = place >= count ? count - 1 : place > 0.0 ? (int)place : 0;
    double conflicts = (double)row[i].conflicts;
    bucket[at] = fmin(bucket[at], conflicts); /* a number beats NaN */
    *most = fmax(*most, conflicts);
  }
}

/* Conflicts over time, on a logarithmic scale: one cell for each span. */
static void draw_conflicts(const screen_t *screen, int y) {
  static const char *const eighths[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                        "\u2585", "\u2586", "\u2587", "\u2588"};
  static const char *const plain[] = {"_", ".", "-", "=", "+", "*", "%", "#"};
  const char *const *bar = screen->utf8 ? eighths : plain;
  static const char label[] = " conflicts ";
  double bucket[MOST_BUCKETS], most = 0.0, now = NAN;
  put_line(screen, y, label);
  int count = screen->columns - (int)sizeof label - 12;
  if (count > MOST_BUCKETS) count = MOST_BUCKETS;
  if (count < 4 || y >= screen->rows) return;
  collect_conflicts(screen->monitor, count, bucket, &most);
  move(y, (int)sizeof label - 1);
  for (int i = 0; i < count; ++i) {
    if (!isnan(bucket[i])) now = bucket[i]; /* spans without a record go on with the last one */
    int level = most > 0.0 && now > 0.0 ? (int)(7.99 * log1p(now) / log1p(most)) : 0;
    addstr(isnan(now) ? " " : bar[level]);
  }
  char text[32];
  snprintf(text, sizeof text, " %.0f", now);
  if (!isnan(now)) addstr(text);
}

static void format_rate(double rate, char *out, size_t size) {
  if (isnan(rate))
    snprintf(out, size, "-");
  else if (rate >= 1e7)
    snprintf(out, size, "%.1fM", 1e-6 * rate);
  else if (rate >= 1e4)
    snprintf(out, size, "%.1fk", 1e-3 * rate);
  else
    snprintf(out, size, "%.0f", rate);
}

static void format_share(double percent, char *out, size_t size) {
  if (isnan(percent))
    snprintf(out, size, "-");
  else
    snprintf(out, size, "%.0f%%", percent);
}

/* Where a rank searches, in short: its device without what stands in brackets. */
static void device_of(const prism_monitor_t *monitor, int32_t rank, char *out, size_t size) {
  const prism_rank_row_t *row = prism_monitor_rank(prism_run_head(monitor->reader), rank);
  const bool known = row != NULL && row->device[0] != '\0';
  prism_monitor_clean(known ? row->device : monitor->stats.rank[rank].last.mode, out, size);
}

/* A row of the ranks. The step goes first where the terminal is narrow, then the device gets
 * shorter: at 80 columns all numbers are there. */
static void put_rank(const screen_t *screen, int y, const char *rank, const char *device,
                     const char *phase, const char *step, const char *numbers) {
  enum { OTHERS = 59, STEP = 11, LEAST = 8, MOST = 22 }; /* columns; of the device */
  char line[2 * LINE_BYTES], middle[32] = ""; /* the numbers may be a line themselves */
  int room = screen->columns - OTHERS;
  if (room >= MOST + STEP) snprintf(middle, sizeof middle, " %-10s", step);
  room = room > MOST ? MOST : room < LEAST ? LEAST : room;
  snprintf(line, sizeof line, " %4s %-*.*s %-8s%s%s", rank, room, room, device, phase, middle,
           numbers);
  put_line(screen, y, line);
}

static void draw_rank(const screen_t *screen, int y, int32_t rank) {
  const prism_run_rank_stats_t *row = &screen->monitor->stats.rank[rank];
  char line[LINE_BYTES], number[16], device[24], phase[20], step[20], speed[24], use[24], idle[24];
  device_of(screen->monitor, rank, device, sizeof device);
  prism_monitor_clean(prism_monitor_tag(row->last.phase), phase, sizeof phase);
  prism_monitor_clean(row->last.step, step, sizeof step);
  format_rate(row->rate, speed, sizeof speed);
  format_share(row->has_gpu ? row->gpu.utilization : NAN, use, sizeof use);
  format_share(row->has_gpu ? 100.0 * row->idle_now : NAN, idle, sizeof idle);
  snprintf(number, sizeof number, "%d", rank);
  snprintf(line, sizeof line, " %9s %5d %5d %9" PRId64 " %5s %5s", speed, row->last.colors,
           row->last.best_colors, row->last.conflicts, use, idle);
  put_rank(screen, y, number, device, phase, step, line);
}

/* Ranks that have told something. */
static int32_t rank_count(const prism_monitor_t *monitor) {
  int32_t count = 0;
  for (int32_t i = 0; i < monitor->stats.ranks; ++i) count += monitor->stats.rank[i].records > 0;
  return count;
}

static void draw_ranks(screen_t *screen, int y) {
  const prism_run_stats_t *stats = &screen->monitor->stats;
  int room = screen->rows - y - 2; /* title and last line */
  int32_t all = rank_count(screen->monitor), most = room > 0 ? all - room : all - 1, seen = 0;
  if (screen->scroll > most) screen->scroll = most;
  if (screen->scroll < 0) screen->scroll = 0;
  char line[LINE_BYTES];
  snprintf(line, sizeof line, " %9s %5s %5s %9s %5s %5s", "it/s", "k", "best", "conflicts", "use",
           "idle");
  attron(A_UNDERLINE);
  put_rank(screen, y++, "rank", "device", "phase", "step", line);
  attroff(A_UNDERLINE);
  for (int32_t i = 0; i < stats->ranks && y < screen->rows - 1; ++i) {
    if (stats->rank[i].records == 0 || seen++ < screen->scroll) continue;
    draw_rank(screen, y++, i);
  }
}

static void draw(screen_t *screen) {
  const prism_summary_row_t *result = prism_monitor_result(screen->monitor);
  getmaxyx(stdscr, screen->rows, screen->columns);
  erase();
  draw_head(screen);
  draw_conflicts(screen, 2);
  draw_ranks(screen, 4);
  char line[LINE_BYTES], reason[64] = "";
  if (result != NULL) prism_monitor_clean(result->exit_reason, reason, sizeof reason);
  snprintf(line, sizeof line, " q quits, arrows scroll   %" PRId64 " records%s%s",
           screen->monitor->have[PRISM_RECORD_METRIC], result != NULL ? "   ended by " : "",
           reason);
  put_line(screen, screen->rows - 1, line);
  refresh();
}

/* ---- The loop ----------------------------------------------------------------- */

/* Returns false when the view ends. */
static bool take_key(screen_t *screen, int key) {
  int page = screen->rows > 8 ? screen->rows - 7 : 1;
  switch (key) {
    case 'q':
    case 'Q':
    case 3: /* Ctrl-C where the terminal sends it as a key */
      return false;
    case KEY_UP:
      --screen->scroll;
      break;
    case KEY_DOWN:
      ++screen->scroll;
      break;
    case KEY_PPAGE:
      screen->scroll -= page;
      break;
    case KEY_NPAGE:
      screen->scroll += page;
      break;
    case KEY_HOME:
      screen->scroll = 0;
      break;
    default: /* also KEY_RESIZE: the next drawing asks for the size */
      break;
  }
  return true;
}

static prism_status_t look(screen_t *screen, int *failures) {
  prism_status_t status = prism_run_refresh(screen->monitor->reader);
  if (status == PRISM_OK) status = prism_monitor_take(screen->monitor);
  *failures = status == PRISM_OK ? 0 : *failures + 1;
  return *failures < MOST_FAILURES ? PRISM_OK : status; /* it may meet a writer at work */
}

static prism_status_t watch(screen_t *screen) {
  double look_at = 0.0, ask_at = 0.0;
  int failures = 0;
  bool goes_on = true;
  while (goes_on && !interrupted) {
    double now = prism_clock_now();
    if (now >= ask_at) {
      screen->life = prism_run_life(screen->monitor->reader);
      ask_at = now + LIFE_SECONDS;
    }
    if (now >= look_at) {
      PRISM_TRY(look(screen, &failures));
      draw(screen);
      look_at = prism_clock_now() + LOOK_SECONDS;
    }
    int key = getch();
    if (key == ERR) continue;
    goes_on = take_key(screen, key);
    look_at = 0.0;
  }
  return PRISM_OK;
}

/* Can the terminal's character set show the bars? */
static bool shows_bars(void) {
  char bytes[16];
  setlocale(LC_CTYPE, ""); /* numbers stay as they are */
  return MB_CUR_MAX > 1 && MB_CUR_MAX <= sizeof bytes && wctomb(bytes, 0x2588) == 3 &&
         memcmp(bytes, "\u2588", 3) == 0;
}

prism_status_t prism_monitor_live(prism_monitor_t *monitor) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  enum { NUMBERS = sizeof numbers / sizeof numbers[0] };
  const char *kind = getenv("TERM");
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || kind == NULL || kind[0] == '\0' ||
      strcmp(kind, "dumb") == 0)
    PRISM_FAIL(PRISM_UNSUPPORTED, "--live needs a terminal; --tail does without");
  screen_t screen = {.monitor = monitor, .utf8 = shows_bars()};
  SCREEN *terminal = newterm(NULL, stdout, stdin);
  if (terminal == NULL)
    PRISM_FAIL(PRISM_UNSUPPORTED, "--live does not know the terminal %s (TERM)", kind);
  struct sigaction action = {.sa_handler = note_signal}, was[NUMBERS];
  interrupted = 0;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < NUMBERS; ++i) sigaction(numbers[i], &action, &was[i]);
  set_term(terminal);
  cbreak();
  noecho();
  curs_set(0);
  keypad(stdscr, TRUE);
  timeout(KEY_MILLISECONDS);
  prism_status_t status = watch(&screen);
  endwin();
  delscreen(terminal);
  for (int i = 0; i < NUMBERS; ++i) sigaction(numbers[i], &was[i], NULL);
  return status;
}

#else

prism_status_t prism_monitor_live(prism_monitor_t *monitor) {
  (void)monitor;
  PRISM_FAIL(PRISM_UNSUPPORTED, "this build has no --live: it was made without ncurses "
                                "(package libncurses-dev); --tail does without");
}

#endif
