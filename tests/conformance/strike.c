/* Loaded before the MPI library in one rank (LD_PRELOAD) to make it fail where no test
 * could hit it from outside: when it is about to leave MPI. PRISM_STRIKE is the number
 * of the signal that it sends itself there. */
#include <mpi.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int MPI_Finalize(void) {
  static const char text[] = "struck\n";
  const char *number = getenv("PRISM_STRIKE");
  if (number != NULL && write(STDERR_FILENO, text, strlen(text)) > 0)
    raise((int)strtol(number, NULL, 10));
  return PMPI_Finalize();
}
