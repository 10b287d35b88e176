/* Results as text: the summary, the JSON object, the table of --runs. */
#ifndef PRISM_APP_REPORT_H
#define PRISM_APP_REPORT_H

#include "app/outputs.h"
#include "solve/solve.h"

/* What all runs of a program have in common; borrowed. */
typedef struct prism_report_job {
  const char *graph; /* as given */
  int32_t n;
  int64_t m;
  int32_t ranks;
  int32_t threads;
  const char *device; /* "cpu", "cuda" */
  const char *device_detail; /* "avx512", "NVIDIA H100 ..." */
} prism_report_job_t;

/* One finished run. */
typedef struct prism_report_run {
  uint64_t seed;
  prism_result_t result;   /* the coloring itself may be gone; colors 0: none found */
  prism_outputs_t outputs; /* owned */
  int64_t lost, failures;  /* of the store */
  bool saved;              /* a checkpoint of this run lies at its place */
  bool goes_on;            /* and a run resumed from it would have something to do */
} prism_report_run_t;

void prism_report_run_release(prism_report_run_t *run);

/* Did the run do what was asked? */
bool prism_report_met(const prism_report_run_t *run);

prism_status_t prism_report_summary(const prism_report_job_t *job, const prism_report_run_t *run,
                                    prism_text_t *out);
/* An object on one line, or with `array` an array of them. */
prism_status_t prism_report_json(const prism_report_job_t *job, const prism_report_run_t *runs,
                                 int64_t count, bool array, prism_text_t *out);
/* One line a run, then success rate, median and mean time and iterations. Without
 * a target the runs that reached the fewest colors count as successes. */
prism_status_t prism_report_table(const prism_report_run_t *runs, int64_t count,
                                  prism_text_t *out);

#endif
