#include "solve/jsonl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* Length of the UTF-8 character at `s` (at most `left` bytes); 0 when it is none
 * (Unicode 15, table 3-7: no overlong forms, no surrogates). */
static size_t utf8_length(const unsigned char *s, size_t left) {
  if (s[0] < 0x80) return 1;
  size_t length = s[0] >= 0xC2 && s[0] <= 0xDF ? 2 : s[0] >= 0xE0 && s[0] <= 0xEF ? 3
                  : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4 : 0;
  if (length == 0 || length > left) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((s[i] & 0xC0) != 0x80) return 0;
  if (s[0] == 0xE0 && s[1] < 0xA0) return 0;
  if (s[0] == 0xED && s[1] > 0x9F) return 0;
  if (s[0] == 0xF0 && s[1] < 0x90) return 0;
  if (s[0] == 0xF4 && s[1] > 0x8F) return 0;
  return length;
}

prism_status_t prism_jsonl_string(const char *text, size_t bytes, prism_text_t *out) {
  const unsigned char *s = (const unsigned char *)text;
  size_t length = strnlen(text, bytes), at = 0;
  PRISM_TRY(prism_text_add(out, "\""));
  while (at < length) {
    char piece[256];
    size_t used = 0;
    while (at < length && used < sizeof piece - 8) {
      size_t step = utf8_length(s + at, length - at);
      if (step == 0) {
        used += (size_t)snprintf(piece + used, 8, "\\ufffd");
        ++at;
      } else if (s[at] == '"' || s[at] == '\\') {
        piece[used++] = '\\';
        piece[used++] = (char)s[at++];
      } else if (s[at] < 0x20 || s[at] == 0x7F) {
        used += (size_t)snprintf(piece + used, 8, "\\u%04x", s[at++]);
      } else {
        memcpy(piece + used, s + at, step);
        used += step;
        at += step;
      }
    }
    piece[used] = '\0';
    PRISM_TRY(prism_text_add(out, "%s", piece));
  }
  return prism_text_add(out, "\"");
}

prism_status_t prism_jsonl_number(double value, prism_text_t *out) {
  if (!isfinite(value)) return prism_text_add(out, "null");
  char raw[64], clean[64];
  for (int digits = 15; digits <= 17; ++digits) { /* the shortest that reads back */
    snprintf(raw, sizeof raw, "%.*g", digits, value);
    if (strtod(raw, NULL) == value) break;
  }
  /* Whatever else stands in there is the decimal point of the caller's locale. */
  size_t used = 0;
  for (const char *c = raw; *c != '\0'; ++c) {
    if ((*c >= '0' && *c <= '9') || *c == '-' || *c == '+' || *c == 'e')
      clean[used++] = *c;
    else if (used == 0 || clean[used - 1] != '.')
      clean[used++] = '.';
  }
  clean[used] = '\0';
  return prism_text_add(out, "%s", clean);
}

/* "name":value, of one field of a record. */
prism_status_t prism_jsonl_field(const prism_field_t *field, const void *record,
                                 prism_text_t *out) {
  const char *at = (const char *)record + field->offset;
  int64_t i64 = 0;
  int32_t i32 = 0;
  double f64 = 0.0;
  switch (field->type) {
    case PRISM_FIELD_I64:
      memcpy(&i64, at, sizeof i64);
      return prism_text_add(out, "%" PRId64, i64);
    case PRISM_FIELD_I32:
      memcpy(&i32, at, sizeof i32);
      return prism_text_add(out, "%" PRId32, i32);
    case PRISM_FIELD_F64:
      memcpy(&f64, at, sizeof f64);
      return prism_jsonl_number(f64, out);
    case PRISM_FIELD_TEXT:
      return prism_jsonl_string(at, field->bytes, out);
  }
  return PRISM_OK;
}

static prism_status_t add_member(const prism_field_t *field, const void *record,
                                 prism_text_t *out) {
  PRISM_TRY(prism_text_add(out, "\"%s\":", field->name));
  return prism_jsonl_field(field, record, out);
}

prism_status_t prism_jsonl_record(prism_record_kind_t kind, const void *record,
                                  prism_text_t *out) {
  const prism_record_table_t *table = prism_record_table(kind);
  PRISM_TRY(prism_text_add(out, "{\"record\":\"%s\"", table->name));
  for (int32_t i = 0; i < table->field_count; ++i) {
    PRISM_TRY(prism_text_add(out, ","));
    PRISM_TRY(add_member(&table->field[i], record, out));
  }
  return prism_text_add(out, "}\n");
}

static prism_status_t add_rank(const prism_rank_row_t *row, prism_text_t *out) {
  const prism_record_table_t *table = prism_rank_table();
  for (int32_t i = 0; i < table->field_count; ++i) {
    PRISM_TRY(prism_text_add(out, i == 0 ? "{" : ","));
    PRISM_TRY(add_member(&table->field[i], row, out));
  }
  return prism_text_add(out, "}");
}

static prism_status_t add_pair(prism_text_t *out, const char *before, const char *name,
                               const char *value) {
  PRISM_TRY(prism_text_add(out, "%s", before));
  PRISM_TRY(prism_jsonl_string(name, SIZE_MAX, out));
  PRISM_TRY(prism_text_add(out, ":"));
  return prism_jsonl_string(value, SIZE_MAX, out);
}

static prism_status_t add_params(const prism_params_t *params, prism_text_t *out) {
  size_t count = 0;
  const prism_param_row_t *row = prism_param_rows(&count);
  for (size_t i = 0; i < count; ++i) {
    char *name = NULL;
    prism_text_t value = {0};
    prism_status_t status =
        prism_string_format(&name, "%s.%s", row[i].section, row[i].name);
    if (status == PRISM_OK) status = prism_params_format(params, &row[i], &value);
    if (status == PRISM_OK)
      status = add_pair(out, i == 0 ? "" : ",", name, value.data != NULL ? value.data : "");
    prism_text_free(&value);
    prism_free(name);
    PRISM_TRY(status);
  }
  return PRISM_OK;
}

prism_status_t prism_jsonl_config(const prism_store_config_t *config, const char *created,
                                  prism_text_t *out) {
  PRISM_TRY(prism_text_add(out, "{\"record\":\"config\",\"schema_version\":%d",
                           PRISM_STORE_SCHEMA_VERSION));
  PRISM_TRY(add_pair(out, ",", "created", created));
  PRISM_TRY(prism_text_add(out, ",\"seed\":%" PRIu64 ",\"graph\":{", config->seed));
  PRISM_TRY(add_pair(out, "", "name", config->graph_name));
  PRISM_TRY(prism_text_add(out, ",\"n\":%" PRId32 ",\"m\":%" PRId64, config->graph->n,
                           config->graph->m));
  PRISM_TRY(add_pair(out, ",", "hash", config->graph_hash));
  PRISM_TRY(prism_text_add(out, "},\"config\":{"));
  if (config->params != NULL) PRISM_TRY(add_params(config->params, out));
  PRISM_TRY(prism_text_add(out, "},\"build\":{"));
  for (int32_t i = 0; i < config->build_count; ++i)
    PRISM_TRY(add_pair(out, i == 0 ? "" : ",", config->build[i].name, config->build[i].value));
  PRISM_TRY(prism_text_add(out, "},\"ranks\":["));
  for (int32_t i = 0; i < config->rank_count; ++i) {
    if (i > 0) PRISM_TRY(prism_text_add(out, ","));
    PRISM_TRY(add_rank(&config->ranks[i], out));
  }
  return prism_text_add(out, "]}\n");
}

/* Lock `fd` and empty the file. */
static prism_status_t take_over(int fd, const char *path, prism_jsonl_t *out) {
  out->locked = true;
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) PRISM_FAIL(PRISM_IO, "%s is in use by another run", path);
    if (errno != ENOLCK && errno != ENOSYS && errno != EOPNOTSUPP && errno != EINVAL)
      PRISM_FAIL(PRISM_IO, "%s cannot be locked: %s", path, strerror(errno));
    out->locked = false;
  }
  struct stat info;
  if (fstat(fd, &info) != 0) PRISM_FAIL(PRISM_IO, "%s: %s", path, strerror(errno));
  if (!S_ISREG(info.st_mode)) PRISM_FAIL(PRISM_IO, "%s is not a regular file", path);
  out->fresh = info.st_size == 0;
  if (ftruncate(fd, 0) != 0)
    PRISM_FAIL(PRISM_IO, "%s cannot be emptied: %s", path, strerror(errno));
  out->size = 0;
  return PRISM_OK;
}

prism_status_t prism_jsonl_open(const char *path, prism_jsonl_t *out) {
  prism_jsonl_t file = {.fd = -1};
  PRISM_TRY(prism_string_format(&file.path, "%s", path));
  /* O_NONBLOCK: a named pipe at that path must not hang the start. */
  file.fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
  prism_status_t status =
      file.fd >= 0 ? take_over(file.fd, path, &file)
                   : prism_error_record(PRISM_IO, __FILE__, __LINE__, __func__,
                                        "%s cannot be opened: %s", path, strerror(errno));
  if (status != PRISM_OK) {
    if (file.fd >= 0) close(file.fd);
    prism_free(file.path);
    return status;
  }
  *out = file;
  return PRISM_OK;
}

prism_status_t prism_jsonl_append(prism_jsonl_t *file, prism_text_t *lines) {
  size_t done = 0;
  int reason = 0;
  while (done < lines->length && reason == 0) {
    ssize_t wrote = write(file->fd, lines->data + done, lines->length - done);
    if (wrote > 0)
      done += (size_t)wrote;
    else if (wrote == 0 || errno != EINTR)
      reason = wrote == 0 ? ENOSPC : errno;
  }
  size_t whole = done;
  while (whole > 0 && lines->data[whole - 1] != '\n') --whole;
  file->size += (off_t)whole;
  if (whole < done && ftruncate(file->fd, file->size) != 0 && reason == 0) reason = errno;
  if (whole > 0) {
    lines->length -= whole;
    memmove(lines->data, lines->data + whole, lines->length);
    lines->data[lines->length] = '\0';
  }
  if (reason != 0)
    PRISM_FAIL(PRISM_STORAGE, "%s cannot be written: %s", file->path, strerror(reason));
  return PRISM_OK;
}

prism_status_t prism_jsonl_close(prism_jsonl_t *file, bool remove_fresh) {
  if (file->fd < 0) return PRISM_OK;
  int reason = 0;
  if (remove_fresh && file->fresh)
    unlink(file->path); /* best effort: the error that led here is the one to report */
  else if (fsync(file->fd) != 0 && errno != EINVAL)
    reason = errno;
  if (close(file->fd) != 0 && reason == 0) reason = errno;
  file->fd = -1;
  prism_status_t status = PRISM_OK;
  if (reason != 0)
    status = prism_error_record(PRISM_STORAGE, __FILE__, __LINE__, __func__,
                                "%s cannot be written: %s", file->path, strerror(reason));
  prism_free(file->path);
  file->path = NULL;
  return status;
}
