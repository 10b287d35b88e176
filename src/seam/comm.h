/* The communicator seam: what ranks say to each other.
 *
 * Backends: self (one process, always there), MPI. All calls of one
 * communicator come from one thread (MPI_THREAD_FUNNELED). Every wait has a
 * deadline: PRISM_TIMEOUT or PRISM_PEER with the peer's rank in the text. While
 * a call waits it answers heartbeats; a thread that computes for long between
 * calls must call heartbeat() every second or so. Sizes are size_t and are
 * split below 2^31 inside. After PRISM_PEER or PRISM_TIMEOUT every call returns
 * the same error: the program then ends the whole job.
 *
 * "Collective": every rank calls it, in the same order. */
#ifndef PRISM_SEAM_COMM_H
#define PRISM_SEAM_COMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef enum prism_reduce { PRISM_REDUCE_MIN, PRISM_REDUCE_MAX, PRISM_REDUCE_SUM } prism_reduce_t;

typedef enum prism_space { PRISM_SPACE_HOST, PRISM_SPACE_DEVICE } prism_space_t;

/* A block that an engine hands over. The communicator allocates no device memory
 * and touches only the spaces its backend can reach (PRISM_UNSUPPORTED). */
typedef struct prism_buffer {
  void *data;
  prism_space_t space;
  size_t element_bytes;
  size_t count;  /* elements */
  void *stream;  /* opaque queue that orders device buffers; NULL on the host */
} prism_buffer_t;

/* Bytes of a buffer in `space`. PRISM_UNSUPPORTED with `refusal` as its text where it lies
 * elsewhere, PRISM_INVALID when they overflow. */
prism_status_t prism_buffer_bytes(const prism_buffer_t *buffer, prism_space_t space,
                                  const char *refusal, size_t *bytes);

enum { PRISM_TAG_MAX = 255, PRISM_ANY_RANK = -1 };

/* A message taken by poll(). */
typedef struct prism_message {
  int32_t from;
  int32_t tag;
  size_t bytes;
} prism_message_t;

typedef struct prism_comm_ops {
  const char *name; /* "self", "mpi" */

  /* Collective. Element-wise over `count` values; in and out may be the same. */
  prism_status_t (*allreduce_i64)(void *self, const int64_t *in, int64_t *out, size_t count,
                                  prism_reduce_t op);
  prism_status_t (*allreduce_f64)(void *self, const double *in, double *out, size_t count,
                                  prism_reduce_t op);
  /* Collective. Smallest value and the lowest rank that has it. */
  prism_status_t (*argmin_i64)(void *self, int64_t in, int64_t *value, int32_t *rank);
  /* Collective. `bytes` from `root` to all. */
  prism_status_t (*bcast)(void *self, void *data, size_t bytes, int32_t root);
  /* Collective. `bytes` from each rank; out holds size * bytes in rank order. */
  prism_status_t (*allgather)(void *self, const void *in, void *out, size_t bytes);
  /* Collective over the pairs named: send to `to`, receive from `from` (both may
   * be the own rank). Same element size and count on both sides. */
  prism_status_t (*exchange)(void *self, const prism_buffer_t *send, int32_t to,
                             const prism_buffer_t *receive, int32_t from);
  prism_status_t (*barrier)(void *self);
  /* Collective. The worst status of all ranks; on a failure every rank gets that
   * status, with the text of the lowest rank that has it (ranks above 0 are named
   * in it). From mild to bad: interrupted, unsupported, invalid, format, io,
   * timeout, peer, device, storage, memory, internal. */
  prism_status_t (*agree)(void *self, prism_status_t mine);

  /* Votes, which nobody waits for. Every rank casts its first, second, ... vote when it likes;
   * the next one only when counted() has said that the last is complete (PRISM_INVALID).
   * counted: [out] done: all ranks have cast this rank's last vote (true also before the
   * first); [out] least: then the smallest of their values, else left alone. Votes may be
   * under way when the communicator is destroyed, also where only some ranks have cast. */
  prism_status_t (*cast)(void *self, int64_t value);
  prism_status_t (*counted)(void *self, bool *done, int64_t *least);

  /* Not collective, non-blocking: send a copy of a message of any length
   * (telemetry batches, colourings, tokens) to one rank, the own one included.
   * Messages with one tag from one rank arrive in order. tag 0..PRISM_TAG_MAX. */
  prism_status_t (*post)(void *self, int32_t to, int32_t tag, const void *data, size_t bytes);
  /* Not collective: take the next waiting message, if any. message->from is -1
   * when there is none. [out] data: valid until the next call of poll or destroy;
   * owned by the communicator. */
  prism_status_t (*poll)(void *self, prism_message_t *message, const void **data);
  /* Not collective: make progress on posted messages, tell the peers that this
   * rank lives (at most once a second). Cheap. */
  prism_status_t (*heartbeat)(void *self);
  /* Not collective: PRISM_PEER when a rank has not been heard of for longer than
   * the deadline. */
  prism_status_t (*check_peers)(void *self);
  /* Bytes sent and seconds spent inside calls so far. */
  void (*usage)(void *self, uint64_t *bytes, double *seconds);
  /* Collective where all ranks live: messages not yet taken by poll are dropped
   * (post, barrier and poll first what must arrive). Waits for the others for two
   * seconds at most. */
  void (*destroy)(void *self);
} prism_comm_ops_t;

typedef struct prism_comm {
  const prism_comm_ops_t *ops;
  void *self;
  int32_t rank;
  int32_t size;
} prism_comm_t;

/* The communicator of a single process: rank 0 of 1. */
prism_status_t prism_comm_self_create(prism_comm_t *out);

static inline void prism_comm_destroy(prism_comm_t *comm) {
  if (comm->ops != 0) comm->ops->destroy(comm->self);
  comm->ops = 0;
  comm->self = 0;
}

#endif
