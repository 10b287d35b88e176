#include "base/json.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { MOST_NESTED = 32, NUMBER_BYTES = 512 };

/* ---- Checking ---------------------------------------------------------------------------- */

typedef struct cursor {
  const char *at, *end;
} cursor_t;

static void skip_blanks(cursor_t *c) {
  while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
    ++c->at;
}

static bool take(cursor_t *c, char wanted) {
  if (c->at == c->end || *c->at != wanted) return false;
  ++c->at;
  return true;
}

static bool take_word(cursor_t *c, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0) return false;
  c->at += length;
  return true;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

static bool take_digits(cursor_t *c) {
  const char *start = c->at;
  while (c->at < c->end && is_digit(*c->at)) ++c->at;
  return c->at > start;
}

static bool take_number(cursor_t *c) {
  take(c, '-');
  if (!take(c, '0') && !take_digits(c)) return false;
  if (take(c, '.') && !take_digits(c)) return false;
  if (take(c, 'e') || take(c, 'E')) {
    if (!take(c, '+')) take(c, '-');
    if (!take_digits(c)) return false;
  }
  return true;
}

static bool take_string(cursor_t *c) {
  if (!take(c, '"')) return false;
  while (c->at < c->end) {
    const char now = *c->at++;
    if (now == '"') return true;
    if ((unsigned char)now < 0x20) return false;
    if (now != '\\') continue;
    if (c->at == c->end) return false;
    const char escape = *c->at++;
    if (escape == 'u') {
      for (int i = 0; i < 4; ++i)
        if (c->at == c->end || hex_digit(*c->at++) < 0) return false;
    } else if (escape == '\0' || strchr("\"\\/bfnrt", escape) == NULL) {
      return false;
    }
  }
  return false;
}

static bool take_value(cursor_t *c, int depth, prism_json_t *out);

/* Behind the opening bracket, up to and with the closing one. */
static bool take_members(cursor_t *c, bool object, int depth) {
  const char close = object ? '}' : ']';
  prism_json_t ignored;
  skip_blanks(c);
  if (take(c, close)) return true;
  for (;;) {
    skip_blanks(c);
    if (object) {
      if (!take_string(c)) return false;
      skip_blanks(c);
      if (!take(c, ':')) return false;
    }
    if (!take_value(c, depth + 1, &ignored)) return false;
    skip_blanks(c);
    if (take(c, close)) return true;
    if (!take(c, ',')) return false;
  }
}

static bool take_value(cursor_t *c, int depth, prism_json_t *out) {
  skip_blanks(c);
  if (c->at == c->end || depth > MOST_NESTED) return false;
  out->text = c->at;
  bool good = false;
  switch (*c->at) {
    case '{':
    case '[':
      out->type = *c->at == '{' ? PRISM_JSON_OBJECT : PRISM_JSON_ARRAY;
      ++c->at;
      good = take_members(c, out->type == PRISM_JSON_OBJECT, depth);
      break;
    case '"':
      out->type = PRISM_JSON_STRING;
      good = take_string(c);
      break;
    case 'n':
      out->type = PRISM_JSON_NULL;
      good = take_word(c, "null");
      break;
    case 't':
      out->type = PRISM_JSON_TRUE;
      good = take_word(c, "true");
      break;
    case 'f':
      out->type = PRISM_JSON_FALSE;
      good = take_word(c, "false");
      break;
    default:
      out->type = PRISM_JSON_NUMBER;
      good = take_number(c);
      break;
  }
  out->length = (size_t)(c->at - out->text);
  return good;
}

bool prism_json_parse(const char *text, size_t length, prism_json_t *out) {
  cursor_t c = {text, text + length};
  prism_json_t value;
  if (!take_value(&c, 0, &value)) return false;
  skip_blanks(&c);
  if (c.at != c.end) return false;
  *out = value;
  return true;
}

/* ---- Walking ------------------------------------------------------------------------------ */

bool prism_json_next(const prism_json_t *container, size_t *at, prism_json_t *key,
                     prism_json_t *value) {
  const bool object = container->type == PRISM_JSON_OBJECT;
  if ((!object && container->type != PRISM_JSON_ARRAY) || *at >= container->length) return false;
  cursor_t c = {container->text + (*at == 0 ? 1 : *at), container->text + container->length};
  skip_blanks(&c);
  if (*at != 0 && !take(&c, ',')) return false;
  skip_blanks(&c);
  if (object) {
    prism_json_t name = {PRISM_JSON_STRING, c.at, 0};
    if (!take_string(&c)) return false;
    name.length = (size_t)(c.at - name.text);
    skip_blanks(&c);
    if (!take(&c, ':')) return false;
    *key = name;
  }
  if (!take_value(&c, 0, value)) return false;
  *at = (size_t)(c.at - container->text);
  return true;
}

bool prism_json_is(const prism_json_t *string, const char *text) {
  size_t length = strlen(text);
  return string->type == PRISM_JSON_STRING && string->length == length + 2 &&
         memcmp(string->text + 1, text, length) == 0;
}

/* ---- Values ------------------------------------------------------------------------------- */

/* The digits, zero-terminated. */
static bool number_text(const prism_json_t *value, char *out) {
  if (value->type != PRISM_JSON_NUMBER || value->length >= NUMBER_BYTES) return false;
  memcpy(out, value->text, value->length);
  out[value->length] = '\0';
  return true;
}

bool prism_json_f64(const prism_json_t *value, double *out) {
  char digits[NUMBER_BYTES];
  if (!number_text(value, digits)) return false;
  locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
  if (plain == (locale_t)0) return false;
  *out = strtod_l(digits, NULL, plain);
  freelocale(plain);
  return true;
}

bool prism_json_i64(const prism_json_t *value, int64_t *out) {
  char digits[NUMBER_BYTES], *end = NULL;
  if (!number_text(value, digits)) return false;
  errno = 0;
  long long number = strtoll(digits, &end, 10);
  if (errno != 0 || *end != '\0') return false;
  *out = number;
  return true;
}

bool prism_json_u64(const prism_json_t *value, uint64_t *out) {
  char digits[NUMBER_BYTES], *end = NULL;
  if (!number_text(value, digits) || digits[0] == '-') return false;
  errno = 0;
  unsigned long long number = strtoull(digits, &end, 10);
  if (errno != 0 || *end != '\0') return false;
  *out = number;
  return true;
}

static uint32_t take_hex(const char **at) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value * 16 + (uint32_t)hex_digit(*(*at)++);
  return value;
}

/* Behind "\u": one character, of two escapes where it needs a surrogate pair. */
static uint32_t take_unicode(const char **at, const char *end) {
  uint32_t first = take_hex(at);
  if (first < 0xD800 || first > 0xDFFF) return first;
  if (first > 0xDBFF || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u') return 0xFFFD;
  const char *next = *at + 2;
  uint32_t second = take_hex(&next);
  if (second < 0xDC00 || second > 0xDFFF) return 0xFFFD;
  *at = next;
  return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
}

static size_t put_utf8(uint32_t c, char *out) {
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = length - 1; i > 0; --i, c >>= 6) out[i] = (char)(0x80 | (c & 0x3F));
  out[0] = (char)((length == 2 ? 0xC0 : length == 3 ? 0xE0 : 0xF0) | c);
  return length;
}

static char plain_escape(char escape) {
  switch (escape) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return escape; /* " \ / */
  }
}

/* Decode into `out` of at least the string's length; the number of bytes. */
static size_t decode(const prism_json_t *string, char *out) {
  const char *at = string->text + 1, *end = string->text + string->length - 1;
  size_t used = 0;
  while (at < end) {
    if (*at != '\\') {
      out[used++] = *at++;
    } else if (at[1] == 'u') {
      at += 2;
      used += put_utf8(take_unicode(&at, end), out + used); /* never longer than its escapes */
    } else {
      out[used++] = plain_escape(at[1]);
      at += 2;
    }
  }
  return used;
}

prism_status_t prism_json_string(const prism_json_t *string, char **out) {
  if (string->type != PRISM_JSON_STRING) PRISM_FAIL(PRISM_FORMAT, "not a JSON string");
  char *text = NULL;
  PRISM_TRY(PRISM_ALLOC(string->length, &text));
  text[decode(string, text)] = '\0'; /* the quotes leave room */
  *out = text;
  return PRISM_OK;
}

bool prism_json_text(const prism_json_t *string, char *out, size_t bytes) {
  char *text = NULL;
  if (bytes == 0 || prism_json_string(string, &text) != PRISM_OK) return false;
  size_t length = strlen(text);
  if (length >= bytes) {
    length = bytes - 1;
    while (length > 0 && ((unsigned char)text[length] & 0xC0u) == 0x80u) --length;
  }
  memcpy(out, text, length);
  memset(out + length, 0, bytes - length);
  prism_free(text);
  return true;
}
