/* One suite for every bulk communicator: a program makes the communicator, says where its
 * memory comes from, and runs the suite on all ranks. */
#ifndef PRISM_TESTS_BULK_SUITE_H
#define PRISM_TESTS_BULK_SUITE_H

#include "seam/bulk.h"

/* Memory of the kind that the communicator takes. Failures end the program in `abandon`. */
typedef struct bulk_memory {
  void *(*allocate)(size_t bytes);
  void (*release)(void *block);
  /* Copies from and to the host. A write may be queued on `stream` alone; `from` is free
   * again when it returns. A read returns when `to` holds the data. */
  void (*write)(void *block, const void *from, size_t bytes, void *stream);
  void (*read)(void *to, const void *block, size_t bytes);
  void *stream; /* for the buffers; NULL on the host */
} bulk_memory_t;

typedef struct bulk_suite {
  const prism_comm_t *comm; /* of the same ranks */
  const prism_bulk_t *bulk;
  bulk_memory_t memory;
  uint64_t seed;  /* the same on every rank, as are the numbers below */
  int32_t rounds; /* of operations in random order */
  size_t longest; /* bytes of a rank's block, at most */
  /* Ends the whole job after a failed check: the other ranks may wait for this one. */
  void (*abandon)(void);
} bulk_suite_t;

/* Memory of the host. */
bulk_memory_t bulk_suite_host_memory(void);

/* Says where a check failed and abandons the job. */
void bulk_suite_fail(const bulk_suite_t *suite, const char *file, int line, const char *what);

#define SUITE_CHECK(suite, condition) \
  do {                                \
    if (!(condition)) bulk_suite_fail((suite), __FILE__, __LINE__, #condition); \
  } while (0)

/* Poll until the operation under way has ended. */
void bulk_suite_finish(const bulk_suite_t *suite);

/* All cases; no operation is under way afterwards. Collective. */
void bulk_suite_run(const bulk_suite_t *suite);

#endif
