/* The runs of one program: each with its own seed, store and files. */
#ifndef PRISM_APP_RUNS_H
#define PRISM_APP_RUNS_H

#include "app/devices.h"
#include "app/exchange.h"
#include "app/input.h"
#include "app/outputs.h"
#include "app/progress.h"
#include "app/report.h"
#include "solve/solve.h"

/* Everything that is settled before the first run; all borrowed. Members marked
 * (0) are set on rank 0 only. */
typedef struct prism_session {
  prism_comm_t *comm;
  const prism_params_t *params;
  const prism_devices_t *devices;
  prism_exchange_t *exchange;    /* of the pools */
  double start_time;
  const prism_input_t *input;    /* (0) */
  prism_checkpoint_reader_t *resume; /* (0) of input->graph; NULL: a new run */
  const prism_rank_row_t *ranks; /* (0) [comm->size] */
  const prism_stem_t *stem;      /* (0) */
  const char *graph_path;
  prism_report_job_t job;        /* (0) */
  prism_progress_view_t *view;
  prism_pulse_t *pulse;          /* of the search, watched over; 0 between runs */
} prism_session_t;

/* Exit code of a run that was saved to be resumed. */
enum { PRISM_EXIT_CODE_SAVED = 85 };

/* Run all, report on standard output. Collective; every rank gets the same status
 * and exit code (0, 1 or PRISM_EXIT_CODE_SAVED, valid when the status is PRISM_OK). A lost
 * peer is the exception: PRISM_PEER or PRISM_TIMEOUT may come on some ranks alone. */
prism_status_t prism_runs_execute(const prism_session_t *session, int *exit_code);

#endif
