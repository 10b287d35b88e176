/* How much of a multiprocessor's memory is shared memory, the rest being cache.
 *
 * A multiprocessor changes the division only when it is empty and a block would not fit
 * otherwise. What ran there before may have left too little for more than one block of a
 * search, and as long as new blocks follow the old ones it stays like that: measured on an
 * H100, 136 instead of 396 blocks at a time, 2.3 times slower, in some processes and not in
 * others. A kernel's wish for shared memory alone does not help. Seen by C and CUDA. */
#ifndef PRISM_CUDA_KERNELS_SHARED_MEMORY_H
#define PRISM_CUDA_KERNELS_SHARED_MEMORY_H

#include <cuda_runtime_api.h>

#include "base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A kernel's wish for as much shared memory as there can be; once for each kernel. */
prism_status_t prism_shared_memory_prefer(const void *kernel);

/* Queue what makes every multiprocessor give shared memory the largest share: a kernel of
 * one block on each that needs all of it, some microseconds. Right before a search. */
prism_status_t prism_launch_shared_memory(cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
