/* Triple buffers: three slots of device memory with pinned mirrors, so that while one
 * generation computes, the input of the next goes up and the result of the last comes
 * down.
 *
 *   claim -> fill prism_triple_input -> submit -> ... -> poll -> read prism_triple_output
 *   -> retire
 *
 * Results come in the order of submission. Built on the coordinator: with its async off
 * the same happens on one stream. One thread; prism_triple_slot_state from any. */
#ifndef PRISM_CUDA_RUNTIME_TRIPLE_BUFFER_H
#define PRISM_CUDA_RUNTIME_TRIPLE_BUFFER_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "runtime/coordinator.h"
#include "runtime/mem_pool.h"
#include "runtime/triple_state.h"

typedef struct prism_triple prism_triple_t;

/* Launches the kernels of one turn: reads `input`, writes `output` (device addresses). */
typedef prism_status_t (*prism_triple_launch_fn)(void *context, cudaStream_t stream,
                                                 const void *input, void *output);

/* [in] coordinator, pool  borrowed until destroy; input_bytes, output_bytes of a slot,
 * 0 for none. */
prism_status_t prism_triple_create(prism_coordinator_t *coordinator, prism_mem_pool_t *pool,
                                   size_t input_bytes, size_t output_bytes, prism_triple_t **out);

/* [out] slot  to fill; PRISM_SLOT_NONE when all three are under way: retire one first. */
prism_status_t prism_triple_claim(prism_triple_t *triple, int32_t *slot);

/* Pinned mirrors: the input between claim and submit, the output between a poll that
 * said done and retire. */
void *prism_triple_input(prism_triple_t *triple, int32_t slot);
const void *prism_triple_output(const prism_triple_t *triple, int32_t slot);

/* Queue upload (of input_bytes <= those of create), kernels, download of the slot that
 * was claimed last. Never waits. On failure the slot is free again. */
prism_status_t prism_triple_submit(prism_triple_t *triple, int32_t slot, size_t input_bytes,
                                   prism_triple_launch_fn launch, void *context);

/* The slot submitted longest ago; PRISM_SLOT_NONE. */
int32_t prism_triple_oldest(const prism_triple_t *triple);

/* Wait up to `seconds` (0: only look; negative: no limit). [out] done: its output may be
 * read. */
prism_status_t prism_triple_poll(prism_triple_t *triple, int32_t slot, double seconds, bool *done);

/* The oldest slot, done, becomes free. PRISM_INVALID otherwise. */
prism_status_t prism_triple_retire(prism_triple_t *triple, int32_t slot);

/* As of the last poll. */
prism_slot_state_t prism_triple_slot_state(const prism_triple_t *triple, int32_t slot);

/* Waits for slots under way, not on a lost device. */
void prism_triple_destroy(prism_triple_t **triple);

#endif
