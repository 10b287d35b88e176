/* Reader of JSON texts in memory (RFC 8259), as strict as the standard and without any memory of
 * its own: a value is a slice of the text. Whole numbers keep all 64 bits, which the seeds of
 * runs need and libraries that read JSON into doubles or signed numbers do not offer. */
#ifndef PRISM_BASE_JSON_H
#define PRISM_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef enum prism_json_type {
  PRISM_JSON_NULL, PRISM_JSON_FALSE, PRISM_JSON_TRUE, PRISM_JSON_NUMBER, PRISM_JSON_STRING,
  PRISM_JSON_ARRAY, PRISM_JSON_OBJECT
} prism_json_type_t;

/* A slice of a text that was found sound; without blanks around it. */
typedef struct prism_json {
  prism_json_type_t type;
  const char *text;
  size_t length;
} prism_json_t;

/* Check that the text is one JSON value, nested no deeper than 32. False: it is not. O(length). */
bool prism_json_parse(const char *text, size_t length, prism_json_t *out);

/* Walk the members of an object or the elements of an array. [in,out] at  begin with 0.
 * [out] key  of an object's member, else left alone. False: no more (or no container). */
bool prism_json_next(const prism_json_t *container, size_t *at, prism_json_t *key,
                     prism_json_t *value);

/* Is it a string with exactly these characters? `text` in plain ASCII. */
bool prism_json_is(const prism_json_t *string, const char *text);

/* Value of a number. False: it is none, or a whole number that does not fit. */
bool prism_json_f64(const prism_json_t *value, double *out);
bool prism_json_i64(const prism_json_t *value, int64_t *out);
bool prism_json_u64(const prism_json_t *value, uint64_t *out);

/* Decode a string into a fixed field: cut at a whole character, the rest zeroed. False: it is
 * none. A character that cannot be one (half a surrogate pair) becomes U+FFFD, a zero byte ends
 * the text. */
bool prism_json_text(const prism_json_t *string, char *out, size_t bytes);

/* The same into a fresh string. [out] owned by the caller (prism_free). PRISM_FORMAT: it is
 * none. */
prism_status_t prism_json_string(const prism_json_t *string, char **out);

#endif
