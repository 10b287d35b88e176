/* What the live page tells of a run beyond its rows: how many colorings went from where to where,
 * and how large the classes of the best coloring are. Belongs to one thread. */
#ifndef PRISM_APP_SERVE_TALLY_H
#define PRISM_APP_SERVE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "solve/record.h"
#include "solve/run_reader.h"

enum { PRISM_SERVE_ROUTES = 65536 }; /* most that are told apart */

typedef struct prism_serve_route {
  int32_t from, to;
  int64_t offered, accepted; /* a meeting of pools (from -1) counts once, if any came */
} prism_serve_route_t;

/* Zero-initialise. */
typedef struct prism_serve_routes {
  prism_serve_route_t *route; /* [count], by from and to; owned */
  int32_t count, capacity;
  int64_t left_out; /* records of further routes */
} prism_serve_routes_t;

/* Count a migration. O(log count), and O(count) for the first of a route. */
prism_status_t prism_serve_routes_add(prism_serve_routes_t *routes, const prism_migration_t *row);

/* So many classes of so many vertices. */
typedef struct prism_serve_classes_row {
  int32_t vertices, classes;
} prism_serve_classes_row_t;

/* Zero-initialise. */
typedef struct prism_serve_classes {
  prism_serve_classes_row_t *row; /* [count], by vertices; owned */
  int32_t count;                  /* 0: not known, as from a .jsonl */
} prism_serve_classes_t;

/* Of the newest of the best colorings. A coloring that cannot be read, or is none, leaves the
 * sizes unknown; that is no failure.
 * [in] solution  [count], as in the index of the reader. O(n + k log k). */
prism_status_t prism_serve_classes_read(prism_serve_classes_t *classes, prism_run_reader_t *reader,
                                        const prism_solution_row_t *solution, int64_t count);

#endif
