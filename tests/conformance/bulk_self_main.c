/* The bulk suite on the communicator of a single process. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "bulk_suite.h"

static void abandon(void) { exit(1); }

int main(void) {
  prism_comm_t comm = {0};
  prism_bulk_t bulk = {0};
  if (prism_comm_self_create(&comm) != PRISM_OK || prism_bulk_self_create(&bulk) != PRISM_OK) {
    fprintf(stderr, "%s\n", prism_error_text());
    return 1;
  }
  bulk_suite_t suite = {.comm = &comm, .bulk = &bulk, .memory = bulk_suite_host_memory(),
                        .seed = 20241120, .rounds = 300, .longest = 300007,
                        .abandon = abandon};
  bulk_suite_run(&suite);
  int32_t word = 5; /* an operation that nobody polls */
  prism_buffer_t block = {&word, PRISM_SPACE_HOST, sizeof word, 1, NULL};
  SUITE_CHECK(&suite, bulk.ops->broadcast(bulk.self, &block, 0) == PRISM_OK);
  prism_bulk_destroy(&bulk);
  prism_bulk_destroy(&bulk); /* and again without harm */
  prism_comm_destroy(&comm);
  if (prism_mem_live_blocks() != 0) {
    fprintf(stderr, "%zu blocks were not released\n", prism_mem_live_blocks());
    return 1;
  }
  puts("self: all checks passed");
  return 0;
}
