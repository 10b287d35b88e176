/* The socket that the live page is served on. */
#ifndef PRISM_APP_LISTEN_H
#define PRISM_APP_LISTEN_H

#include <stdbool.h>

#include "base/status.h"

typedef struct prism_listen {
  int fd;         /* non-blocking; owned by the caller; -1: none */
  bool ip6;
  bool loopback;  /* only programs of this machine reach it */
  char name[64];  /* ADDRESS:PORT, as in a URL */
} prism_listen_t;

/* [in] text  PORT (then 127.0.0.1), ADDRESS:PORT, [ADDRESS]:PORT or localhost:PORT; addresses are
 *            numbers; port 0 takes a free one.
 * PRISM_INVALID: it is no address; PRISM_IO: the system refuses it, with the reason. */
prism_status_t prism_listen_open(const char *text, prism_listen_t *out);

/* Does a Host header name this machine itself: 127.x.x.x, ::1 or localhost, with any port? */
bool prism_listen_is_local_name(const char *host);

#endif
