/* NCCL, NVIDIA's library for messages between GPUs, loaded at run time.
 *
 * What is used of its interface is declared here, so that building needs no nccl.h and
 * the program starts where there is no NCCL. A loaded library stays in the process: its
 * threads may outlive a communicator. Thread-safe. */
#ifndef PRISM_CUDA_EXCHANGE_NCCL_LIBRARY_H
#define PRISM_CUDA_EXCHANGE_NCCL_LIBRARY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Results, as NCCL numbers them. In progress: a communicator that must not block has gone
 * on in a thread of its own, ask async_error until it says something else. */
enum {
  PRISM_NCCL_SUCCESS = 0,
  PRISM_NCCL_CUDA_ERROR = 1,
  PRISM_NCCL_SYSTEM_ERROR = 2,
  PRISM_NCCL_INTERNAL_ERROR = 3,
  PRISM_NCCL_INVALID_ARGUMENT = 4,
  PRISM_NCCL_INVALID_USAGE = 5,
  PRISM_NCCL_REMOTE_ERROR = 6,
  PRISM_NCCL_IN_PROGRESS = 7
};

enum {
  PRISM_NCCL_UINT8 = 1,       /* data type */
  PRISM_NCCL_ID_BYTES = 128,
  PRISM_NCCL_OLDEST = 21700,  /* 2.17: the first with minCTAs and maxCTAs */
  PRISM_NCCL_UNSET = INT_MIN, /* NCCL decides */
  PRISM_NCCL_VERSION_BYTES = 24
};

#define PRISM_NCCL_MAGIC 0xcafebeefu

typedef struct ncclComm prism_nccl_comm_t; /* opaque */

typedef struct prism_nccl_id {
  char bytes[PRISM_NCCL_ID_BYTES];
} prism_nccl_id_t;

/* ncclConfig_t as it was in 2.17 (and two members of later versions in what was padding):
 * newer libraries see by `size` and `version` what they were given. */
typedef struct prism_nccl_config {
  size_t size;
  unsigned magic;
  unsigned version;
  int blocking;
  int cga_cluster_size;
  int min_ctas;
  int max_ctas;
  const char *net_name;
  int split_share;
  int traffic_class;
} prism_nccl_config_t;

/* X(return type, member, symbol, arguments) */
#define PRISM_NCCL_CALL_LIST(X)                                                               \
  X(int, get_version, "ncclGetVersion", (int *version))                                       \
  X(const char *, error_string, "ncclGetErrorString", (int result))                           \
  X(const char *, last_error, "ncclGetLastError", (prism_nccl_comm_t *comm))                  \
  X(int, get_unique_id, "ncclGetUniqueId", (prism_nccl_id_t *id))                             \
  X(int, init_rank, "ncclCommInitRankConfig",                                                 \
    (prism_nccl_comm_t **comm, int ranks, prism_nccl_id_t id, int rank,                       \
     prism_nccl_config_t *config))                                                            \
  X(int, async_error, "ncclCommGetAsyncError", (prism_nccl_comm_t *comm, int *result))        \
  X(int, comm_finalize, "ncclCommFinalize", (prism_nccl_comm_t *comm))                        \
  X(int, comm_destroy, "ncclCommDestroy", (prism_nccl_comm_t *comm))                          \
  X(int, comm_abort, "ncclCommAbort", (prism_nccl_comm_t *comm))                              \
  X(int, all_gather, "ncclAllGather",                                                         \
    (const void *send, void *receive, size_t send_count, int type, prism_nccl_comm_t *comm,   \
     void *stream))                                                                           \
  X(int, broadcast, "ncclBroadcast",                                                          \
    (const void *send, void *receive, size_t count, int type, int root,                       \
     prism_nccl_comm_t *comm, void *stream))                                                  \
  X(int, send, "ncclSend",                                                                    \
    (const void *data, size_t count, int type, int peer, prism_nccl_comm_t *comm,             \
     void *stream))                                                                           \
  X(int, receive, "ncclRecv",                                                                 \
    (void *data, size_t count, int type, int peer, prism_nccl_comm_t *comm, void *stream))    \
  X(int, group_start, "ncclGroupStart", (void))                                               \
  X(int, group_end, "ncclGroupEnd", (void))

/* The functions of the library. */
typedef struct prism_nccl {
#define PRISM_NCCL_MEMBER(type, member, symbol, arguments) type(*member) arguments;
  PRISM_NCCL_CALL_LIST(PRISM_NCCL_MEMBER)
#undef PRISM_NCCL_MEMBER
  int version; /* 22809 is 2.28.9 */
} prism_nccl_t;

/* [in] name  of the library; NULL: libnccl.so.2, also from where CUDA is usually installed
 * Returns PRISM_UNSUPPORTED with the reason: not there, not NCCL, too old. */
prism_status_t prism_nccl_load(const char *name, prism_nccl_t *out);

/* "2.28.9" */
void prism_nccl_version_text(int version, char *out, size_t size);

/* What the communicator asks for: calls that never block, and kernels that hold as little of
 * a GPU as they can. */
prism_nccl_config_t prism_nccl_config(void);

#endif
