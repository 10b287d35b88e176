/* The run that the live page shows: what is known of it so far, in memory whose size does not
 * grow with the length of the run. Belongs to one thread. */
#ifndef PRISM_APP_SERVE_RUN_H
#define PRISM_APP_SERVE_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "app/run_stats.h"
#include "app/serve_tally.h"
#include "base/file.h"
#include "solve/run_reader.h"

enum {
  PRISM_SERVE_PIECE = 1024,  /* metrics that share an entry of latest_t */
  PRISM_SERVE_RECENT = 4096, /* newest metrics that are kept for those who follow */
  PRISM_SERVE_EVENTS = 20,   /* newest events that are kept */
  PRISM_SERVE_LONGEST = 1024 /* points of one rank, if the ranks are few */
};

/* A metric, or several in a row of one rank, as the curves need them. */
typedef struct prism_serve_point {
  double t;          /* of the last */
  int32_t rank;
  int32_t colors;    /* k of the last */
  int32_t best;      /* of the last */
  int64_t low, high; /* fewest and most conflicts; -1: none known */
} prism_serve_point_t;

/* When the room of a rank is full, each two neighbors become one point. */
typedef struct prism_serve_series {
  prism_serve_point_t *point; /* [count]; owned */
  int32_t count, capacity;
  int64_t stride; /* metrics that one point stands for */
  int64_t filled; /* metrics in the last point */
} prism_serve_series_t;

typedef struct prism_serve_run {
  char *path; /* owned */
  prism_run_source_t source;
  prism_run_reader_t *reader;
  dev_t device; /* of the file that is open */
  ino_t inode;
  int64_t generation; /* another one for each run, also in another process */
  int64_t version;    /* counts changes of all below */
  prism_run_life_t life;
  double ask_at;      /* when to ask for life again */
  int failures;       /* of looks in a row */
  char trouble[256];  /* why nothing new comes; "": nothing is wrong */

  int64_t counted[PRISM_RECORD_COUNT];
  prism_run_stats_t stats;
  void *solutions; /* [counted] prism_solution_row_t; owned */
  prism_serve_classes_t classes;
  prism_serve_routes_t routes;
  bool has_result;
  prism_summary_row_t result;
  prism_event_t event[PRISM_SERVE_EVENTS];         /* event i at i % PRISM_SERVE_EVENTS */
  prism_serve_point_t recent[PRISM_SERVE_RECENT];  /* metric i at i % PRISM_SERVE_RECENT */
  double *latest_t; /* [pieces] newest t in each PRISM_SERVE_PIECE metrics; owned */
  int64_t pieces;
  prism_serve_series_t *series; /* [ranks]; owned */
  int32_t ranks;
  int32_t longest; /* points of a series */
} prism_serve_run_t;

/* [in] path  a file that prism_find_run named; copied. [out] run  owned by the caller. */
prism_status_t prism_serve_run_open(const char *path, prism_run_source_t source,
                                    prism_serve_run_t **run);
void prism_serve_run_close(prism_serve_run_t **run);

/* See what is new. A look that fails is told in run->trouble when it is not the first in a row:
 * a reader beside a writer may meet it in the middle of something. A file that took the place of
 * the one that is open (its compressed form, the next run) is opened instead. */
void prism_serve_run_look(prism_serve_run_t *run);

#endif
