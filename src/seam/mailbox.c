#include "seam/mailbox.h"

#include <string.h>

#include "base/mem.h"

struct prism_mailbox_item {
  prism_mailbox_item_t *next;
  prism_message_t message;
  void *payload;
};

prism_status_t prism_mailbox_put(prism_mailbox_t *box, prism_message_t message, void *payload) {
  prism_mailbox_item_t *item = NULL;
  prism_status_t status = PRISM_ALLOC_ZERO(1, &item);
  if (status != PRISM_OK) {
    prism_free(payload);
    return status;
  }
  item->message = message;
  item->payload = payload;
  if (box->tail != NULL) {
    box->tail->next = item;
  } else {
    box->head = item;
  }
  box->tail = item;
  return PRISM_OK;
}

prism_status_t prism_mailbox_put_copy(prism_mailbox_t *box, prism_message_t message,
                                      const void *data) {
  void *payload = NULL;
  PRISM_TRY(prism_alloc_bytes(message.bytes, 1, &payload));
  if (message.bytes > 0) memcpy(payload, data, message.bytes);
  return prism_mailbox_put(box, message, payload);
}

void prism_mailbox_take(prism_mailbox_t *box, prism_message_t *message, const void **data) {
  prism_free(box->taken);
  box->taken = NULL;
  prism_mailbox_item_t *item = box->head;
  if (item == NULL) {
    *message = (prism_message_t){.from = -1, .tag = -1, .bytes = 0};
    *data = NULL;
    return;
  }
  box->head = item->next;
  if (box->head == NULL) box->tail = NULL;
  box->taken = item->payload;
  *message = item->message;
  *data = item->payload;
  prism_free(item);
}

void prism_mailbox_clear(prism_mailbox_t *box) {
  prism_message_t message;
  const void *data;
  do {
    prism_mailbox_take(box, &message, &data);
  } while (message.from >= 0);
}
