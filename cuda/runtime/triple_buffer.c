#include "runtime/triple_buffer.h"

#include "base/mem.h"
#include "runtime/check.h"

typedef struct slot_memory {
  void *device_input, *device_output;
  void *host_input, *host_output; /* pinned */
  prism_operation_t upload, compute, download; /* of this turn; 0: not submitted */
} slot_memory_t;

struct prism_triple {
  prism_coordinator_t *coordinator;
  prism_mem_pool_t *pool;
  size_t input_bytes, output_bytes;
  int32_t open; /* claimed and not yet submitted; PRISM_SLOT_NONE */
  prism_triple_state_t state;
  slot_memory_t slot[PRISM_SLOTS];
};

/* What the coordinator's launch callback needs. */
typedef struct turn {
  prism_triple_launch_fn launch;
  void *context;
  const slot_memory_t *memory;
} turn_t;

static prism_status_t allocate(prism_triple_t *triple, slot_memory_t *memory) {
  cudaStream_t stream = prism_coordinator_compute_stream(triple->coordinator);
  if (triple->input_bytes > 0) {
    PRISM_TRY(prism_mem_pool_take(triple->pool, triple->input_bytes, stream,
                                  &memory->device_input));
    PRISM_TRY(prism_pinned_alloc(triple->input_bytes, &memory->host_input));
  }
  if (triple->output_bytes > 0) {
    PRISM_TRY(prism_mem_pool_take(triple->pool, triple->output_bytes, stream,
                                  &memory->device_output));
    /* All of it comes down, also what a turn leaves out. */
    PRISM_CUDA(cudaMemsetAsync(memory->device_output, 0, triple->output_bytes, stream));
    PRISM_TRY(prism_pinned_alloc(triple->output_bytes, &memory->host_output));
  }
  return PRISM_OK;
}

/* The pool hands blocks out in the order of the compute stream; the upload stream must
 * not touch them before. */
static prism_status_t nothing(void *context, cudaStream_t stream) {
  (void)context;
  (void)stream;
  return PRISM_OK;
}

prism_status_t prism_triple_create(prism_coordinator_t *coordinator, prism_mem_pool_t *pool,
                                   size_t input_bytes, size_t output_bytes,
                                   prism_triple_t **out) {
  prism_triple_t *made = NULL;
  prism_operation_t ready = 0;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &made));
  made->coordinator = coordinator;
  made->pool = pool;
  made->input_bytes = input_bytes;
  made->output_bytes = output_bytes;
  made->open = PRISM_SLOT_NONE;
  prism_triple_state_init(&made->state);
  prism_status_t status = PRISM_OK;
  for (int i = 0; i < PRISM_SLOTS && status == PRISM_OK; ++i)
    status = allocate(made, &made->slot[i]);
  if (status == PRISM_OK)
    status = prism_coordinator_compute(coordinator, nothing, NULL, NULL, 0, &ready);
  if (status != PRISM_OK) {
    prism_triple_destroy(&made);
    return status;
  }
  for (int i = 0; i < PRISM_SLOTS; ++i) made->slot[i].compute = ready;
  *out = made;
  return PRISM_OK;
}

prism_status_t prism_triple_claim(prism_triple_t *triple, int32_t *slot) {
  if (triple->open != PRISM_SLOT_NONE)
    PRISM_FAIL(PRISM_INVALID, "slot %d was claimed and not submitted", triple->open);
  triple->open = prism_triple_state_claim(&triple->state);
  *slot = triple->open;
  return PRISM_OK;
}

void *prism_triple_input(prism_triple_t *triple, int32_t slot) {
  return triple->slot[slot].host_input;
}

const void *prism_triple_output(const prism_triple_t *triple, int32_t slot) {
  return triple->slot[slot].host_output;
}

static prism_status_t launch_turn(void *context, cudaStream_t stream) {
  const turn_t *turn = context;
  return turn->launch(turn->context, stream, turn->memory->device_input,
                      turn->memory->device_output);
}

static prism_status_t queue(prism_triple_t *triple, slot_memory_t *memory, size_t input_bytes,
                            turn_t *turn) {
  prism_operation_t upload = 0, compute = 0, download = 0;
  /* memory->compute is what used the slot last; its download was waited for. */
  PRISM_TRY(prism_coordinator_upload(triple->coordinator, memory->device_input, memory->host_input,
                                     input_bytes, &memory->compute, 1, &upload));
  memory->upload = upload;
  PRISM_TRY(prism_coordinator_compute(triple->coordinator, launch_turn, turn, &upload, 1,
                                      &compute));
  memory->compute = compute;
  PRISM_TRY(prism_coordinator_download(triple->coordinator, memory->host_output,
                                       memory->device_output, triple->output_bytes, &compute, 1,
                                       &download));
  memory->download = download;
  return PRISM_OK;
}

static void settle(prism_triple_t *triple, slot_memory_t *memory) {
  prism_coordinator_settle(triple->coordinator, memory->upload);
  prism_coordinator_settle(triple->coordinator, memory->compute);
  prism_coordinator_settle(triple->coordinator, memory->download);
}

prism_status_t prism_triple_submit(prism_triple_t *triple, int32_t slot, size_t input_bytes,
                                   prism_triple_launch_fn launch, void *context) {
  if (slot == PRISM_SLOT_NONE || slot != triple->open)
    PRISM_FAIL(PRISM_INVALID, "slot %d was not claimed", slot);
  if (input_bytes > triple->input_bytes)
    PRISM_FAIL(PRISM_INVALID, "%zu bytes of input; a slot has %zu", input_bytes,
               triple->input_bytes);
  slot_memory_t *memory = &triple->slot[slot];
  turn_t turn = {launch, context, memory};
  memory->upload = memory->download = 0;
  prism_status_t status = queue(triple, memory, input_bytes, &turn);
  triple->open = PRISM_SLOT_NONE;
  if (status != PRISM_OK) { /* what was queued may still read the mirrors */
    settle(triple, memory);
    (void)prism_triple_state_unclaim(&triple->state, slot);
  }
  return status;
}

int32_t prism_triple_oldest(const prism_triple_t *triple) {
  int32_t slot = prism_triple_state_oldest(&triple->state);
  return slot == triple->open ? PRISM_SLOT_NONE : slot;
}

static prism_status_t follow(prism_triple_t *triple, int32_t slot, prism_slot_state_t from,
                             prism_operation_t operation) {
  bool done = false;
  if (prism_triple_state_get(&triple->state, slot) != from) return PRISM_OK;
  PRISM_TRY(prism_coordinator_poll(triple->coordinator, operation, &done));
  if (done) (void)prism_triple_state_advance(&triple->state, slot, from);
  return PRISM_OK;
}

prism_status_t prism_triple_poll(prism_triple_t *triple, int32_t slot, double seconds,
                                 bool *done) {
  if (slot < 0 || slot >= PRISM_SLOTS || slot == triple->open ||
      prism_triple_state_get(&triple->state, slot) == PRISM_SLOT_FREE)
    PRISM_FAIL(PRISM_INVALID, "slot %d is not under way", slot);
  slot_memory_t *memory = &triple->slot[slot];
  bool finished = false;
  PRISM_TRY(prism_coordinator_wait(triple->coordinator, memory->download, seconds, &finished));
  PRISM_TRY(follow(triple, slot, PRISM_SLOT_UPLOADING, memory->upload));
  PRISM_TRY(follow(triple, slot, PRISM_SLOT_PROCESSING, memory->compute));
  *done = finished;
  return PRISM_OK;
}

prism_status_t prism_triple_retire(prism_triple_t *triple, int32_t slot) {
  bool done = false;
  PRISM_TRY(prism_triple_poll(triple, slot, 0.0, &done));
  if (!done || !prism_triple_state_retire(&triple->state, slot))
    PRISM_FAIL(PRISM_INVALID, "slot %d is not the oldest one or not done", slot);
  return PRISM_OK;
}

prism_slot_state_t prism_triple_slot_state(const prism_triple_t *triple, int32_t slot) {
  return prism_triple_state_get(&triple->state, slot);
}

void prism_triple_destroy(prism_triple_t **triple) {
  prism_triple_t *old = *triple;
  if (old == NULL) return;
  cudaStream_t stream = prism_coordinator_compute_stream(old->coordinator);
  for (int i = 0; i < PRISM_SLOTS; ++i) {
    slot_memory_t *memory = &old->slot[i];
    settle(old, memory);
    /* Only taken blocks come here, and a failure while releasing has no better place. */
    (void)prism_mem_pool_release(old->pool, memory->device_input, stream);
    (void)prism_mem_pool_release(old->pool, memory->device_output, stream);
    prism_pinned_free(memory->host_input);
    prism_pinned_free(memory->host_output);
  }
  prism_free(old);
  *triple = NULL;
}
