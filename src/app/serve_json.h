/* What the live page is told, as JSON texts. Units are those of docs/TELEMETRY.md. */
#ifndef PRISM_APP_SERVE_JSON_H
#define PRISM_APP_SERVE_JSON_H

#include "app/serve_run.h"

/* All that is settled and the state: /api/run. */
prism_status_t prism_serve_json_run(const prism_serve_run_t *run, prism_text_t *out);

/* The curves of all ranks, thinned, and from where to follow: /api/convergence. */
prism_status_t prism_serve_json_convergence(const prism_serve_run_t *run, prism_text_t *out);

/* Improvements, and the classes of the best: /api/solutions. */
prism_status_t prism_serve_json_solutions(const prism_serve_run_t *run, prism_text_t *out);

/* How many colorings went from where to where: /api/migrations. */
prism_status_t prism_serve_json_migrations(const prism_serve_run_t *run, prism_text_t *out);

typedef struct prism_serve_query {
  prism_record_kind_t kind; /* METRIC or GPU */
  double since;  /* rows with t >= since */
  int64_t from;  /* and not before this row of the table */
  int64_t limit; /* of rows in one answer */
} prism_serve_query_t;

/* Rows of a table, in its order: /api/metrics, /api/gpu. Reads the run file. */
prism_status_t prism_serve_json_rows(const prism_serve_run_t *run,
                                     const prism_serve_query_t *query, prism_text_t *out);

/* How far a follower has got. */
typedef struct prism_serve_place {
  int64_t generation; /* as in prism_serve_run_t; 0: at the end, whatever that is */
  int64_t metrics;    /* rows that it has */
} prism_serve_place_t;

/* Name of a place, "GENERATION.ROWS", and back; false: it is none. */
prism_status_t prism_serve_place_add(const prism_serve_place_t *place, prism_text_t *out);
bool prism_serve_place_parse(const char *text, prism_serve_place_t *place);

/* One message for a follower, in the form of server-sent events: the state and the points since
 * its place, or `reset` where those are not at hand any more. [in,out] place  moved on. */
prism_status_t prism_serve_json_message(const prism_serve_run_t *run, prism_serve_place_t *place,
                                        prism_text_t *out);

#endif
