#include "app/config.h"

#include <ctype.h>
#include <errno.h>
#include <iniparser.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/hint.h"
#include "base/mem.h"

/* iniparser reads lines into 1024 bytes. */
enum { LINE_BYTES_MAX = 1000, KEY_BYTES = 128 };

/* One `key = value` line of the file. */
typedef struct entry {
  int line;
  char section[KEY_BYTES];
  char name[KEY_BYTES];
} entry_t;

typedef struct scan {
  const char *path;
  int line;
  char section[KEY_BYTES]; /* "" before the first section */
  entry_t *entry;
  size_t count, capacity;
} scan_t;

/* iniparser writes to stderr unless told otherwise; the scan reports instead. */
static int discard_message(const char *format, ...) {
  (void)format;
  return 0;
}

/* Cut blanks at both ends, in place. */
static char *strip(char *text) {
  while (isspace((unsigned char)*text)) ++text;
  size_t length = strlen(text);
  while (length > 0 && isspace((unsigned char)text[length - 1])) text[--length] = '\0';
  return text;
}

/* Lower case, as iniparser stores its keys. */
static void copy_lower(char out[KEY_BYTES], const char *text) {
  size_t i = 0;
  for (; text[i] != '\0' && i + 1 < KEY_BYTES; ++i) out[i] = (char)tolower((unsigned char)text[i]);
  out[i] = '\0';
}

static prism_status_t scan_section(scan_t *scan, char *text) {
  char *close = strchr(text, ']');
  if (close == NULL || strip(close + 1)[0] != '\0') {
    PRISM_FAIL(PRISM_FORMAT, "%s:%d: a section line holds [name] and nothing else", scan->path,
               scan->line);
  }
  *close = '\0';
  copy_lower(scan->section, strip(text + 1));
  size_t rows;
  const prism_param_row_t *row = prism_param_rows(&rows);
  prism_hint_t hint = {0};
  for (size_t i = 0; i < rows; ++i) {
    if (strcmp(row[i].section, scan->section) == 0) return PRISM_OK;
    prism_hint_try(&hint, scan->section, row[i].section);
  }
  char advice[160] = "";
  prism_hint_append(&hint, advice, sizeof advice);
  PRISM_FAIL(PRISM_INVALID, "%s:%d: unknown section [%.60s]%s", scan->path, scan->line,
             scan->section, advice);
}

/* What stands right of the equals sign: all of it must be a value and a comment. */
static prism_status_t check_value(const scan_t *scan, const char *value) {
  if (value[0] == '"' || value[0] == '\'') {
    const char *close = strchr(value + 1, value[0]);
    if (close == NULL) {
      PRISM_FAIL(PRISM_FORMAT, "%s:%d: the quote is not closed", scan->path, scan->line);
    }
    const char *rest = close + 1;
    while (isspace((unsigned char)*rest)) ++rest;
    if (*rest != '\0' && *rest != '#' && *rest != ';') {
      PRISM_FAIL(PRISM_FORMAT, "%s:%d: text after the closing quote: %.60s", scan->path,
                 scan->line, rest);
    }
    return PRISM_OK;
  }
  size_t plain = strcspn(value, "#;");
  if (value[plain] != '\0' && plain > 0 && !isspace((unsigned char)value[plain - 1])) {
    PRISM_FAIL(PRISM_FORMAT, "%s:%d: put quotes around a value that holds # or ;", scan->path,
               scan->line);
  }
  return PRISM_OK;
}

static prism_status_t unknown_key(const scan_t *scan, const char *name) {
  char word[2 * KEY_BYTES + 2], candidate[2 * KEY_BYTES + 2];
  snprintf(word, sizeof word, "%s.%s", scan->section, name);
  prism_hint_t hint = {0};
  size_t rows;
  const prism_param_row_t *row = prism_param_rows(&rows);
  for (size_t i = 0; i < rows; ++i) {
    snprintf(candidate, sizeof candidate, "%s.%s", row[i].section, row[i].name);
    prism_hint_try(&hint, word, candidate);
  }
  char advice[160] = "";
  prism_hint_append(&hint, advice, sizeof advice);
  PRISM_FAIL(PRISM_INVALID, "%s:%d: unknown key %.60s in section [%s]%s", scan->path, scan->line,
             name, scan->section, advice);
}

static prism_status_t scan_key(scan_t *scan, char *text) {
  char *equals = strchr(text, '=');
  if (equals == NULL || equals == text) {
    PRISM_FAIL(PRISM_FORMAT, "%s:%d: \"%.60s\" is not [section], key = value or a comment",
               scan->path, scan->line, text);
  }
  *equals = '\0';
  char name[KEY_BYTES];
  copy_lower(name, strip(text));
  if (scan->section[0] == '\0') {
    PRISM_FAIL(PRISM_FORMAT, "%s:%d: key %.60s stands before the first section", scan->path,
               scan->line, name);
  }
  if (prism_param_find(scan->section, name) == NULL) return unknown_key(scan, name);
  for (size_t i = 0; i < scan->count; ++i) {
    const entry_t *old = &scan->entry[i];
    if (strcmp(old->name, name) == 0 && strcmp(old->section, scan->section) == 0) {
      PRISM_FAIL(PRISM_INVALID, "%s:%d: %s.%s was already given in line %d", scan->path,
                 scan->line, scan->section, name, old->line);
    }
  }
  PRISM_TRY(check_value(scan, strip(equals + 1)));
  if (scan->count == scan->capacity) {
    size_t capacity = 2 * scan->capacity + 16;
    PRISM_TRY(PRISM_GROW(&scan->entry, scan->capacity, capacity));
    scan->capacity = capacity;
  }
  entry_t *entry = &scan->entry[scan->count++];
  entry->line = scan->line;
  memcpy(entry->section, scan->section, sizeof entry->section);
  memcpy(entry->name, name, sizeof entry->name);
  return PRISM_OK;
}

static prism_status_t scan_line(scan_t *scan, char *line, size_t length) {
  if (strlen(line) != length) {
    PRISM_FAIL(PRISM_FORMAT, "%s:%d: a zero byte: this is not a text file", scan->path,
               scan->line);
  }
  if (length > LINE_BYTES_MAX) {
    PRISM_FAIL(PRISM_FORMAT, "%s:%d: the line is longer than %d bytes", scan->path, scan->line,
               LINE_BYTES_MAX);
  }
  char *text = strip(line);
  length = strlen(text);
  if (length > 0 && text[length - 1] == '\\') { /* iniparser would join the next line */
    PRISM_FAIL(PRISM_FORMAT, "%s:%d: lines cannot be continued with a backslash", scan->path,
               scan->line);
  }
  if (length == 0 || text[0] == '#' || text[0] == ';') return PRISM_OK;
  if (text[0] == '[') return scan_section(scan, text);
  return scan_key(scan, text);
}

static prism_status_t scan_file(scan_t *scan, FILE *file) {
  char *line = NULL;
  size_t capacity = 0;
  prism_status_t status = PRISM_OK;
  for (;;) {
    errno = 0;
    ssize_t length = getline(&line, &capacity, file);
    if (length < 0) break;
    ++scan->line;
    PRISM_TRY_GOTO(status, scan_line(scan, line, (size_t)length), done);
  }
  if (ferror(file)) {
    status = prism_error_record(PRISM_IO, __FILE__, __LINE__, __func__, "%s: %s", scan->path,
                                strerror(errno));
  }
done:
  free(line); /* getline's own block */
  return status;
}

static prism_status_t scan_path(scan_t *scan) {
  struct stat info;
  if (stat(scan->path, &info) != 0) {
    PRISM_FAIL(PRISM_IO, "%s: %s", scan->path, strerror(errno));
  }
  if (!S_ISREG(info.st_mode)) { /* it is read twice */
    PRISM_FAIL(PRISM_IO, "%s: not a regular file", scan->path);
  }
  FILE *file = fopen(scan->path, "r");
  if (file == NULL) PRISM_FAIL(PRISM_IO, "%s: %s", scan->path, strerror(errno));
  prism_status_t status = scan_file(scan, file);
  fclose(file);
  if (status != PRISM_OK) prism_error_frame(__FILE__, __LINE__, __func__);
  return status;
}

/* Every key that iniparser sees must be one the scan saw. */
static prism_status_t check_dictionary(const scan_t *scan, const dictionary *ini) {
  for (ssize_t i = 0; i < ini->size; ++i) {
    const char *key = ini->key[i];
    if (key == NULL || strchr(key, ':') == NULL) continue; /* unused slot, section */
    size_t at = 0;
    for (; at < scan->count; ++at) {
      size_t span = strlen(scan->entry[at].section);
      if (strncmp(key, scan->entry[at].section, span) == 0 && key[span] == ':' &&
          strcmp(key + span + 1, scan->entry[at].name) == 0) {
        break;
      }
    }
    if (at == scan->count) PRISM_FAIL(PRISM_FORMAT, "%s: key %s is unused", scan->path, key);
  }
  return PRISM_OK;
}

static prism_status_t take_values(const scan_t *scan, const dictionary *ini,
                                  prism_params_t *params) {
  for (size_t i = 0; i < scan->count; ++i) {
    const entry_t *entry = &scan->entry[i];
    char key[2 * KEY_BYTES + 2];
    snprintf(key, sizeof key, "%s:%s", entry->section, entry->name);
    const char *value = iniparser_getstring(ini, key, NULL);
    char *place = NULL;
    PRISM_TRY(prism_string_format(&place, "%s:%d", scan->path, entry->line));
    prism_status_t status;
    if (value == NULL) {
      status = prism_error_record(PRISM_FORMAT, __FILE__, __LINE__, __func__,
                                  "%s: no value for %s.%s", place, entry->section, entry->name);
    } else {
      status = prism_params_set(params, prism_param_find(entry->section, entry->name), value,
                                place);
    }
    prism_free(place);
    PRISM_TRY(status);
  }
  return PRISM_OK;
}

prism_status_t prism_config_read(const char *path, prism_params_t *params) {
  scan_t scan = {.path = path};
  dictionary *ini = NULL;
  prism_status_t status;
  PRISM_TRY_GOTO(status, scan_path(&scan), done);
  iniparser_set_error_callback(discard_message);
  ini = iniparser_load(path);
  iniparser_set_error_callback(NULL);
  if (ini == NULL) {
    status = prism_error_record(PRISM_FORMAT, __FILE__, __LINE__, __func__,
                                "%s: not a readable INI file", path);
    goto done;
  }
  PRISM_TRY_GOTO(status, check_dictionary(&scan, ini), done);
  PRISM_TRY_GOTO(status, take_values(&scan, ini, params), done);
done:
  if (ini != NULL) iniparser_freedict(ini);
  prism_free(scan.entry);
  return status;
}

/* "colors, 0 to 100; -k" under the help text of a key. */
static prism_status_t format_comment(const prism_param_row_t *row, prism_text_t *out) {
  PRISM_TRY(prism_text_add(out, "# %s\n#   ", row->help));
  switch (row->type) {
    case PRISM_PARAM_I64:
      PRISM_TRY(prism_text_add(out, "whole number, %.0f to %.0f", row->min, row->max));
      break;
    case PRISM_PARAM_U64:
      PRISM_TRY(prism_text_add(out, "whole number of 64 bits"));
      break;
    case PRISM_PARAM_F64:
      PRISM_TRY(prism_text_add(out, "number, %g to %g", row->min, row->max));
      break;
    case PRISM_PARAM_FLAG:
      PRISM_TRY(prism_text_add(out, "true or false"));
      break;
    case PRISM_PARAM_TEXT:
      PRISM_TRY(prism_text_add(out, "text"));
      break;
    case PRISM_PARAM_CHOICE:
      PRISM_TRY(prism_text_add(out, "%s", row->unit));
      break;
  }
  bool unit = row->unit[0] != '\0' && row->type != PRISM_PARAM_CHOICE;
  if (unit) PRISM_TRY(prism_text_add(out, " (%s)", row->unit));
  if (row->alias[0] != '\0') PRISM_TRY(prism_text_add(out, "; option %s", row->alias));
  return prism_text_add(out, "\n");
}

static prism_status_t format_value(const prism_params_t *params, const prism_param_row_t *row,
                                   prism_text_t *out) {
  if (row->type != PRISM_PARAM_TEXT) return prism_params_format(params, row, out);
  const char *text = (const char *)params + row->offset;
  if (strchr(text, '"') != NULL && strchr(text, '\'') != NULL) {
    PRISM_FAIL(PRISM_INVALID, "%s.%s holds both kinds of quotes, which an INI file cannot",
               row->section, row->name);
  }
  if (strlen(text) + strlen(row->name) + 8 > LINE_BYTES_MAX) {
    PRISM_FAIL(PRISM_INVALID, "%s.%s is too long for a line of an INI file", row->section,
               row->name);
  }
  char quote = strchr(text, '"') != NULL ? '\'' : '"';
  return prism_text_add(out, "%c%s%c", quote, text, quote);
}

prism_status_t prism_config_format(const prism_params_t *params, prism_text_t *out) {
  PRISM_TRY(prism_text_add(out,
                           "# Parameters of prism-dist. Every key may be left out.\n"
                           "# Read by --config FILE; options on the command line beat it.\n"));
  size_t rows;
  const prism_param_row_t *row = prism_param_rows(&rows);
  for (size_t i = 0; i < rows; ++i) {
    if (i == 0 || strcmp(row[i].section, row[i - 1].section) != 0) {
      PRISM_TRY(prism_text_add(out, "\n[%s]\n", row[i].section));
    }
    PRISM_TRY(format_comment(&row[i], out));
    PRISM_TRY(prism_text_add(out, "%s = ", row[i].name));
    PRISM_TRY(format_value(params, &row[i], out));
    PRISM_TRY(prism_text_add(out, "\n"));
  }
  return PRISM_OK;
}
