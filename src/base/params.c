#include "base/params.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Member of prism_params_t that holds an INI section. */
#define MEMBER_run run
#define MEMBER_checkpoint checkpoint
#define MEMBER_reduction reduction
#define MEMBER_initial_coloring initial
#define MEMBER_islands islands
#define MEMBER_memetic memetic
#define MEMBER_thermodynamic thermodynamic
#define MEMBER_cpu cpu
#define MEMBER_gpu gpu
#define MEMBER_telemetry telemetry

#define ROW(section, name, type, def, min, max, unit, alias, help)               \
  {#section, #name, PRISM_PARAM_##type, def, min, max, unit, alias, help,        \
   offsetof(prism_params_t, MEMBER_##section.name)},
#define SECTION(member, section, list) list(ROW)

static const prism_param_row_t table[] = {PRISM_PARAM_SECTIONS(SECTION)};

enum { TABLE_ROWS = sizeof table / sizeof table[0] };

const prism_param_row_t *prism_param_rows(size_t *count) {
  *count = TABLE_ROWS;
  return table;
}

const prism_param_row_t *prism_param_find(const char *section, const char *name) {
  for (size_t i = 0; i < TABLE_ROWS; ++i) {
    if (strcmp(table[i].section, section) == 0 && strcmp(table[i].name, name) == 0) {
      return &table[i];
    }
  }
  return NULL;
}

const prism_param_row_t *prism_param_find_alias(const char *alias) {
  if (alias[0] == '\0') return NULL;
  for (size_t i = 0; i < TABLE_ROWS; ++i) {
    if (strcmp(table[i].alias, alias) == 0) return &table[i];
  }
  return NULL;
}

void prism_params_default(prism_params_t *params) {
  memset(params, 0, sizeof *params);
  for (size_t i = 0; i < TABLE_ROWS; ++i) {
    prism_status_t status =
        prism_params_set(params, &table[i], table[i].default_text, "parameter table");
    assert(status == PRISM_OK); /* a wrong table; a unit test walks it */
    (void)status;
  }
}

/* Index of `value` in "a|b|c"; -1 when it is not there. */
static int32_t choice_index(const char *choices, const char *value) {
  size_t length = strlen(value);
  int32_t index = 0;
  for (const char *at = choices;; ++index) {
    size_t span = strcspn(at, "|");
    if (span == length && memcmp(at, value, span) == 0) return index;
    if (at[span] == '\0') return -1;
    at += span + 1;
  }
}

/* [out] text of choice number `index`. */
static bool choice_text(const char *choices, int32_t index, const char **text, size_t *length) {
  const char *at = choices;
  for (; index > 0; --index) {
    at += strcspn(at, "|");
    if (*at == '\0') return false;
    ++at;
  }
  *text = at;
  *length = strcspn(at, "|");
  return true;
}

static bool parse_flag(const char *value, bool *out) {
  static const char *const yes[] = {"true", "yes", "on", "1"};
  static const char *const no[] = {"false", "no", "off", "0"};
  for (size_t i = 0; i < sizeof yes / sizeof yes[0]; ++i) {
    if (strcmp(value, yes[i]) == 0) return *out = true, true;
    if (strcmp(value, no[i]) == 0) return *out = false, true;
  }
  return false;
}

/* An optional sign and decimal digits: strtoll alone would take blanks in front. */
static bool is_whole(const char *value) {
  if (*value == '-' || *value == '+') ++value;
  if (*value == '\0') return false;
  for (; *value != '\0'; ++value) {
    if (!isdigit((unsigned char)*value)) return false;
  }
  return true;
}

/* A decimal number: strtod alone would take blanks, nan, inf and 0x1p3. */
static bool is_decimal(const char *value) {
  if (value[strspn(value, "+-.0123456789eE")] != '\0') return false;
  return value[strcspn(value, "0123456789")] != '\0';
}

/* "run.time_limit (--time-limit)" */
static void row_title(const prism_param_row_t *row, char *out, size_t size) {
  if (row->alias[0] != '\0') {
    snprintf(out, size, "%s.%s (%s)", row->section, row->name, row->alias);
  } else {
    snprintf(out, size, "%s.%s", row->section, row->name);
  }
}

/* Upper ends are given as doubles; print those that are whole numbers as such. */
static void range_text(const prism_param_row_t *row, char *out, size_t size) {
  if (row->type == PRISM_PARAM_U64) {
    snprintf(out, size, "0 to %" PRIu64, UINT64_MAX);
  } else {
    snprintf(out, size, row->max < 1e15 ? "%.10g to %.15g" : "%.10g to %g", row->min, row->max);
  }
}

static prism_status_t not_a_number(const prism_param_row_t *row, const char *value,
                                   const char *place) {
  char title[128], range[64];
  row_title(row, title, sizeof title);
  range_text(row, range, sizeof range);
  PRISM_FAIL(PRISM_INVALID, "%s: %s: \"%.80s\" is not a %s (allowed: %s)", place, title, value,
             row->type == PRISM_PARAM_F64 ? "number" : "whole number", range);
}

static prism_status_t out_of_range(const prism_param_row_t *row, const char *value,
                                   const char *place) {
  char title[128], range[64];
  row_title(row, title, sizeof title);
  range_text(row, range, sizeof range);
  PRISM_FAIL(PRISM_INVALID, "%s: %s: %.80s is out of range (allowed: %s)", place, title, value,
             range);
}

static prism_status_t set_number(void *target, const prism_param_row_t *row, const char *value,
                                 const char *place) {
  errno = 0;
  if (row->type == PRISM_PARAM_F64) {
    if (!is_decimal(value)) return not_a_number(row, value, place);
    char *end;
    double number = strtod(value, &end);
    if (*end != '\0') return not_a_number(row, value, place);
    /* the negated form also refuses what overflowed to infinity */
    if (!(number >= row->min && number <= row->max)) return out_of_range(row, value, place);
    memcpy(target, &number, sizeof number);
    return PRISM_OK;
  }
  if (!is_whole(value)) return not_a_number(row, value, place);
  if (row->type == PRISM_PARAM_U64) {
    if (value[0] == '-') return out_of_range(row, value, place); /* strtoull would wrap it */
    uint64_t number = strtoull(value, NULL, 10);
    if (errno == ERANGE) return out_of_range(row, value, place);
    memcpy(target, &number, sizeof number);
    return PRISM_OK;
  }
  int64_t number = strtoll(value, NULL, 10);
  if (errno == ERANGE || (double)number < row->min || (double)number > row->max) {
    return out_of_range(row, value, place);
  }
  memcpy(target, &number, sizeof number);
  return PRISM_OK;
}

static prism_status_t set_text(char *target, const prism_param_row_t *row, const char *value,
                               const char *place) {
  char title[128];
  row_title(row, title, sizeof title);
  size_t length = strlen(value);
  if (length >= PRISM_PARAM_TEXT_BYTES) {
    PRISM_FAIL(PRISM_INVALID, "%s: %s: the text is %zu bytes long (allowed: %d)", place, title,
               length, PRISM_PARAM_TEXT_BYTES - 1);
  }
  for (size_t i = 0; i < length; ++i) {
    if (iscntrl((unsigned char)value[i])) {
      PRISM_FAIL(PRISM_INVALID, "%s: %s: control characters are not allowed", place, title);
    }
  }
  memset(target, 0, PRISM_PARAM_TEXT_BYTES); /* bytes stay comparable */
  memcpy(target, value, length);
  return PRISM_OK;
}

prism_status_t prism_params_set(prism_params_t *params, const prism_param_row_t *row,
                                const char *value, const char *place) {
  void *target = (char *)params + row->offset;
  char title[128];
  switch (row->type) {
    case PRISM_PARAM_I64:
    case PRISM_PARAM_U64:
    case PRISM_PARAM_F64:
      return set_number(target, row, value, place);
    case PRISM_PARAM_TEXT:
      return set_text(target, row, value, place);
    case PRISM_PARAM_FLAG: {
      bool flag;
      if (!parse_flag(value, &flag)) {
        row_title(row, title, sizeof title);
        PRISM_FAIL(PRISM_INVALID, "%s: %s: \"%.80s\" is not true or false", place, title, value);
      }
      memcpy(target, &flag, sizeof flag);
      return PRISM_OK;
    }
    case PRISM_PARAM_CHOICE: {
      int32_t index = choice_index(row->unit, value);
      if (index < 0) {
        row_title(row, title, sizeof title);
        PRISM_FAIL(PRISM_INVALID, "%s: %s: \"%.80s\" is not one of %s", place, title, value,
                   row->unit);
      }
      memcpy(target, &index, sizeof index);
      return PRISM_OK;
    }
  }
  PRISM_FAIL(PRISM_INTERNAL, "parameter %s.%s has no type", row->section, row->name);
}

/* The shortest decimal form that reads back to the same bits. */
static prism_status_t format_double(double value, prism_text_t *out) {
  char text[32];
  for (int digits = 15; digits <= 17; ++digits) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break; /* NOLINT: exact on purpose */
  }
  PRISM_TRY(prism_text_add(out, "%s", text));
  return PRISM_OK;
}

prism_status_t prism_params_format(const prism_params_t *params, const prism_param_row_t *row,
                                   prism_text_t *out) {
  const void *source = (const char *)params + row->offset;
  switch (row->type) {
    case PRISM_PARAM_I64: {
      int64_t value;
      memcpy(&value, source, sizeof value);
      return prism_text_add(out, "%" PRId64, value);
    }
    case PRISM_PARAM_U64: {
      uint64_t value;
      memcpy(&value, source, sizeof value);
      return prism_text_add(out, "%" PRIu64, value);
    }
    case PRISM_PARAM_F64: {
      double value;
      memcpy(&value, source, sizeof value);
      return format_double(value, out);
    }
    case PRISM_PARAM_FLAG: {
      bool value;
      memcpy(&value, source, sizeof value);
      return prism_text_add(out, "%s", value ? "true" : "false");
    }
    case PRISM_PARAM_TEXT:
      return prism_text_add(out, "%s", (const char *)source);
    case PRISM_PARAM_CHOICE: {
      int32_t index;
      const char *text;
      size_t length;
      memcpy(&index, source, sizeof index);
      if (index < 0 || !choice_text(row->unit, index, &text, &length)) {
        PRISM_FAIL(PRISM_INTERNAL, "%s.%s has no choice %d", row->section, row->name, index);
      }
      return prism_text_add(out, "%.*s", (int)length, text);
    }
  }
  PRISM_FAIL(PRISM_INTERNAL, "parameter %s.%s has no type", row->section, row->name);
}

static prism_status_t check_persistence(const prism_params_t *params) {
  const prism_params_run_t *run = &params->run;
  const prism_params_checkpoint_t *checkpoint = &params->checkpoint;
  if (!checkpoint->enabled && checkpoint->file[0] != '\0')
    PRISM_FAIL(PRISM_INVALID, "--checkpoint %s: checkpoint.enabled is false", checkpoint->file);
  if (checkpoint->before == 0.0) return PRISM_OK;
  if (!checkpoint->enabled)
    PRISM_FAIL(PRISM_INVALID, "--checkpoint-before %g: checkpoint.enabled is false",
               checkpoint->before);
  if (run->time_limit == 0.0)
    PRISM_FAIL(PRISM_INVALID, "--checkpoint-before %g needs a --time-limit", checkpoint->before);
  if (checkpoint->before >= run->time_limit)
    PRISM_FAIL(PRISM_INVALID, "--checkpoint-before %g is not less than --time-limit %g",
               checkpoint->before, run->time_limit);
  return PRISM_OK;
}

prism_status_t prism_params_check(const prism_params_t *params) {
  const prism_params_run_t *run = &params->run;
  if (run->k > 0 && run->target > 0) {
    PRISM_FAIL(PRISM_INVALID, "-k and --target exclude each other: -k searches at one number of "
                              "colors, --target goes down to one");
  }
  if (run->deterministic && run->k == 0 && run->target == 0 && run->max_iterations == 0) {
    PRISM_FAIL(PRISM_INVALID, "--deterministic needs -k, --target or --max-iterations: a time "
                              "limit alone never stops twice at the same place");
  }
  const prism_params_thermodynamic_t *thermo = &params->thermodynamic;
  if (thermo->t_max > 0.0 && thermo->t_min >= thermo->t_max)
    PRISM_FAIL(PRISM_INVALID, "thermodynamic.t_min %g is not below thermodynamic.t_max %g",
               thermo->t_min, thermo->t_max);
  if (thermo->swap_low >= thermo->swap_high)
    PRISM_FAIL(PRISM_INVALID, "thermodynamic.swap_low %g is not below thermodynamic.swap_high %g",
               thermo->swap_low, thermo->swap_high);
  int64_t ring = params->telemetry.ring;
  if ((ring & (ring - 1)) != 0) {
    PRISM_FAIL(PRISM_INVALID, "telemetry.ring: %" PRId64 " is not a power of two", ring);
  }
  if (run->quiet && run->verbose) {
    PRISM_FAIL(PRISM_INVALID, "--quiet and --verbose exclude each other");
  }
  return check_persistence(params);
}
