/* How CUDA errors become statuses.
 *
 * Every call of the CUDA runtime goes through PRISM_CUDA and every kernel launch
 * through prism_cuda_launched. The text of a failure names the call, the error and
 * what it means. A *sticky* error (a kernel crashed, the context is lost) makes
 * every later call fail: the engine then stops using the device and frees host
 * memory only. Seen by C and by CUDA. Thread-safe: errors belong to the calling
 * thread. */
#ifndef PRISM_CUDA_RUNTIME_CHECK_H
#define PRISM_CUDA_RUNTIME_CHECK_H

#include <cuda_runtime_api.h>
#include <stdbool.h>

#include "base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Return from the calling function when a CUDA call does not succeed. */
#define PRISM_CUDA(call)                                                                    \
  do {                                                                                      \
    cudaError_t prism_cuda_error_ = (call);                                                 \
    if (prism_cuda_error_ != cudaSuccess)                                                   \
      return prism_cuda_fail(prism_cuda_error_, #call, __FILE__, __LINE__, __func__);       \
  } while (0)

/* Jump to `label` with `status` set when a CUDA call does not succeed. */
#define PRISM_CUDA_GOTO(status, call, label)                                                \
  do {                                                                                      \
    cudaError_t prism_cuda_error_ = (call);                                                 \
    if (prism_cuda_error_ != cudaSuccess) {                                                 \
      (status) = prism_cuda_fail(prism_cuda_error_, #call, __FILE__, __LINE__, __func__);   \
      goto label;                                                                           \
    }                                                                                       \
  } while (0)

/* Record a CUDA error and forget CUDA's own copy of it, unless it is sticky.
 * [in] call  the failed call as written; the text names its function
 * Returns PRISM_MEMORY for cudaErrorMemoryAllocation, otherwise PRISM_DEVICE. */
prism_status_t prism_cuda_fail(cudaError_t error, const char *call, const char *file, int line,
                               const char *function);

/* Did the launch just made by this thread work? Use right after <<<>>>:
 * PRISM_TRY(prism_cuda_launched("tabucol_kernel")). A crash of an earlier kernel may
 * come out here; the text then says so. Never waits. */
prism_status_t prism_cuda_launched(const char *kernel);

/* Is the context lost once this error has occurred? Pure. */
bool prism_cuda_is_sticky(cudaError_t error);

/* Has a sticky error occurred in this process's context? Records nothing. Asks the
 * driver: for error paths, not for loops. Not during capture. */
bool prism_cuda_is_lost(void);

/* Release paths: they go on whatever happens and must not hide the first error, so
 * the result of a call is dropped, CUDA's copy of it included. */
void prism_cuda_drop(cudaError_t error);

/* cudaEventQuery and cudaStreamQuery answer "not ready" as an error, which the next
 * launch check would find. [out] ready */
prism_status_t prism_cuda_event_ready(cudaEvent_t event, bool *ready);
prism_status_t prism_cuda_stream_ready(cudaStream_t stream, bool *ready);

#ifdef __cplusplus
}
#endif
#endif
