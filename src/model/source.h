/* Lines of a text input, plain or gzip, from a file or standard input, with bounded
 * memory: the base of the readers (private to this floor).
 *
 * The one place that knows zlib. Gzip is recognised by its first bytes, also on
 * standard input and for several members in a row. Not thread-safe per object. */
#ifndef PRISM_MODEL_SOURCE_H
#define PRISM_MODEL_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { PRISM_SOURCE_LINE_MAX = 65536, PRISM_TOKEN_QUOTE = 192 };

typedef struct prism_source prism_source_t;

/* Open `path` ("-": standard input). PRISM_IO: missing, unreadable, a folder.
 * [out] owned by the caller (prism_source_close). */
prism_status_t prism_source_open(const char *path, prism_source_t **out);
void prism_source_close(prism_source_t **source);

/* What messages call the input, and the number of the current line, from 1 (the
 * last line once the end is reached; 0 when there was none). */
const char *prism_source_name(const prism_source_t *source);
int64_t prism_source_line(const prism_source_t *source);

/* One line without its end (LF or CRLF). *end is readable and neither a digit nor
 * a blank, so that loops over those need no bound. Valid until the next call. */
typedef struct prism_line {
  const char *at;
  const char *end;
} prism_line_t;

/* Next line; *found is false after the last. PRISM_FORMAT (with name:line): a line
 * of more than 64 KiB, truncated or damaged gzip; PRISM_IO: a read failed. */
prism_status_t prism_source_next(prism_source_t *source, prism_line_t *line, bool *found);

/* Fail with "name:line: text". */
#define PRISM_SOURCE_FAIL(source, code, format, ...)                            \
  PRISM_FAIL(code, "%s:%lld: " format, prism_source_name(source),               \
             (long long)prism_source_line(source) __VA_OPT__(, ) __VA_ARGS__)

/* Take the next blank-separated token off the front of `line`. */
bool prism_line_token(prism_line_t *line, prism_line_t *token);
bool prism_token_is(const prism_line_t *token, const char *text);
/* The token for a message: in quotes, shortened, unprintable bytes as \xHH. */
const char *prism_token_quote(const prism_line_t *token, char text[PRISM_TOKEN_QUOTE]);

/* Take a whole number in min..max off the front of `line`; max < INT64_MAX.
 * PRISM_FORMAT names `what`, the token and the range; nothing wraps around. */
prism_status_t prism_source_number(const prism_source_t *source, prism_line_t *line,
                                   const char *what, int64_t min, int64_t max, int64_t *out);
/* PRISM_FORMAT when `line` still holds a token. */
prism_status_t prism_source_no_more(const prism_source_t *source, prism_line_t *line);

#endif
