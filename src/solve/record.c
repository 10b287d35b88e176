#include "solve/record.h"

#include <math.h>
#include <string.h>

#define RECORD prism_metric_t
static const prism_field_t METRIC_fields[] = {PRISM_METRIC_FIELDS(PRISM_RECORD_FIELD)};
#undef RECORD
#define RECORD prism_event_t
static const prism_field_t EVENT_fields[] = {PRISM_EVENT_FIELDS(PRISM_RECORD_FIELD)};
#undef RECORD
#define RECORD prism_migration_t
static const prism_field_t MIGRATION_fields[] = {PRISM_MIGRATION_FIELDS(PRISM_RECORD_FIELD)};
#undef RECORD
#define RECORD prism_gpu_t
static const prism_field_t GPU_fields[] = {PRISM_GPU_FIELDS(PRISM_RECORD_FIELD)};
#undef RECORD
#define RECORD prism_profile_t
static const prism_field_t PROFILE_fields[] = {PRISM_PROFILE_FIELDS(PRISM_RECORD_FIELD)};
#undef RECORD
#define RECORD prism_ladder_row_t
static const prism_field_t LADDER_fields[] = {PRISM_LADDER_FIELDS(PRISM_RECORD_FIELD)};
#undef RECORD
#define RECORD prism_solution_row_t
static const prism_field_t SOLUTION_fields[] = {PRISM_SOLUTION_FIELDS(PRISM_RECORD_FIELD)};
#undef RECORD
#define RECORD prism_summary_row_t
static const prism_field_t SUMMARY_fields[] = {PRISM_SUMMARY_FIELDS(PRISM_RECORD_FIELD)};
#undef RECORD
#define RECORD prism_rank_row_t
static const prism_field_t rank_fields[] = {PRISM_RANK_FIELDS(PRISM_RECORD_FIELD)};
#undef RECORD

static const prism_record_table_t tables[PRISM_RECORD_COUNT] = {
#define TABLE(kind, text, path, type, fields) \
  {text, path, kind##_fields, (int32_t)(sizeof kind##_fields / sizeof kind##_fields[0]), \
   sizeof(type)},
    PRISM_RECORD_LIST(TABLE)
#undef TABLE
};

static const prism_record_table_t ranks = {
    "rank", "/ranks/table", rank_fields, sizeof rank_fields / sizeof rank_fields[0],
    sizeof(prism_rank_row_t)};

const prism_record_table_t *prism_record_table(prism_record_kind_t kind) { return &tables[kind]; }

const prism_record_table_t *prism_rank_table(void) { return &ranks; }

void prism_record_blank(prism_record_kind_t kind, void *record) {
  const prism_record_table_t *table = &tables[kind];
  memset(record, 0, table->bytes); /* padding too: records are compared and sent as bytes */
  for (int32_t i = 0; i < table->field_count; ++i) {
    char *at = (char *)record + table->field[i].offset;
    int64_t i64 = -1;
    int32_t i32 = -1;
    double f64 = NAN;
    switch (table->field[i].type) {
      case PRISM_FIELD_I64:
        memcpy(at, &i64, sizeof i64);
        break;
      case PRISM_FIELD_I32:
        memcpy(at, &i32, sizeof i32);
        break;
      case PRISM_FIELD_F64:
        memcpy(at, &f64, sizeof f64);
        break;
      case PRISM_FIELD_TEXT:
        break;
    }
  }
}

void prism_record_text(char *field, size_t bytes, const char *text) {
  size_t length = strnlen(text, bytes);
  if (length == bytes) {
    length = bytes - 1;
    while (length > 0 && ((unsigned char)text[length] & 0xC0u) == 0x80u) --length;
  }
  memcpy(field, text, length);
  memset(field + length, 0, bytes - length);
}
