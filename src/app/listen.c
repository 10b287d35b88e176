#include "app/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128 }; /* what comes at once must not have to knock again after a second */

typedef union address {
  struct sockaddr any;
  struct sockaddr_in ip4;
  struct sockaddr_in6 ip6;
} address_t;

/* Whole text as a port. */
static bool read_port(const char *text, uint16_t *port) {
  uint32_t value = 0;
  if (*text == '\0' || strlen(text) > 5) return false;
  for (; *text != '\0'; ++text) {
    if (*text < '0' || *text > '9') return false;
    value = 10 * value + (uint32_t)(*text - '0');
  }
  *port = (uint16_t)value;
  return value <= UINT16_MAX;
}

/* Split ADDRESS:PORT, [ADDRESS]:PORT or PORT. [out] host  without brackets. */
static bool split(const char *text, char *host, size_t size, const char **port) {
  const char *colon = strrchr(text, ':'), *from = text, *to = colon;
  *port = colon != NULL ? colon + 1 : text;
  if (colon == NULL) {
    snprintf(host, size, "127.0.0.1");
    return true;
  }
  if (*text == '[') {
    if (to - text < 2 || to[-1] != ']') return false;
    ++from;
    --to;
  } else if (memchr(text, ':', (size_t)(colon - text)) != NULL) {
    return false; /* more than one colon: no saying where the port begins */
  }
  int length = (int)(to - from);
  if (length == 0 || (size_t)length >= size) return false;
  snprintf(host, size, "%.*s", length, from);
  return true;
}

static bool read_address(const char *text, address_t *out) {
  char host[INET6_ADDRSTRLEN + 1];
  const char *port_text = NULL;
  uint16_t port = 0;
  memset(out, 0, sizeof *out);
  if (!split(text, host, sizeof host, &port_text) || !read_port(port_text, &port)) return false;
  const char *number = strcasecmp(host, "localhost") == 0 ? "127.0.0.1" : host;
  if (inet_pton(AF_INET, number, &out->ip4.sin_addr) == 1) {
    out->ip4.sin_family = AF_INET;
    out->ip4.sin_port = htons(port);
    return true;
  }
  if (inet_pton(AF_INET6, number, &out->ip6.sin6_addr) != 1) return false;
  out->ip6.sin6_family = AF_INET6;
  out->ip6.sin6_port = htons(port);
  return true;
}

static bool is_loopback(const address_t *address) {
  if (address->any.sa_family == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&address->ip6.sin6_addr);
  return ntohl(address->ip4.sin_addr.s_addr) >> 24 == 127;
}

/* The name of what was bound: port 0 has become a number. */
static void name_it(prism_listen_t *self) {
  address_t bound;
  socklen_t length = sizeof bound;
  char host[INET6_ADDRSTRLEN] = "?";
  memset(&bound, 0, sizeof bound);
  if (getsockname(self->fd, &bound.any, &length) != 0) return;
  if (self->ip6) {
    inet_ntop(AF_INET6, &bound.ip6.sin6_addr, host, sizeof host);
    snprintf(self->name, sizeof self->name, "[%s]:%u", host, ntohs(bound.ip6.sin6_port));
  } else {
    inet_ntop(AF_INET, &bound.ip4.sin_addr, host, sizeof host);
    snprintf(self->name, sizeof self->name, "%s:%u", host, ntohs(bound.ip4.sin_port));
  }
}

prism_status_t prism_listen_open(const char *text, prism_listen_t *out) {
  address_t address;
  const int yes = 1;
  if (!read_address(text, &address))
    PRISM_FAIL(PRISM_INVALID, "%s is no address to serve on; 127.0.0.1:8080 is one", text);
  prism_listen_t self = {.ip6 = address.any.sa_family == AF_INET6,
                         .loopback = is_loopback(&address)};
  self.fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (self.fd < 0) PRISM_FAIL(PRISM_IO, "cannot serve on %s: %s", text, strerror(errno));
  setsockopt(self.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (self.ip6) setsockopt(self.fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  socklen_t length = self.ip6 ? sizeof address.ip6 : sizeof address.ip4;
  if (bind(self.fd, &address.any, length) != 0 || listen(self.fd, BACKLOG) != 0) {
    int reason = errno;
    close(self.fd);
    PRISM_FAIL(PRISM_IO, "cannot serve on %s: %s", text, strerror(reason));
  }
  name_it(&self);
  *out = self;
  return PRISM_OK;
}

bool prism_listen_is_local_name(const char *host) {
  char name[INET6_ADDRSTRLEN + 1], with_port[INET6_ADDRSTRLEN + 16];
  const char *port = NULL;
  struct in_addr ip4;
  struct in6_addr ip6;
  uint16_t number = 0;
  const char *colon = strrchr(host, ':'), *bracket = strrchr(host, ']');
  /* A browser leaves the port out where it is 80. */
  const bool bare = colon == NULL || (bracket != NULL && bracket > colon);
  if (strlen(host) >= sizeof with_port - 4) return false;
  snprintf(with_port, sizeof with_port, "%s%s", host, bare ? ":80" : "");
  if (!split(with_port, name, sizeof name, &port) || !read_port(port, &number)) return false;
  if (strcasecmp(name, "localhost") == 0) return true;
  if (inet_pton(AF_INET, name, &ip4) == 1) return ntohl(ip4.s_addr) >> 24 == 127;
  return inet_pton(AF_INET6, name, &ip6) == 1 && IN6_IS_ADDR_LOOPBACK(&ip6);
}
