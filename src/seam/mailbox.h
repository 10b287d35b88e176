/* Messages that have arrived and wait for poll(): a first-in first-out list
 * shared by the communicator backends. Zero-initialise; release with
 * prism_mailbox_clear. Not thread-safe per object. */
#ifndef PRISM_SEAM_MAILBOX_H
#define PRISM_SEAM_MAILBOX_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "seam/comm.h"

typedef struct prism_mailbox_item prism_mailbox_item_t;

typedef struct prism_mailbox {
  prism_mailbox_item_t *head;
  prism_mailbox_item_t *tail;
  void *taken; /* payload handed out by the last take, alive until the next one */
} prism_mailbox_t;

/* Append a message whose payload is a block of base/mem.h; the mailbox owns it
 * from here, also on failure. PRISM_MEMORY. */
prism_status_t prism_mailbox_put(prism_mailbox_t *box, prism_message_t message, void *payload);

/* Append a message with a copy of its message.bytes bytes. PRISM_MEMORY. */
prism_status_t prism_mailbox_put_copy(prism_mailbox_t *box, prism_message_t message,
                                      const void *data);

/* Take the oldest message; message->from is -1 and *data NULL when there is none.
 * [out] data  valid until the next take or clear */
void prism_mailbox_take(prism_mailbox_t *box, prism_message_t *message, const void **data);

/* Drop all messages and the payload handed out last. */
void prism_mailbox_clear(prism_mailbox_t *box);

#endif
