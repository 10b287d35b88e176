/* One suite for every communicator: a program makes the communicator and runs
 * the suite on all ranks. Inputs are such that each result is known exactly. */
#ifndef PRISM_TESTS_COMM_SUITE_H
#define PRISM_TESTS_COMM_SUITE_H

#include "seam/comm.h"

typedef struct comm_suite {
  const prism_comm_t *comm;
  uint64_t seed;  /* the same on every rank */
  size_t longest; /* bytes of the longest posted messages */
  /* Ends the whole job after a failed check: the other ranks may wait for this one. */
  void (*abandon)(void);
} comm_suite_t;

/* Says where a check failed and abandons the job. */
void comm_suite_fail(const comm_suite_t *suite, const char *file, int line, const char *what);

#define SUITE_CHECK(suite, condition) \
  do {                                \
    if (!(condition)) comm_suite_fail((suite), __FILE__, __LINE__, #condition); \
  } while (0)

/* All cases, in an order that leaves no message behind. */
void comm_suite_run(const comm_suite_t *suite);

#endif
