/* States of the three slots of a triple buffer, and the order of their turns. Pure.
 *
 * A slot goes free -> uploading -> processing -> downloading -> free; any other step is
 * refused. Slots are claimed and retired first in, first out, whatever order the device
 * finishes them in. One thread claims, advances and retires; any thread may read. */
#ifndef PRISM_CUDA_RUNTIME_TRIPLE_STATE_H
#define PRISM_CUDA_RUNTIME_TRIPLE_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { PRISM_SLOTS = 3, PRISM_SLOT_NONE = -1 };

typedef enum prism_slot_state {
  PRISM_SLOT_FREE,
  PRISM_SLOT_UPLOADING,
  PRISM_SLOT_PROCESSING,
  PRISM_SLOT_DOWNLOADING
} prism_slot_state_t;

typedef struct prism_triple_state {
  atomic_int state[PRISM_SLOTS];
  int64_t claimed, retired; /* turns so far; turn t uses slot t % 3 */
} prism_triple_state_t;

void prism_triple_state_init(prism_triple_state_t *triple);

/* The next slot, now uploading; PRISM_SLOT_NONE when all three are in use. */
int32_t prism_triple_state_claim(prism_triple_state_t *triple);

/* Move a slot on from `from` to the state after it. False: it was in another state, or
 * the step would end a turn (that is retire's). */
bool prism_triple_state_advance(prism_triple_state_t *triple, int32_t slot,
                                prism_slot_state_t from);

/* The slot claimed longest ago; PRISM_SLOT_NONE when all are free. */
int32_t prism_triple_state_oldest(const prism_triple_state_t *triple);

/* The oldest slot, downloading, becomes free. False: it is another slot or state. */
bool prism_triple_state_retire(prism_triple_state_t *triple, int32_t slot);

/* Undo the last claim: that slot must be uploading. False otherwise. */
bool prism_triple_state_unclaim(prism_triple_state_t *triple, int32_t slot);

prism_slot_state_t prism_triple_state_get(const prism_triple_state_t *triple, int32_t slot);
const char *prism_slot_state_name(prism_slot_state_t state);

#endif
