#include "runtime/triple_state.h"

void prism_triple_state_init(prism_triple_state_t *triple) {
  for (int32_t i = 0; i < PRISM_SLOTS; ++i) atomic_init(&triple->state[i], PRISM_SLOT_FREE);
  triple->claimed = triple->retired = 0;
}

static bool step(prism_triple_state_t *triple, int32_t slot, int from, int to) {
  return atomic_compare_exchange_strong_explicit(&triple->state[slot], &from, to,
                                                 memory_order_acq_rel, memory_order_acquire);
}

int32_t prism_triple_state_claim(prism_triple_state_t *triple) {
  int32_t slot = (int32_t)(triple->claimed % PRISM_SLOTS);
  if (!step(triple, slot, PRISM_SLOT_FREE, PRISM_SLOT_UPLOADING)) return PRISM_SLOT_NONE;
  ++triple->claimed;
  return slot;
}

bool prism_triple_state_advance(prism_triple_state_t *triple, int32_t slot,
                                prism_slot_state_t from) {
  if (from != PRISM_SLOT_UPLOADING && from != PRISM_SLOT_PROCESSING) return false;
  return step(triple, slot, (int)from, (int)from + 1);
}

int32_t prism_triple_state_oldest(const prism_triple_state_t *triple) {
  return triple->retired == triple->claimed ? PRISM_SLOT_NONE
                                            : (int32_t)(triple->retired % PRISM_SLOTS);
}

bool prism_triple_state_retire(prism_triple_state_t *triple, int32_t slot) {
  if (slot == PRISM_SLOT_NONE || slot != prism_triple_state_oldest(triple)) return false;
  if (!step(triple, slot, PRISM_SLOT_DOWNLOADING, PRISM_SLOT_FREE)) return false;
  ++triple->retired;
  return true;
}

bool prism_triple_state_unclaim(prism_triple_state_t *triple, int32_t slot) {
  if (triple->claimed == triple->retired || slot != (triple->claimed - 1) % PRISM_SLOTS)
    return false;
  if (!step(triple, slot, PRISM_SLOT_UPLOADING, PRISM_SLOT_FREE)) return false;
  --triple->claimed;
  return true;
}

prism_slot_state_t prism_triple_state_get(const prism_triple_state_t *triple, int32_t slot) {
  return (prism_slot_state_t)atomic_load_explicit(&triple->state[slot], memory_order_acquire);
}

const char *prism_slot_state_name(prism_slot_state_t state) {
  switch (state) {
    case PRISM_SLOT_FREE: return "free";
    case PRISM_SLOT_UPLOADING: return "uploading";
    case PRISM_SLOT_PROCESSING: return "processing";
    case PRISM_SLOT_DOWNLOADING: return "downloading";
  }
  return "unknown";
}
