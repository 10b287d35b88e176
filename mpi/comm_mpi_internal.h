/* Shared by the source files of the MPI communicators and their tests; nobody else
 * includes it.
 *
 * Four duplicated communicators keep apart what must never match: collectives
 * and exchanges, votes, posted messages, heartbeats. Once a peer is lost or MPI has
 * failed the communicator is broken: a collective may still be pending in MPI,
 * so every later call returns the first error without touching MPI, and the
 * program ends the job with MPI_Abort. */
#ifndef PRISM_MPI_COMM_MPI_INTERNAL_H
#define PRISM_MPI_COMM_MPI_INTERNAL_H

#include <mpi.h>
#include <stdbool.h>

#include "comm_mpi.h"
#include "seam/mailbox.h"

enum { PRISM_MPI_ERROR_BYTES = 1024 };

/* A posted piece that MPI has not finished sending; `payload` lies behind it. */
typedef struct prism_mpi_send {
  struct prism_mpi_send *next;
  void *payload;
  size_t bytes;
  int mpi_tag;
  MPI_Request request;
} prism_mpi_send_t;

/* A message of one rank that arrives in pieces. */
typedef struct prism_mpi_parts {
  unsigned char *data; /* NULL: none under way */
  size_t total;
  size_t received;
} prism_mpi_parts_t;

/* The one receive under way: one at a time keeps the order of each rank. */
typedef struct prism_mpi_receive {
  bool active;
  MPI_Request request;
  int32_t from;
  int mpi_tag;
  size_t bytes;
  void *data; /* own block, NULL when the target is the rank's parts */
} prism_mpi_receive_t;

/* The votes of this rank: a block of its own, left to MPI where that may still use it. */
typedef struct prism_mpi_votes {
  int64_t cast;  /* how many this rank has cast */
  int64_t most;  /* how many any rank has cast, found out when all leave */
  int64_t mine;  /* the last one */
  int64_t least; /* its result */
  bool pending;  /* counted() has not said yet that it is complete */
  MPI_Request request;
  MPI_Request leave;
} prism_mpi_votes_t;

typedef struct prism_mpi {
  MPI_Comm collectives;
  MPI_Comm ballots;
  MPI_Comm messages;
  MPI_Comm beats;
  int32_t rank;
  int32_t size;
  size_t piece; /* most bytes of one MPI call, at least 8 */

  double peer_timeout;
  double beat_interval;
  double last_beat;           /* when this rank last sent its heartbeats */
  double last_look;           /* when this rank last looked for heartbeats */
  double *last_heard;         /* [size] */
  MPI_Request *beat_requests; /* [size] */

  prism_mpi_send_t *sends; /* oldest first */
  prism_mpi_send_t **sends_end;
  prism_mpi_receive_t receive;
  prism_mpi_parts_t *parts; /* [size] */
  prism_mailbox_t mailbox;
  prism_mpi_votes_t *votes;

  prism_status_t broken; /* PRISM_OK: in order */
  char broken_text[PRISM_MPI_ERROR_BYTES];

  uint64_t bytes_sent;
  double seconds;
} prism_mpi_t;

/* --- comm_mpi_wait.c: failures, heartbeats, waits ------------------------- */

/* Only the thread that initialised MPI, with threads allowed, may communicate. */
prism_status_t prism_mpi_ready(void);
/* MPI_Comm_dup with a deadline; errors of the duplicate are returned. Collective. */
prism_status_t prism_mpi_duplicate(MPI_Comm parent, double timeout, MPI_Comm *out);
/* Record a failed MPI call of `rank` as PRISM_PEER. */
prism_status_t prism_mpi_record(int32_t rank, int code, const char *what);
/* Turn a failed MPI call into PRISM_PEER; the communicator is broken from here. */
prism_status_t prism_mpi_check(prism_mpi_t *comm, int code, const char *what);
/* Remember this thread's error as the reason why the communicator is broken. */
prism_status_t prism_mpi_break(prism_mpi_t *comm, prism_status_t status);
/* A sign of life of `rank`. */
void prism_mpi_heard(prism_mpi_t *comm, int32_t rank);
/* Take waiting heartbeats and send the own ones when they are due. */
prism_status_t prism_mpi_look(prism_mpi_t *comm);
/* PRISM_PEER when a rank has been silent for too long. */
prism_status_t prism_mpi_judge(prism_mpi_t *comm, const char *what);
/* Wait for requests with heartbeats and the deadline. [out] statuses [count] */
prism_status_t prism_mpi_wait(prism_mpi_t *comm, MPI_Request *requests, MPI_Status *statuses,
                              int count, const char *what);
/* Sleep of one round of polling: none at first, then 20 to 200 microseconds. */
void prism_mpi_back_off(int64_t round);

/* --- comm_mpi_collective.c ------------------------------------------------- */
/* PRISM_INVALID, naming `what`, unless there is such a rank among `size`. */
prism_status_t prism_mpi_check_rank(int32_t rank, int32_t size, const char *what);
prism_status_t prism_mpi_allreduce(prism_mpi_t *comm, const void *in, void *out, size_t count,
                                   size_t element, MPI_Datatype type, prism_reduce_t op);
prism_status_t prism_mpi_argmin(prism_mpi_t *comm, int64_t in, int64_t *value, int32_t *rank);
prism_status_t prism_mpi_bcast(prism_mpi_t *comm, void *data, size_t bytes, int32_t root);
/* A row of `length` bytes whose successor starts `stride` bytes later: one count for
 * each rank keeps MPI's int arithmetic small and places pieces directly. Returns MPI's code. */
int prism_mpi_row_type(size_t length, size_t stride, MPI_Datatype *out);
prism_status_t prism_mpi_allgather(prism_mpi_t *comm, const void *in, void *out, size_t bytes);
prism_status_t prism_mpi_exchange(prism_mpi_t *comm, const prism_buffer_t *send, int32_t to,
                                  const prism_buffer_t *receive, int32_t from);
prism_status_t prism_mpi_barrier(prism_mpi_t *comm);
prism_status_t prism_mpi_agree(prism_mpi_t *comm, prism_status_t mine);

/* --- comm_mpi_vote.c --------------------------------------------------------- */
prism_status_t prism_mpi_cast(prism_mpi_t *comm, int64_t value);
prism_status_t prism_mpi_counted(prism_mpi_t *comm, bool *done, int64_t *least);
/* Progress of the vote under way. */
prism_status_t prism_mpi_count(prism_mpi_t *comm);
/* Meet the other ranks for the last time: those that have cast one vote less cast it now,
 * so that none stays without an answer. Called until all are out.
 * [out] left  everybody is here and no vote is under way */
prism_status_t prism_mpi_leave(prism_mpi_t *comm, bool *left);
/* Release the votes, except where MPI may still use them. */
void prism_mpi_forget_votes(prism_mpi_t *comm);

/* --- comm_mpi_message.c ---------------------------------------------------- */
prism_status_t prism_mpi_post(prism_mpi_t *comm, int32_t to, int32_t tag, const void *data,
                              size_t bytes);
/* Release the blocks of posted pieces that are on their way. */
prism_status_t prism_mpi_reap(prism_mpi_t *comm);
/* Move arriving messages into the mailbox until it holds one or none arrives. */
prism_status_t prism_mpi_receive_messages(prism_mpi_t *comm);
/* Release what the message part holds, except blocks that MPI may still use. */
void prism_mpi_forget_messages(prism_mpi_t *comm);

/* --- for tests -------------------------------------------------------------- */

/* Split above `bytes` (>= 8) instead of the built-in limit. The same on every
 * rank, between collectives. */
void prism_mpi_set_piece(prism_comm_t *comm, size_t bytes);

#endif
