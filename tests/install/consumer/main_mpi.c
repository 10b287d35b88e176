/* The installed MPI communicator: every rank adds one. */
#include <mpi.h>
#include <prism/comm_mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  prism_comm_t comm = {0};
  int64_t sum = 1;
  prism_status_t status = prism_comm_mpi_create(MPI_COMM_WORLD, 30, &comm);
  if (status == PRISM_OK)
    status = comm.ops->allreduce_i64(comm.self, &sum, &sum, 1, PRISM_REDUCE_SUM);
  if (status != PRISM_OK) fprintf(stderr, "%s\n", prism_error_text());
  int good = status == PRISM_OK && sum == comm.size;
  prism_comm_destroy(&comm);
  MPI_Finalize();
  return good ? 0 : 1;
}
