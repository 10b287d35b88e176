/* prism-dist: color a graph with few colors on one or many processes. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/background.h"
#include "app/config.h"
#include "app/cores.h"
#include "app/devices.h"
#include "app/exchange.h"
#include "app/map.h"
#include "app/options.h"
#include "app/print.h"
#include "app/runs.h"
#include "app/signals.h"
#include "app/startup.h"
#include "app/versions.h"
#include "app/watchdog.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "prism/prism.h"

/* Reading goes on in a thread that outlives an interrupted wait. */
typedef struct read_task {
  const char *graph, *initial;
  prism_input_t input;
} read_task_t;

/* As above. */
typedef struct open_task {
  char path[PRISM_PARAM_TEXT_BYTES];
  prism_checkpoint_reader_t *reader;
} open_task_t;

typedef struct program {
  prism_startup_t startup;
  prism_options_t options;
  prism_session_t session;
  prism_progress_view_t view;
  prism_cores_t cores;
  prism_devices_t devices;
  prism_exchange_t exchange;
  prism_rank_row_t *ranks;    /* [size] */
  prism_background_t *reader; /* rank 0: fills `reading` */
  read_task_t *reading;       /* rank 0 */
  open_task_t *resume;        /* rank 0; NULL: a new run */
  prism_stem_t stem;          /* rank 0 */
  prism_pulse_t pulse;        /* of this rank's search */
  prism_watchdog_t *watchdog; /* over it */
} program_t;

/* A readable seed of 32 bits that differs between programs of the same instant. */
static uint64_t seed_from_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t mixed = prism_rng_derive((uint64_t)now.tv_sec * 1000000007u + (uint64_t)now.tv_nsec,
                                    (uint64_t)getpid());
  return (mixed >> 32) | 1;
}

static prism_status_t open_checkpoint(void *argument) {
  open_task_t *task = argument;
  return prism_checkpoint_open(task->path, NULL, &task->reader);
}

/* The checkpoint is read beside a living main thread: it may be large. The graph is compared
 * when it has been read; here its settings are needed. Rank 0. */
static prism_status_t read_checkpoint(program_t *program, int argc, char *const *argv) {
  prism_options_t *options = &program->options;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &program->resume));
  snprintf(program->resume->path, sizeof program->resume->path, "%s",
           options->params.run.resume);
  bool abandoned;
  prism_status_t status =
      prism_background_run(&program->startup.comm, prism_signals_flag(), open_checkpoint,
                           program->resume, &abandoned);
  if (abandoned) program->resume = NULL; /* the thread is still using it */
  PRISM_TRY(status);
  return prism_options_resume(argc, argv, prism_checkpoint_head(program->resume->reader), options);
}

static prism_status_t parse_options(program_t *program, int argc, char *const *argv) {
  prism_options_t *options = &program->options;
  prism_params_run_t *run = &options->params.run;
  PRISM_TRY(prism_options_parse(argc, argv, options));
  bool takes_values = options->action == PRISM_ACTION_RUN ||
                      options->action == PRISM_ACTION_PRINT_CONFIG;
  if (takes_values && run->resume[0] != '\0') PRISM_TRY(read_checkpoint(program, argc, argv));
  if (options->action == PRISM_ACTION_RUN && run->seed == 0) run->seed = seed_from_clock();
  return PRISM_OK;
}

/* Rank 0 parses; the others get the bytes. Collective. */
static prism_status_t read_options(program_t *program, int argc, char *const *argv) {
  prism_comm_t *comm = &program->startup.comm;
  prism_options_t *options = &program->options;
  prism_status_t status = comm->rank == 0 ? parse_options(program, argc, argv) : PRISM_OK;
  PRISM_TRY(comm->ops->agree(comm->self, status));
  return comm->ops->bcast(comm->self, options, sizeof *options, 0);
}

/* --help, --version, --print-config, --list-devices */
static prism_status_t print_information(const prism_options_t *options) {
  prism_text_t text = {0};
  prism_status_t status = PRISM_OK;
  if (options->action == PRISM_ACTION_HELP) status = prism_options_help(&text);
  if (options->action == PRISM_ACTION_VERSION) {
    status = prism_versions_format("prism-dist", &text);
  }
  if (options->action == PRISM_ACTION_PRINT_CONFIG) {
    status = prism_config_format(&options->params, &text);
  }
  if (options->action == PRISM_ACTION_LIST_DEVICES) {
    status = prism_devices_format(&options->params, &text);
  }
  if (status == PRISM_OK) status = prism_print_text(&text);
  prism_text_free(&text);
  return status;
}

/* Which device, how many threads, who else is there. Collective. */
static prism_status_t survey_machine(program_t *program) {
  const prism_params_t *params = &program->options.params;
  prism_comm_t *comm = &program->startup.comm;
  PRISM_TRY(prism_startup_configure(&program->startup, &params->run));
  PRISM_TRY(prism_cores_default(comm, &program->cores));
  prism_devices_t *devices = &program->devices;
  PRISM_TRY(prism_devices_choose(comm, params, &program->cores, devices));
  if (params->run.threads > 0) {
    program->cores.threads = (int32_t)params->run.threads;
    snprintf(program->cores.reason, sizeof program->cores.reason, "as asked for");
  }
  prism_rank_row_t row;
  memset(&row, 0, sizeof row);
  row.rank = comm->rank;
  row.threads = devices->threads;
  row.gpu = devices->gpu ? devices->seen.index : -1;
  gethostname(row.host, sizeof row.host - 1);
  if (devices->gpu) {
    snprintf(row.device, sizeof row.device, "%s", devices->seen.name);
    snprintf(row.uuid, sizeof row.uuid, "%s", devices->seen.uuid);
  } else {
    snprintf(row.device, sizeof row.device, "cpu (%.50s)", devices->detail);
  }
  snprintf(row.processors, sizeof row.processors, "%s", program->cores.processors);
  prism_status_t status = PRISM_ALLOC(comm->size, &program->ranks);
  PRISM_TRY(comm->ops->agree(comm->self, status));
  return comm->ops->allgather(comm->self, &row, program->ranks, sizeof row);
}

static prism_status_t read_input(void *argument) {
  read_task_t *task = argument;
  return prism_input_read(task->graph, task->initial, &task->input);
}

/* Where the files go; refused outputs. Rank 0. */
static prism_status_t name_files(program_t *program) {
  const prism_options_t *options = &program->options;
  const prism_params_t *params = &options->params;
  PRISM_TRY(prism_stem_create(params, options->graph, params->run.seed, &program->stem));
  return prism_outputs_check(params, &program->stem, options->graph);
}

/* Named outputs are checked before the graph is read, default ones after it. Rank 0. */
static prism_status_t begin_reading(program_t *program) {
  const prism_options_t *options = &program->options;
  if (options->params.run.output[0] != '\0') PRISM_TRY(name_files(program));
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &program->reading));
  program->reading->graph = options->graph;
  program->reading->initial = options->params.run.initial;
  return prism_background_start(read_input, program->reading, &program->reader);
}

static prism_status_t end_reading(program_t *program) {
  bool abandoned;
  prism_status_t status = prism_background_await(&program->reader, &program->startup.comm,
                                                 prism_signals_flag(), &abandoned);
  if (abandoned) program->reading = NULL; /* the thread is still using it */
  PRISM_TRY(status);
  if (program->resume != NULL) {
    const prism_input_t *input = &program->reading->input;
    prism_checkpoint_graph_t graph = {input->hash, input->graph->n, input->graph->m};
    PRISM_TRY(prism_checkpoint_check_graph(program->resume->reader, &graph));
  }
  return program->options.params.run.output[0] != '\0' ? PRISM_OK : name_files(program);
}

/* A line for ranks that are alike. Not worth an error. */
static void show_map(program_t *program) {
  prism_text_t map = {0};
  if (prism_map_format(program->ranks, program->startup.comm.size, &map) == PRISM_OK) {
    for (char *line = map.data, *end; line != NULL && *line != '\0'; line = end) {
      end = line + strcspn(line, "\n");
      if (*end != '\0') *end++ = '\0';
      prism_progress_note(&program->view, "%s", line);
    }
  }
  prism_text_free(&map);
}

/* What rank 0 says before the search. */
static void introduce(program_t *program) {
  const prism_session_t *session = &program->session;
  const prism_input_t *input = session->input;
  const prism_dimacs_report_t *report = &input->report;
  if (program->options.note[0] != '\0')
    prism_progress_warn(&program->view, program->options.note);
  for (int32_t i = 0; i < report->warnings; ++i) {
    prism_progress_warn(&program->view, report->warning[i]);
  }
  prism_progress_note(&program->view, "%s: %d vertices, %" PRId64 " edges, read in %.2f s",
                      session->graph_path, input->graph->n, input->graph->m, report->seconds);
  const prism_devices_t *devices = &program->devices;
  bool reason = devices->reason[0] != '\0';
  prism_progress_note(&program->view,
                      "%d rank%s x %d thread%s (%s%s); device %s, %s%s%s%s; comm %s%s%s",
                      session->comm->size, session->comm->size == 1 ? "" : "s", devices->threads,
                      devices->threads == 1 ? "" : "s", program->cores.reason,
                      devices->gpu && devices->threads < program->cores.threads
                          ? ", one drives the GPU" : "",
                      session->job.device, devices->detail, reason ? " (" : "",
                      devices->reason, reason ? ")" : "", session->comm->ops->name,
                      program->exchange.text[0] != '\0' ? "; " : "", program->exchange.text);
  if (session->comm->size > 1) show_map(program);
  prism_progress_note(&program->view, "seed %" PRIu64 "; files %s.*", session->params->run.seed,
                      program->stem.path);
  if (session->resume != NULL) {
    const prism_checkpoint_head_t *head = prism_checkpoint_head(session->resume);
    prism_progress_note(&program->view, "goes on from %s: %.1f s and %" PRId64
                        " iterations so far", session->params->run.resume, head->elapsed,
                        head->iterations);
  }
  if (input->initial != NULL) {
    prism_progress_note(&program->view, "start from %s: %d colors", session->params->run.initial,
                        input->initial_colors);
  }
}

/* The search of this rank hangs: nobody can be asked any more. Called from another thread. */
static void end_hung(void *user, const char *text) {
  const program_t *program = user;
  char host[PRISM_HOST_BYTES] = "";
  gethostname(host, sizeof host - 1);
  fprintf(stderr,
          "prism-dist: rank %d on %s hangs: %s; the job ends, the best coloring so far is on the "
          "disk\n", program->startup.comm.rank, host, text);
  prism_startup_abort(&program->startup, prism_status_exit_code(PRISM_PEER));
}

/* Everything from the parsed options on. Collective. */
static prism_status_t color_graph(program_t *program, double start_time, int *exit_code) {
  prism_comm_t *comm = &program->startup.comm;
  const prism_params_t *params = &program->options.params;
  bool first = comm->rank == 0;
  PRISM_TRY(comm->ops->agree(comm->self, survey_machine(program)));
  prism_status_t status = prism_watchdog_start(&program->pulse, params->run.watchdog, end_hung,
                                               program, &program->watchdog);
  PRISM_TRY(comm->ops->agree(comm->self, status));
  prism_devices_prepare(&program->devices); /* while the graph is read and bounded */
  status = first ? begin_reading(program) : PRISM_OK;
  PRISM_TRY(comm->ops->agree(comm->self, status));
  /* Ranks find each other while the graph is read. */
  PRISM_TRY(prism_exchange_open(comm, &program->devices, params, &program->exchange));
  status = first ? end_reading(program) : PRISM_OK;
  PRISM_TRY(comm->ops->agree(comm->self, status));
  program->session = (prism_session_t){
      .comm = comm,
      .params = params,
      .devices = &program->devices,
      .exchange = &program->exchange,
      .start_time = start_time,
      .input = first ? &program->reading->input : NULL,
      .resume = program->resume != NULL ? program->resume->reader : NULL,
      .ranks = program->ranks,
      .stem = &program->stem,
      .graph_path = program->options.graph,
      .view = &program->view,
      .pulse = &program->pulse,
  };
  if (first) {
    program->session.job = (prism_report_job_t){
        .graph = program->options.graph,
        .n = program->reading->input.graph->n,
        .m = program->reading->input.graph->m,
        .ranks = comm->size,
        .threads = program->devices.threads,
        .device = program->devices.gpu ? "cuda" : "cpu",
        .device_detail = program->devices.detail,
    };
    introduce(program);
  }
  return prism_runs_execute(&program->session, exit_code);
}

static void release(program_t *program) {
  prism_watchdog_stop(&program->watchdog);
  prism_exchange_close(&program->exchange);
  if (prism_background_leave(&program->reader)) program->reading = NULL;
  prism_devices_release(&program->devices);
  if (program->reading != NULL) prism_input_release(&program->reading->input);
  prism_free(program->reading);
  if (program->resume != NULL) prism_checkpoint_close(&program->resume->reader);
  prism_free(program->resume);
  prism_free(program->ranks);
  prism_stem_release(&program->stem);
}

/* Exit code of a run that was interrupted before its search. With USR2, sent to any rank, a
 * resumed run is put off: its checkpoint is as it was. Collective. */
static int explain_interrupted(const program_t *program) {
  const prism_comm_t *comm = &program->startup.comm;
  int64_t put_off = atomic_load(prism_signals_flag()) == SIGUSR2;
  int exit_code = 1;
  if (comm->ops->allreduce_i64(comm->self, &put_off, &put_off, 1, PRISM_REDUCE_MAX) != PRISM_OK)
    return exit_code;
  if (comm->rank == 0) { /* which alone may have read the options */
    const char *resume = program->options.params.run.resume;
    if (resume[0] == '\0') {
      fprintf(stderr, "prism-dist: interrupted before a coloring was found\n");
    } else {
      fprintf(stderr, "prism-dist: interrupted before the search went on; %s is as it was\n",
              resume);
      if (put_off != 0) exit_code = PRISM_EXIT_CODE_SAVED;
    }
  }
  if (comm->ops->bcast(comm->self, &exit_code, sizeof exit_code, 0) != PRISM_OK) return 1;
  return exit_code;
}

/* Say what went wrong; the exit code. Ranks that agree let rank 0 speak. */
static int explain(const program_t *program, prism_status_t status) {
  int32_t rank = program->startup.comm.rank;
  bool lost = status == PRISM_PEER || status == PRISM_TIMEOUT;
  if (status == PRISM_INTERRUPTED) return explain_interrupted(program);
  if (rank == 0 || lost) {
    const char *text = prism_error_text();
    if (text[0] == '\0') text = prism_status_text(status);
    if (program->startup.comm.size > 1 && lost) {
      fprintf(stderr, "prism-dist: rank %d: %s\n", rank, text);
    } else {
      fprintf(stderr, "prism-dist: %s\n", text);
    }
    if (program->options.params.run.verbose) fputs(prism_error_trace(), stderr);
  }
  return prism_status_exit_code(status);
}

static int run_program(program_t *program, int argc, char *const *argv, double start_time) {
  int exit_code = 0;
  prism_status_t status = read_options(program, argc, argv);
  const prism_comm_t *comm = &program->startup.comm;
  bool run = status == PRISM_OK && program->options.action == PRISM_ACTION_RUN;
  if (status == PRISM_OK && !run) {
    status = comm->rank == 0 ? print_information(&program->options) : PRISM_OK;
    status = comm->ops->agree(comm->self, status);
  }
  if (run) {
    prism_progress_begin(&program->view, program->options.params.run.quiet || comm->rank != 0);
    status = color_graph(program, start_time, &exit_code);
    prism_progress_end(&program->view);
  }
  if (status != PRISM_OK) exit_code = explain(program, status);
  if (program->startup.mpi && (status == PRISM_PEER || status == PRISM_TIMEOUT)) {
    /* Nobody can be asked any more; rank 0 has closed its files by now, the others
     * leave it the time to do so. */
    if (comm->rank != 0) prism_clock_sleep(1.0);
    prism_exchange_close(&program->exchange);
    prism_devices_release(&program->devices);
    prism_startup_abort(&program->startup, exit_code);
  }
  release(program);
  return exit_code;
}

int main(int argc, char **argv) {
  double start_time = prism_clock_now();
  program_t program;
  memset(&program, 0, sizeof program);
  prism_status_t status = prism_signals_install(); /* USR1 would end a program without */
  if (status == PRISM_OK) status = prism_startup_begin(&program.startup);
  if (status != PRISM_OK) {
    int exit_code = explain(&program, status);
    if (program.startup.mpi) prism_startup_abort(&program.startup, exit_code);
    return exit_code;
  }
  int exit_code = run_program(&program, argc, argv, start_time);
  prism_startup_end(&program.startup);
  return exit_code;
}
