/* The streams of one engine: a fixed kernel stream per phase, and one stream each for
 * uploads, downloads, peers and background work.
 *
 * Transfers have the highest priority and background work the lowest, so that the
 * small copies of a running search are not queued behind its kernels. No stream
 * synchronises with CUDA's default stream. In sequential mode everything is the same
 * one stream, with the same results. One thread at a time; getters are thread-safe. */
#ifndef PRISM_CUDA_RUNTIME_STREAM_POOL_H
#define PRISM_CUDA_RUNTIME_STREAM_POOL_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "seam/phase.h"

/* X(NAME, name in logs, urgency: 0 lowest, 1 middle, 2 highest) */
#define PRISM_STREAM_PURPOSE_LIST(X)           \
  X(CONFIG_UPLOAD, "ConfigUpload", 2)          \
  X(KERNEL_EXECUTION, "KernelExecution", 1)    \
  X(TELEMETRY_DOWNLOAD, "TelemetryDownload", 2) \
  X(PEER_TRANSFER, "PeerTransfer", 2)          \
  X(AUX_COMPUTE, "AuxCompute", 0)

typedef enum prism_stream_purpose {
#define PRISM_STREAM_ENUM(name, text, urgency) PRISM_STREAM_##name,
  PRISM_STREAM_PURPOSE_LIST(PRISM_STREAM_ENUM)
#undef PRISM_STREAM_ENUM
  PRISM_STREAM_PURPOSE_COUNT
} prism_stream_purpose_t;

typedef enum prism_stream_mode {
  PRISM_STREAMS_PARALLEL,
  PRISM_STREAMS_SEQUENTIAL
} prism_stream_mode_t;

typedef struct prism_stream_pool prism_stream_pool_t;

enum { PRISM_STREAMS_MAX = 16 };

/* On the current device. [in] kernel_streams 1..PRISM_STREAMS_MAX (sequential mode makes
 * one, whatever is asked). */
prism_status_t prism_stream_pool_create(int32_t kernel_streams, prism_stream_mode_t mode,
                                        prism_stream_pool_t **out);

/* The stream of a purpose; for KERNEL_EXECUTION kernel stream 0. */
cudaStream_t prism_stream_pool_get(const prism_stream_pool_t *pool, prism_stream_purpose_t purpose);

/* Kernel stream of a phase: its row's stream, modulo the streams there are. */
cudaStream_t prism_stream_pool_phase(const prism_stream_pool_t *pool, prism_phase_t phase);

/* Number of that stream, as in logs and telemetry. */
int32_t prism_stream_pool_phase_index(const prism_stream_pool_t *pool, prism_phase_t phase);

/* Kernel stream `index` (modulo the streams there are). */
cudaStream_t prism_stream_pool_kernel(const prism_stream_pool_t *pool, int32_t index);

/* The kernel streams one after the other. [out] index, NULL if not wanted. */
cudaStream_t prism_stream_pool_next(prism_stream_pool_t *pool, int32_t *index);

int32_t prism_stream_pool_size(const prism_stream_pool_t *pool); /* kernel streams */
prism_stream_mode_t prism_stream_pool_mode(const prism_stream_pool_t *pool);

/* "KernelExecution 2", "ConfigUpload"; "one stream" in sequential mode; "unknown". */
void prism_stream_pool_name(const prism_stream_pool_t *pool, cudaStream_t stream, char *out,
                            size_t size);

/* "[MEMETIC][gpu][stream=3]" */
void prism_stream_pool_tag(const prism_stream_pool_t *pool, prism_phase_t phase, char *out,
                           size_t size);

/* Wait until all streams are idle, `seconds` at most. PRISM_TIMEOUT, PRISM_DEVICE. For
 * the end of a search, never in its loop. */
prism_status_t prism_stream_pool_drain(prism_stream_pool_t *pool, double seconds);

/* Safe after a lost device. Does not wait for the work on the streams. */
void prism_stream_pool_destroy(prism_stream_pool_t **pool);

/* The names alone, without a device. */
const char *prism_stream_purpose_name(prism_stream_purpose_t purpose);

#endif
