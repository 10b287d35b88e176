#include "model/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "base/mem.h"

enum { TEXT_BYTES = 1 << 20, PACKED_BYTES = TEXT_BYTES };

/* Unread text is text[at .. end - 1]; text[end] is always writable, for a sentinel. */
struct prism_source {
  char *name;
  int fd;
  bool close_fd;
  bool ended;         /* no more text will come */
  char *text;         /* [TEXT_BYTES + 1] */
  size_t at, end;
  int64_t line;
  bool gzip;
  bool member_open;   /* inside a gzip member */
  bool packed_ended;
  unsigned char *packed; /* [PACKED_BYTES], for gzip */
  z_stream stream;
};

/* "name:line: text" for the line that is being read. */
#define FAIL_NEXT_LINE(source, code, ...) \
  do {                                    \
    ++(source)->line;                     \
    PRISM_SOURCE_FAIL(source, code, __VA_ARGS__); \
  } while (0)

static prism_status_t read_some(prism_source_t *source, void *into, size_t room, size_t *got) {
  ssize_t count;
  do {
    count = read(source->fd, into, room);
  } while (count < 0 && errno == EINTR);
  if (count < 0) PRISM_FAIL(PRISM_IO, "cannot read %s: %s", source->name, strerror(errno));
  *got = (size_t)count;
  return PRISM_OK;
}

/* Begin the next gzip member, or find that what follows is the zero padding some
 * tools write (skipped). */
static prism_status_t open_member(prism_source_t *source) {
  z_stream *stream = &source->stream;
  while (stream->avail_in > 0 && *stream->next_in == 0) {
    ++stream->next_in;
    --stream->avail_in;
  }
  if (stream->avail_in == 0) return PRISM_OK;
  if (*stream->next_in != 0x1f || inflateReset(stream) != Z_OK)
    FAIL_NEXT_LINE(source, PRISM_FORMAT, "something else follows the end of the gzip data");
  source->member_open = true;
  return PRISM_OK;
}

static prism_status_t fill_packed(prism_source_t *source) {
  size_t got = 0;
  PRISM_TRY(read_some(source, source->packed, PACKED_BYTES, &got));
  source->stream.next_in = source->packed;
  source->stream.avail_in = (uInt)got;
  source->packed_ended = got == 0;
  return PRISM_OK;
}

/* What was unpacked before a fault is handed out first: the next call meets the
 * fault again and names the line where the text breaks off. */
static prism_status_t unpack(prism_source_t *source, char *into, size_t room, size_t *got) {
  z_stream *stream = &source->stream;
  stream->next_out = (unsigned char *)into;
  stream->avail_out = (uInt)room;
  while (stream->avail_out > 0) {
    if (stream->avail_in == 0 && !source->packed_ended) PRISM_TRY(fill_packed(source));
    bool some = stream->avail_out < (uInt)room;
    if (!source->member_open) {
      if (some || stream->avail_in == 0) break;
      PRISM_TRY(open_member(source));
      continue;
    }
    int code = inflate(stream, Z_NO_FLUSH); /* also without input: it may hold output back */
    some = stream->avail_out < (uInt)room;
    if (code == Z_STREAM_END) {
      source->member_open = false;
    } else if (code == Z_MEM_ERROR) {
      PRISM_FAIL(PRISM_MEMORY, "out of memory while unpacking %s", source->name);
    } else if (code == Z_BUF_ERROR && source->packed_ended) {
      if (some) break;
      FAIL_NEXT_LINE(source, PRISM_FORMAT, "the gzip data is cut off (incomplete file?)");
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      if (some) break;
      FAIL_NEXT_LINE(source, PRISM_FORMAT, "the gzip data is damaged");
    }
  }
  *got = room - stream->avail_out;
  return PRISM_OK;
}

/* Move the unread text to the front and read more behind it. */
static prism_status_t fill(prism_source_t *source) {
  size_t held = source->end - source->at, got = 0;
  memmove(source->text, source->text + source->at, held);
  source->at = 0;
  source->end = held;
  if (source->gzip)
    PRISM_TRY(unpack(source, source->text + held, TEXT_BYTES - held, &got));
  else
    PRISM_TRY(read_some(source, source->text + held, TEXT_BYTES - held, &got));
  source->end += got;
  source->ended = got == 0;
  return PRISM_OK;
}

/* Read the first bytes and see whether they are gzip's. */
static prism_status_t detect(prism_source_t *source) {
  while (!source->ended && source->end < 2) PRISM_TRY(fill(source));
  if (source->end < 2 || memcmp(source->text, "\x1f\x8b", 2) != 0) return PRISM_OK;
  PRISM_TRY(PRISM_ALLOC(PACKED_BYTES, &source->packed));
  enum { GZIP_ONLY = 16 };
  if (inflateInit2(&source->stream, MAX_WBITS + GZIP_ONLY) != Z_OK)
    PRISM_FAIL(PRISM_MEMORY, "out of memory while unpacking %s", source->name);
  source->gzip = true;
  /* The bytes already read are unpacked from a copy in the packed buffer first. */
  size_t taken = source->end < PACKED_BYTES ? source->end : PACKED_BYTES;
  memcpy(source->packed, source->text, taken);
  source->stream.next_in = source->packed;
  source->stream.avail_in = (uInt)taken;
  source->member_open = true;
  source->at = source->end = 0;
  source->ended = false;
  return PRISM_OK;
}

prism_status_t prism_source_open(const char *path, prism_source_t **out) {
  *out = NULL;
  bool standard_input = strcmp(path, "-") == 0;
  prism_source_t *source = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &source));
  prism_status_t status;
  struct stat info;
  source->fd = -1;
  PRISM_TRY_GOTO(status, prism_string_format(&source->name, "%s", standard_input ? "stdin" : path),
                 fail);
  PRISM_TRY_GOTO(status, PRISM_ALLOC(TEXT_BYTES + 1, &source->text), fail);
  source->fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  source->close_fd = !standard_input && source->fd >= 0;
  if (source->fd < 0 || fstat(source->fd, &info) != 0) {
    status = prism_error_record(PRISM_IO, __FILE__, __LINE__, __func__, "cannot open %s: %s",
                                source->name, strerror(errno));
    goto fail;
  }
  if (S_ISDIR(info.st_mode)) {
    status = prism_error_record(PRISM_IO, __FILE__, __LINE__, __func__,
                                "cannot read %s: it is a folder", source->name);
    goto fail;
  }
  PRISM_TRY_GOTO(status, detect(source), fail);
  *out = source;
  return PRISM_OK;
fail:
  prism_source_close(&source);
  return status;
}

void prism_source_close(prism_source_t **source) {
  if (source == NULL || *source == NULL) return;
  prism_source_t *s = *source;
  if (s->gzip) inflateEnd(&s->stream);
  if (s->close_fd) close(s->fd);
  prism_free(s->name);
  prism_free(s->text);
  prism_free(s->packed);
  prism_free(s);
  *source = NULL;
}

const char *prism_source_name(const prism_source_t *source) { return source->name; }
int64_t prism_source_line(const prism_source_t *source) { return source->line; }

prism_status_t prism_source_next(prism_source_t *source, prism_line_t *line, bool *found) {
  *found = false;
  char *newline = NULL;
  for (size_t searched = 0;;) {
    size_t held = source->end - source->at;
    size_t window = held <= PRISM_SOURCE_LINE_MAX ? held : PRISM_SOURCE_LINE_MAX + 1;
    char *from = source->text + source->at;
    newline = memchr(from + searched, '\n', window - searched);
    if (newline != NULL) break;
    if (held > PRISM_SOURCE_LINE_MAX)
      FAIL_NEXT_LINE(source, PRISM_FORMAT, "the line is longer than %d bytes",
                     PRISM_SOURCE_LINE_MAX);
    if (source->ended) break;
    searched = held;
    PRISM_TRY(fill(source));
  }
  if (newline == NULL && source->at == source->end) return PRISM_OK;
  char *end = newline != NULL ? newline : source->text + source->end;
  line->at = source->text + source->at;
  source->at = (size_t)(end - source->text) + (newline != NULL);
  *end = '\n'; /* the sentinel, where the last line has no end of its own */
  if (end > line->at && end[-1] == '\r') --end;
  line->end = end;
  ++source->line;
  *found = true;
  return PRISM_OK;
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool prism_line_token(prism_line_t *line, prism_line_t *token) {
  while (line->at < line->end && is_blank(*line->at)) ++line->at;
  token->at = line->at;
  while (line->at < line->end && !is_blank(*line->at)) ++line->at;
  token->end = line->at;
  return token->at < token->end;
}

bool prism_token_is(const prism_line_t *token, const char *text) {
  size_t length = (size_t)(token->end - token->at);
  return length == strlen(text) && memcmp(token->at, text, length) == 0;
}

const char *prism_token_quote(const prism_line_t *token, char text[PRISM_TOKEN_QUOTE]) {
  enum { SHOWN = 40, WORST = 4 }; /* bytes shown; characters one may need */
  size_t used = 0;
  text[used++] = '\'';
  const char *at = token->at;
  for (; at < token->end && at < token->at + SHOWN; ++at) {
    unsigned char c = (unsigned char)*at;
    if (c >= 0x20 && c < 0x7f)
      text[used++] = (char)c;
    else
      used += (size_t)snprintf(text + used, WORST + 1, "\\x%02X", c);
  }
  snprintf(text + used, PRISM_TOKEN_QUOTE - used, "%s'", at < token->end ? "..." : "");
  return text;
}

/* Digits with an optional minus. False: no number. Too large ones become INT64_MAX. */
static bool parse_whole(const prism_line_t *token, int64_t *out) {
  const char *at = token->at;
  bool negative = at < token->end && *at == '-';
  if (negative) ++at;
  if (at == token->end) return false;
  int64_t value = 0;
  bool fits = true;
  for (; at < token->end; ++at) {
    if (*at < '0' || *at > '9') return false;
    fits = fits && !__builtin_mul_overflow(value, (int64_t)10, &value) &&
           !__builtin_add_overflow(value, (int64_t)(*at - '0'), &value);
  }
  if (!fits) value = INT64_MAX;
  *out = negative ? -value : value;
  return true;
}

prism_status_t prism_source_number(const prism_source_t *source, prism_line_t *line,
                                   const char *what, int64_t min, int64_t max, int64_t *out) {
  char quote[PRISM_TOKEN_QUOTE];
  prism_line_t token;
  int64_t value = 0;
  if (!prism_line_token(line, &token))
    PRISM_SOURCE_FAIL(source, PRISM_FORMAT, "the %s is missing", what);
  if (!parse_whole(&token, &value))
    PRISM_SOURCE_FAIL(source, PRISM_FORMAT, "the %s %s is not a whole number", what,
                      prism_token_quote(&token, quote));
  if (value < min || value > max)
    PRISM_SOURCE_FAIL(source, PRISM_FORMAT, "the %s %s is outside %lld to %lld", what,
                      prism_token_quote(&token, quote), (long long)min, (long long)max);
  *out = value;
  return PRISM_OK;
}

prism_status_t prism_source_no_more(const prism_source_t *source, prism_line_t *line) {
  char quote[PRISM_TOKEN_QUOTE];
  prism_line_t token;
  if (prism_line_token(line, &token))
    PRISM_SOURCE_FAIL(source, PRISM_FORMAT, "unexpected %s at the end of the line",
                      prism_token_quote(&token, quote));
  return PRISM_OK;
}
