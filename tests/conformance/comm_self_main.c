/* The communicator suite on the single-process communicator. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "comm_suite.h"

static void abandon(void) { exit(1); }

int main(void) {
  prism_comm_t comm = {0};
  if (prism_comm_self_create(&comm) != PRISM_OK) {
    fprintf(stderr, "%s\n", prism_error_text());
    return 1;
  }
  comm_suite_t suite = {.comm = &comm, .seed = 20240611, .longest = 3000017, .abandon = abandon};
  comm_suite_run(&suite);
  int left = 7; /* a message that nobody takes is dropped by destroy */
  SUITE_CHECK(&suite, comm.ops->post(comm.self, 0, 1, &left, sizeof left) == PRISM_OK);
  SUITE_CHECK(&suite, comm.ops->cast(comm.self, 1) == PRISM_OK); /* as is a vote */
  prism_comm_destroy(&comm);
  prism_comm_destroy(&comm); /* and again without harm */
  if (prism_mem_live_blocks() != 0) {
    fprintf(stderr, "%zu blocks were not released\n", prism_mem_live_blocks());
    return 1;
  }
  puts("self: all checks passed");
  return 0;
}
