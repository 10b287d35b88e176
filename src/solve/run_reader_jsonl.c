#include "solve/run_reader_jsonl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

enum { PIECE_BYTES = 1 << 18, MOST_LINE = 64 << 20, MOST_RANKS = 1 << 22 };

typedef struct rows {
  char *data; /* [capacity] structs; owned */
  int64_t count, capacity;
} rows_t;

struct prism_run_jsonl {
  char *path;
  int fd;
  off_t at;       /* read up to here */
  char *line;     /* what came of a line that is not whole yet, and what is behind it */
  size_t length, capacity;
  prism_run_facts_t *facts;
  rows_t table[PRISM_RECORD_COUNT];
  int64_t skipped;
};

/* ---- Lines ---------------------------------------------------------------------------------- */

/* Fill in a field of a record; null and what has another type leave it blank. */
static void set_field(const prism_field_t *field, const prism_json_t *value, char *record) {
  char *at = record + field->offset;
  int64_t i64 = 0;
  double f64 = 0.0;
  switch (field->type) {
    case PRISM_FIELD_I64:
      if (prism_json_i64(value, &i64)) memcpy(at, &i64, sizeof i64);
      break;
    case PRISM_FIELD_I32:
      if (prism_json_i64(value, &i64) && i64 >= INT32_MIN && i64 <= INT32_MAX) {
        int32_t i32 = (int32_t)i64;
        memcpy(at, &i32, sizeof i32);
      }
      break;
    case PRISM_FIELD_F64:
      if (prism_json_f64(value, &f64)) memcpy(at, &f64, sizeof f64);
      break;
    case PRISM_FIELD_TEXT:
      prism_json_text(value, at, field->bytes);
      break;
  }
}

/* Members of an object into a record that is blank. */
static void set_fields(const prism_json_t *object, const prism_record_table_t *table,
                       char *record) {
  prism_json_t key, value;
  int32_t next = 0; /* they come in the order of the table */
  for (size_t at = 0; prism_json_next(object, &at, &key, &value);) {
    for (int32_t tried = 0; tried < table->field_count; ++tried) {
      int32_t i = (next + tried) % table->field_count;
      if (!prism_json_is(&key, table->field[i].name)) continue;
      set_field(&table->field[i], &value, record);
      next = i + 1;
      break;
    }
  }
}

static prism_status_t add_row(prism_run_jsonl_t *self, prism_record_kind_t kind,
                              const prism_json_t *object) {
  const prism_record_table_t *table = prism_record_table(kind);
  rows_t *rows = &self->table[kind];
  if (rows->count == rows->capacity) {
    int64_t more = rows->capacity == 0 ? 64 : 2 * rows->capacity;
    PRISM_TRY(prism_grow_bytes((void **)&rows->data, (size_t)rows->capacity, (size_t)more,
                               table->bytes));
    rows->capacity = more;
  }
  char *record = rows->data + (size_t)rows->count * table->bytes;
  prism_record_blank(kind, record);
  set_fields(object, table, record);
  ++rows->count;
  return PRISM_OK;
}

/* Members with texts as values. */
static prism_status_t set_pairs(const prism_json_t *object, prism_run_pairs_t *pairs) {
  prism_json_t key, value;
  for (size_t at = 0; prism_json_next(object, &at, &key, &value);) {
    char *name = NULL, *text = NULL;
    if (value.type != PRISM_JSON_STRING) continue;
    prism_status_t status = prism_json_string(&key, &name);
    if (status == PRISM_OK) status = prism_json_string(&value, &text);
    if (status == PRISM_OK) status = prism_run_pairs_add(pairs, name, text);
    prism_free(name);
    prism_free(text);
    PRISM_TRY(status);
  }
  return PRISM_OK;
}

static prism_status_t set_ranks(const prism_json_t *array, prism_run_facts_t *facts) {
  prism_json_t key, value;
  int32_t count = 0;
  for (size_t at = 0; count < MOST_RANKS && prism_json_next(array, &at, &key, &value);) ++count;
  if (count == 0) return PRISM_OK;
  PRISM_TRY(PRISM_ALLOC(count, &facts->rank));
  facts->ranks = count;
  size_t at = 0;
  for (int32_t i = 0; i < count && prism_json_next(array, &at, &key, &value); ++i) {
    prism_run_rank_blank(&facts->rank[i]);
    set_fields(&value, prism_rank_table(), (char *)&facts->rank[i]);
  }
  return PRISM_OK;
}

static prism_status_t set_graph(const prism_json_t *object, prism_run_facts_t *facts) {
  prism_json_t key, value;
  for (size_t at = 0; prism_json_next(object, &at, &key, &value);) {
    const bool text = value.type == PRISM_JSON_STRING;
    if (prism_json_is(&key, "n")) prism_json_i64(&value, &facts->n);
    if (prism_json_is(&key, "m")) prism_json_i64(&value, &facts->m);
    if (prism_json_is(&key, "name") && text && facts->graph_name == NULL)
      PRISM_TRY(prism_json_string(&value, &facts->graph_name));
    if (prism_json_is(&key, "hash") && text && facts->graph_hash == NULL)
      PRISM_TRY(prism_json_string(&value, &facts->graph_hash));
  }
  return PRISM_OK;
}

/* The first line. */
static prism_status_t set_facts(const prism_json_t *object, prism_run_facts_t *facts) {
  prism_json_t key, value;
  for (size_t at = 0; prism_json_next(object, &at, &key, &value);) {
    int64_t version = 0;
    if (prism_json_is(&key, "schema_version") && prism_json_i64(&value, &version) &&
        version >= 1 && version <= INT32_MAX)
      facts->schema_version = (int32_t)version;
    if (prism_json_is(&key, "seed")) facts->has_seed = prism_json_u64(&value, &facts->seed);
    if (prism_json_is(&key, "created") && value.type == PRISM_JSON_STRING &&
        facts->created == NULL)
      PRISM_TRY(prism_json_string(&value, &facts->created));
    if (prism_json_is(&key, "graph")) PRISM_TRY(set_graph(&value, facts));
    if (prism_json_is(&key, "config")) PRISM_TRY(set_pairs(&value, &facts->settings));
    if (prism_json_is(&key, "build")) PRISM_TRY(set_pairs(&value, &facts->builds));
    if (prism_json_is(&key, "ranks") && facts->rank == NULL)
      PRISM_TRY(set_ranks(&value, facts));
  }
  return PRISM_OK;
}

static prism_status_t take_line(prism_run_jsonl_t *self, const char *line, size_t length) {
  prism_json_t object, key, value;
  size_t at = 0;
  if (!prism_json_parse(line, length, &object) || !prism_json_next(&object, &at, &key, &value) ||
      !prism_json_is(&key, "record")) {
    ++self->skipped;
    return PRISM_OK;
  }
  if (prism_json_is(&value, "config")) {
    if (self->facts->schema_version > 0) return PRISM_OK;
    return set_facts(&object, self->facts);
  }
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind)
    if (prism_json_is(&value, prism_record_table((prism_record_kind_t)kind)->name))
      return add_row(self, (prism_record_kind_t)kind, &object);
  return PRISM_OK; /* a kind that a newer version has */
}

/* ---- The file ----------------------------------------------------------------------------- */

/* Take the whole lines off the front of what was read. */
static prism_status_t take_lines(prism_run_jsonl_t *self) {
  size_t from = 0;
  for (;;) {
    const char *end = memchr(self->line + from, '\n', self->length - from);
    if (end == NULL) break;
    size_t length = (size_t)(end - self->line) - from;
    if (length > 0) PRISM_TRY(take_line(self, self->line + from, length));
    from += length + 1;
  }
  self->length -= from;
  memmove(self->line, self->line + from, self->length);
  return PRISM_OK;
}

static prism_status_t make_room(prism_run_jsonl_t *self) {
  if (self->capacity - self->length >= PIECE_BYTES) return PRISM_OK;
  if (self->length > MOST_LINE)
    PRISM_FAIL(PRISM_FORMAT, "%s has a line of more than %d bytes", self->path, MOST_LINE);
  size_t more = 2 * self->capacity + PIECE_BYTES;
  PRISM_TRY(PRISM_GROW(&self->line, self->length, more));
  self->capacity = more;
  return PRISM_OK;
}

prism_status_t prism_run_jsonl_refresh(prism_run_jsonl_t *file) {
  struct stat info;
  if (fstat(file->fd, &info) != 0) PRISM_FAIL(PRISM_IO, "%s: %s", file->path, strerror(errno));
  if (info.st_size < file->at)
    PRISM_FAIL(PRISM_IO, "%s was replaced by another run", file->path);
  for (;;) {
    PRISM_TRY(make_room(file));
    ssize_t got = pread(file->fd, file->line + file->length, PIECE_BYTES, file->at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) PRISM_FAIL(PRISM_IO, "%s: %s", file->path, strerror(errno));
    if (got == 0) return PRISM_OK;
    file->at += got;
    file->length += (size_t)got;
    PRISM_TRY(take_lines(file));
  }
}

prism_status_t prism_run_jsonl_open(const char *path, prism_run_facts_t *facts,
                                    prism_run_jsonl_t **out) {
  prism_run_jsonl_t *self = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &self));
  self->facts = facts;
  facts->n = facts->m = -1;
  self->fd = open(path, O_RDONLY | O_CLOEXEC);
  prism_status_t status =
      self->fd < 0 ? prism_error_record(PRISM_IO, __FILE__, __LINE__, __func__, "%s: %s", path,
                                        strerror(errno))
                   : prism_string_format(&self->path, "%s", path);
  if (status == PRISM_OK) status = prism_run_jsonl_refresh(self);
  if (status == PRISM_OK && facts->schema_version == 0 && self->at > 0 && self->length == 0)
    status = prism_error_record(PRISM_FORMAT, __FILE__, __LINE__, __func__,
                                "%s is not the .jsonl of a run", path);
  if (status != PRISM_OK) prism_run_jsonl_close(&self);
  PRISM_TRY(status);
  *out = self;
  return PRISM_OK;
}

void prism_run_jsonl_close(prism_run_jsonl_t **file) {
  prism_run_jsonl_t *self = *file;
  if (self == NULL) return;
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind) prism_free(self->table[kind].data);
  if (self->fd >= 0) close(self->fd);
  prism_free(self->line);
  prism_free(self->path);
  prism_free(self);
  *file = NULL;
}

int64_t prism_run_jsonl_rows(const prism_run_jsonl_t *file, prism_record_kind_t kind) {
  return file->table[kind].count;
}

void prism_run_jsonl_read(const prism_run_jsonl_t *file, prism_record_kind_t kind, int64_t first,
                          int64_t count, void *rows) {
  const size_t bytes = prism_record_table(kind)->bytes;
  if (count > 0)
    memcpy(rows, file->table[kind].data + (size_t)first * bytes, (size_t)count * bytes);
}

int64_t prism_run_jsonl_skipped(const prism_run_jsonl_t *file) { return file->skipped; }
