#include "runtime/check.h"

#include <string.h>

bool prism_cuda_is_sticky(cudaError_t error) {
  switch (error) {
    /* A kernel or the hardware failed; CUDA says of each that the process must end. */
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorExternalDevice:
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorUnknown:
#if CUDART_VERSION >= 12080 /* older toolkits do not know these */
    case cudaErrorContained:
    case cudaErrorTensorMemoryLeak:
#endif
    /* The context or the driver is gone. */
    case cudaErrorContextIsDestroyed:
    case cudaErrorDeviceUninitialized:
    case cudaErrorCudartUnloading:
    case cudaErrorMpsClientTerminated:
    case cudaErrorMpsConnectionFailed:
    case cudaErrorMpsRpcFailure:
    case cudaErrorMpsServerNotReady:
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorInitializationError:
      return true;
    default:
      return false;
  }
}

/* A sticky error stays where it is: CUDA keeps it, and is_lost looks for it. */
static void forget(cudaError_t error) {
  if (error != cudaSuccess && !prism_cuda_is_sticky(error)) (void)cudaGetLastError();
}

prism_status_t prism_cuda_fail(cudaError_t error, const char *call, const char *file, int line,
                               const char *function) {
  const char *name = cudaGetErrorName(error), *text = cudaGetErrorString(error);
  prism_status_t status = error == cudaErrorMemoryAllocation ? PRISM_MEMORY : PRISM_DEVICE;
  prism_error_record(status, file, line, function, "%.*s failed: %s (%s)",
                     (int)strcspn(call, "("), call, text, name);
  forget(error);
  return status;
}

prism_status_t prism_cuda_launched(const char *kernel) {
  cudaError_t error = cudaPeekAtLastError();
  if (error == cudaSuccess) return PRISM_OK;
  forget(error);
  if (error == cudaErrorNotReady) return PRISM_OK; /* left by a query, not a failure */
  if (prism_cuda_is_sticky(error))
    PRISM_FAIL(PRISM_DEVICE, "the GPU failed before or in %s: %s (%s)", kernel,
               cudaGetErrorString(error), cudaGetErrorName(error));
  PRISM_FAIL(error == cudaErrorMemoryAllocation ? PRISM_MEMORY : PRISM_DEVICE,
             "%s could not be started: %s (%s)", kernel, cudaGetErrorString(error),
             cudaGetErrorName(error));
}

bool prism_cuda_is_lost(void) {
  if (prism_cuda_is_sticky(cudaPeekAtLastError())) return true;
  /* Another thread may have met it: any call that touches the context repeats it. */
  size_t unused_free, unused_total;
  cudaError_t error = cudaMemGetInfo(&unused_free, &unused_total);
  forget(error);
  return prism_cuda_is_sticky(error);
}

void prism_cuda_drop(cudaError_t error) { forget(error); }

static prism_status_t ready_or_fail(cudaError_t error, const char *call, bool *ready) {
  if (error != cudaSuccess && error != cudaErrorNotReady)
    return prism_cuda_fail(error, call, __FILE__, __LINE__, __func__);
  forget(error);
  *ready = error == cudaSuccess;
  return PRISM_OK;
}

prism_status_t prism_cuda_event_ready(cudaEvent_t event, bool *ready) {
  return ready_or_fail(cudaEventQuery(event), "cudaEventQuery", ready);
}

prism_status_t prism_cuda_stream_ready(cudaStream_t stream, bool *ready) {
  return ready_or_fail(cudaStreamQuery(stream), "cudaStreamQuery", ready);
}
