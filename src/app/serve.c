/* The web server of prism monitor --serve. The one home of libmicrohttpd.
 *
 * One thread does everything: it looks at the run, and between two looks it answers. Requests
 * only read, and name one of a fixed list of texts: nothing of a URL reaches the file system. */
#include "app/serve.h"

#include "app/listen.h"
#include "app/serve_json.h"

#if PRISM_HAVE_MICROHTTPD

#include <math.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/print.h"
#include "base/clock.h"
#include "base/mem.h"

static const double LOOK_SECONDS = 0.5;       /* between two looks at the run */
static const double LOOK_RANK_SECONDS = 0.005; /* and more of them where messages are long */
static const double PULSE_SECONDS = 5.0;      /* a follower hears something at least so often */
enum {
  MOST_CONNECTIONS = 64,
  MOST_FOLLOWERS = 32, /* of them */
  IDLE_SECONDS = 15,   /* then a connection is closed */
  CONNECTION_BYTES = 32768,
  WAIT_MILLISECONDS = 100,
  ROWS_UNASKED = 1000,
  MOST_ROWS = 10000
};

static volatile sig_atomic_t interrupted;

static void note_signal(int number) {
  (void)number;
  interrupted = 1;
}

typedef struct server server_t;

/* A connection that gets a message whenever there is something new. */
typedef struct follower {
  server_t *server;
  struct MHD_Connection *connection;
  bool suspended;
  prism_serve_place_t place;
  int64_t version; /* of the run, in the last message; -1: none yet */
  double told_at;
  prism_text_t text; /* the message that is being sent */
  size_t sent;
} follower_t;

struct server {
  struct MHD_Daemon *daemon;
  prism_serve_run_t *run;
  follower_t *follower[MOST_FOLLOWERS];
  bool loopback;
  bool ends;
};

/* ---- Responses ----------------------------------------------------------------- */

static enum MHD_Result send_and_drop(struct MHD_Connection *connection, unsigned int code,
                                     const char *type, struct MHD_Response *response) {
  static const char *const headers[][2] = {
      {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
      {"Content-Security-Policy", "default-src 'self'; object-src 'none'; base-uri 'none'; "
                                  "form-action 'none'; frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Referrer-Policy", "no-referrer"}};
  if (response == NULL) return MHD_NO; /* out of memory: the connection is closed */
  enum MHD_Result done = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  for (size_t i = 0; i < sizeof headers / sizeof headers[0] && done == MHD_YES; ++i)
    done = MHD_add_response_header(response, headers[i][0], headers[i][1]);
  if (code == MHD_HTTP_METHOD_NOT_ALLOWED && done == MHD_YES)
    done = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  if (done == MHD_YES) done = MHD_queue_response(connection, code, response);
  MHD_destroy_response(response);
  return done;
}

static const char json_type[] = "application/json; charset=utf-8";

/* [in] text  plain, without anything to escape. */
static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned int code,
                              const char *text) {
  char body[160];
  int length = snprintf(body, sizeof body, "{\"error\":\"%s\"}\n", text);
  return send_and_drop(connection, code, json_type,
                       MHD_create_response_from_buffer((size_t)length, body,
                                                       MHD_RESPMEM_MUST_COPY));
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, prism_status_t status,
                                   prism_text_t *text) {
  enum MHD_Result done =
      status == PRISM_OK
          ? send_and_drop(connection, MHD_HTTP_OK, json_type,
                          MHD_create_response_from_buffer(text->length, text->data,
                                                          MHD_RESPMEM_MUST_COPY))
          : refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "the run cannot be read now");
  prism_text_free(text);
  prism_error_clear();
  return done;
}

/* ---- Followers ----------------------------------------------------------------- */

static bool has_news(const follower_t *self, double now) {
  return self->server->ends || self->version != self->server->run->version ||
         now - self->told_at >= PULSE_SECONDS;
}

static prism_status_t compose(follower_t *self) {
  prism_serve_run_t *run = self->server->run;
  self->text.length = 0;
  self->sent = 0;
  self->told_at = prism_clock_now();
  if (self->version == run->version) return prism_text_add(&self->text, ": still here\n\n");
  if (self->version < 0) PRISM_TRY(prism_text_add(&self->text, "retry: 2000\n"));
  self->version = run->version;
  return prism_serve_json_message(run, &self->place, &self->text);
}

static ssize_t read_follower(void *user, uint64_t position, char *out, size_t room) {
  follower_t *self = user;
  (void)position;
  if (self->sent == self->text.length) {
    if (self->server->ends) return MHD_CONTENT_READER_END_OF_STREAM;
    if (!has_news(self, prism_clock_now())) {
      self->suspended = true;
      MHD_suspend_connection(self->connection);
      return 0;
    }
    if (compose(self) != PRISM_OK) {
      prism_error_clear();
      return MHD_CONTENT_READER_END_WITH_ERROR;
    }
  }
  size_t count = self->text.length - self->sent;
  if (count > room) count = room;
  memcpy(out, self->text.data + self->sent, count);
  self->sent += count;
  return (ssize_t)count;
}

static void drop_follower(void *user) {
  follower_t *self = user;
  for (int i = 0; i < MOST_FOLLOWERS; ++i)
    if (self->server->follower[i] == self) self->server->follower[i] = NULL;
  prism_text_free(&self->text);
  prism_free(self);
}

/* Those that wait and have something to hear go on. */
static void wake_followers(server_t *self) {
  double now = prism_clock_now();
  for (int i = 0; i < MOST_FOLLOWERS; ++i) {
    follower_t *follower = self->follower[i];
    if (follower == NULL || !follower->suspended || !has_news(follower, now)) continue;
    follower->suspended = false;
    MHD_resume_connection(follower->connection);
  }
}

static const char *argument(struct MHD_Connection *connection, const char *name) {
  return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result answer_events(server_t *self, struct MHD_Connection *connection) {
  enum { PIECE = 16384 };
  int slot = 0;
  while (slot < MOST_FOLLOWERS && self->follower[slot] != NULL) ++slot;
  if (slot == MOST_FOLLOWERS)
    return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "too many pages follow this run");
  /* A browser that comes back tells the id of the last message it got. */
  prism_serve_place_t place = {0, 0};
  const char *id = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Last-Event-ID");
  if (id == NULL) id = argument(connection, "from");
  if (id != NULL && !prism_serve_place_parse(id, &place))
    return refuse(connection, MHD_HTTP_BAD_REQUEST, "from is not a place that was told");
  follower_t *follower = NULL;
  if (PRISM_ALLOC_ZERO(1, &follower) != PRISM_OK) {
    prism_error_clear();
    return MHD_NO;
  }
  follower->server = self;
  follower->connection = connection;
  follower->place = place;
  follower->version = -1;
  struct MHD_Response *response = MHD_create_response_from_callback(
      MHD_SIZE_UNKNOWN, PIECE, read_follower, follower, drop_follower);
  if (response == NULL) {
    prism_free(follower);
    return MHD_NO;
  }
  self->follower[slot] = follower;
  return send_and_drop(connection, MHD_HTTP_OK, "text/event-stream", response);
}

/* ---- Requests ----------------------------------------------------------------- */

/* Whole text as a number of at least 0. True where the argument is missing. */
static bool read_argument(struct MHD_Connection *connection, const char *name, bool whole,
                          double *out) {
  const char *text = argument(connection, name);
  if (text == NULL) return true;
  char *end = NULL;
  double value = strtod(text, &end);
  if (end == text || *end != '\0' || !(value >= 0.0) || !(value < 1e15)) return false;
  if (whole && value != floor(value)) return false;
  *out = value;
  return true;
}

static enum MHD_Result answer_rows(server_t *self, struct MHD_Connection *connection,
                                   prism_record_kind_t kind) {
  double since = 0.0, from = 0.0, limit = ROWS_UNASKED;
  if (!read_argument(connection, "since", false, &since))
    return refuse(connection, MHD_HTTP_BAD_REQUEST, "since: seconds, from 0");
  if (!read_argument(connection, "from", true, &from))
    return refuse(connection, MHD_HTTP_BAD_REQUEST, "from: a row, from 0");
  if (!read_argument(connection, "limit", true, &limit) || limit < 1.0 || limit > MOST_ROWS)
    return refuse(connection, MHD_HTTP_BAD_REQUEST, "limit: rows, 1 to 10000");
  prism_serve_query_t query = {kind, since, (int64_t)from, (int64_t)limit};
  prism_text_t text = {0};
  prism_status_t status = prism_serve_json_rows(self->run, &query, &text);
  return answer_text(connection, status, &text);
}

static enum MHD_Result answer_metrics(server_t *self, struct MHD_Connection *connection) {
  return answer_rows(self, connection, PRISM_RECORD_METRIC);
}

static enum MHD_Result answer_gpu(server_t *self, struct MHD_Connection *connection) {
  return answer_rows(self, connection, PRISM_RECORD_GPU);
}

static enum MHD_Result answer_file(const char *name, struct MHD_Connection *connection) {
  for (const prism_page_file_t *file = prism_page_files; file->name != NULL; ++file) {
    if (strcmp(file->name, name) != 0) continue;
    return send_and_drop(connection, MHD_HTTP_OK, file->type,
                         MHD_create_response_from_buffer(file->bytes, (void *)file->data,
                                                         MHD_RESPMEM_PERSISTENT));
  }
  return refuse(connection, MHD_HTTP_NOT_FOUND, "there is nothing under this name");
}

static enum MHD_Result answer(void *user, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_bytes, void **request) {
  static const struct {
    const char *url;
    enum MHD_Result (*answer)(server_t *, struct MHD_Connection *);
  } routes[] = {{"/api/metrics", answer_metrics},
                {"/api/gpu", answer_gpu},
                {"/api/events", answer_events}};
  static const struct { /* these take no arguments */
    const char *url;
    prism_status_t (*make)(const prism_serve_run_t *, prism_text_t *);
  } texts[] = {{"/api/run", prism_serve_json_run},
               {"/api/solutions", prism_serve_json_solutions},
               {"/api/migrations", prism_serve_json_migrations},
               {"/api/convergence", prism_serve_json_convergence}};
  static char seen; /* its place marks a request whose head was looked at */
  server_t *self = user;
  (void)version, (void)upload;
  if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
    return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD");
  if (*upload_bytes != 0) return MHD_NO; /* nobody wants a body: the connection is closed */
  if (*request == NULL) {
    *request = &seen; /* answered when the request has ended: the connection can then stay open */
    return MHD_YES;
  }
  /* A page from elsewhere whose name was made to mean this machine gets nothing to read. */
  const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
  if (self->loopback && (host == NULL || !prism_listen_is_local_name(host)))
    return refuse(connection, MHD_HTTP_FORBIDDEN, "this page is for this machine alone");
  for (size_t i = 0; i < sizeof routes / sizeof routes[0]; ++i)
    if (strcmp(routes[i].url, url) == 0) return routes[i].answer(self, connection);
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
    prism_text_t text = {0};
    if (strcmp(texts[i].url, url) != 0) continue;
    return answer_text(connection, texts[i].make(self->run, &text), &text);
  }
  if (strcmp(url, "/") == 0) return answer_file("index.html", connection);
  return answer_file(url[0] == '/' ? url + 1 : url, connection);
}

/* URLs are compared as they came: what stands in them in %XX is none of ours. */
static size_t keep_escapes(void *user, struct MHD_Connection *connection, char *text) {
  (void)user, (void)connection;
  return strlen(text);
}

/* ---- The loop ----------------------------------------------------------------- */

static prism_status_t start_daemon(server_t *self, const prism_listen_t *socket) {
  unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (socket->ip6 ? MHD_USE_IPv6 : 0u);
  self->loopback = socket->loopback;
  self->daemon = MHD_start_daemon(
      flags, 0, NULL, NULL, answer, self, MHD_OPTION_LISTEN_SOCKET, socket->fd,
      MHD_OPTION_CONNECTION_LIMIT, (unsigned int)MOST_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
      (unsigned int)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
      MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
  if (self->daemon != NULL) return PRISM_OK;
  close(socket->fd);
  PRISM_FAIL(PRISM_IO, "the web server does not start");
}

static void stop_daemon(server_t *self) {
  self->ends = true;
  wake_followers(self); /* a server must not be stopped while connections are suspended */
  MHD_run_wait(self->daemon, 0);
  MHD_run_wait(self->daemon, 0);
  MHD_stop_daemon(self->daemon);
}

static void serve(server_t *self) {
  double look_at = 0.0;
  while (!interrupted) {
    if (prism_clock_now() >= look_at) {
      prism_serve_run_look(self->run);
      wake_followers(self);
      look_at = prism_clock_now() + fmax(LOOK_SECONDS,
                                         LOOK_RANK_SECONDS * self->run->stats.ranks);
    }
    MHD_run_wait(self->daemon, WAIT_MILLISECONDS);
  }
}

static prism_status_t announce(const server_t *self, const prism_listen_t *socket) {
  prism_text_t text = {0};
  prism_status_t status =
      prism_text_add(&text, "prism: http://%s/ shows %s; Ctrl-C ends it\n", socket->name,
                     prism_run_path(self->run->reader));
  if (status == PRISM_OK) status = prism_print_text(&text);
  prism_text_free(&text);
  if (!socket->loopback)
    fprintf(stderr, "prism: everyone who reaches %s can see this run\n", socket->name);
  return status;
}

prism_status_t prism_serve(const char *address, const char *path, prism_run_source_t source) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  enum { NUMBERS = sizeof numbers / sizeof numbers[0] };
  server_t self = {.daemon = NULL};
  prism_listen_t socket = {.fd = -1};
  PRISM_TRY(prism_serve_run_open(path, source, &self.run));
  prism_status_t status = prism_listen_open(address, &socket);
  if (status == PRISM_OK) status = start_daemon(&self, &socket);
  if (status == PRISM_OK) {
    struct sigaction action = {.sa_handler = note_signal}, was[NUMBERS], pipe_was;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    interrupted = 0;
    sigemptyset(&action.sa_mask);
    sigemptyset(&ignore.sa_mask);
    for (int i = 0; i < NUMBERS; ++i) sigaction(numbers[i], &action, &was[i]);
    sigaction(SIGPIPE, &ignore, &pipe_was); /* readers may leave in the middle of an answer */
    status = announce(&self, &socket);
    if (status == PRISM_OK) serve(&self);
    stop_daemon(&self);
    sigaction(SIGPIPE, &pipe_was, NULL);
    for (int i = 0; i < NUMBERS; ++i) sigaction(numbers[i], &was[i], NULL);
  }
  prism_serve_run_close(&self.run);
  return status;
}

#else

prism_status_t prism_serve(const char *address, const char *path, prism_run_source_t source) {
  (void)address, (void)path, (void)source;
  PRISM_FAIL(PRISM_UNSUPPORTED, "this build has no --serve: it was made without libmicrohttpd "
                                "(package libmicrohttpd-dev); --live does without");
}

#endif
