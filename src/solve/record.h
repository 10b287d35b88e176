/* Telemetry records: plain structs with fixed-length strings, the same in rings,
 * on the wire, in HDF5 and in JSON Lines. Units stand beside each field.
 *
 * In a resumed run times are those of the present invocation, moves those of all.
 *
 * One table a record: X(kind, name, unit) with kinds I64, I32, F64 and
 * STR<bytes>; it feeds the struct, the HDF5 compound type and the JSON keys. */
#ifndef PRISM_SOLVE_RECORD_H
#define PRISM_SOLVE_RECORD_H

#include <stddef.h>
#include <stdint.h>

typedef char prism_str16_t[16];
typedef char prism_str32_t[32];
typedef char prism_str64_t[64];
typedef char prism_str128_t[128];
typedef char prism_str256_t[256];

#define PRISM_RECORD_CTYPE_I64 int64_t
#define PRISM_RECORD_CTYPE_I32 int32_t
#define PRISM_RECORD_CTYPE_F64 double
#define PRISM_RECORD_CTYPE_STR16 prism_str16_t
#define PRISM_RECORD_CTYPE_STR32 prism_str32_t
#define PRISM_RECORD_CTYPE_STR64 prism_str64_t
#define PRISM_RECORD_CTYPE_STR128 prism_str128_t
#define PRISM_RECORD_CTYPE_STR256 prism_str256_t

/* /telemetry/metrics: one per rank at start, at end, at each change of k and every
 * telemetry.interval. NaN: does not apply. */
#define PRISM_METRIC_FIELDS(X)                                              \
  X(STR32, time, "ISO 8601 UTC")                                            \
  X(F64, t, "s since start")                                                \
  X(I32, rank, "")                                                          \
  X(STR16, phase, "")                                                       \
  X(STR32, step, "")                                                        \
  X(I32, stream, "")                                                        \
  X(STR16, mode, "")                                                        \
  X(STR32, reason, "")                                                      \
  X(I32, colors, "k searched, input numbering")                             \
  X(I32, best_colors, "fewest colors of a verified coloring")               \
  X(I64, conflicts, "monochromatic edges, best at k")                       \
  X(I64, iterations, "moves of this rank over all invocations")             \
  X(F64, duration_ms, "ms since this rank's previous record")               \
  X(F64, temperature, "")                                                   \
  X(F64, reward, "")                                                        \
  X(F64, compaction_ratio, "kernel vertices / input vertices")              \
  X(STR256, parameters, "key=value ...")                                    \
  X(STR128, notes, "")

/* /telemetry/events: starts, ends, new k, signals, warnings. */
#define PRISM_EVENT_FIELDS(X)        \
  X(STR32, time, "ISO 8601 UTC")     \
  X(F64, t, "s since start")         \
  X(I32, rank, "")                   \
  X(STR32, event, "")                \
  X(I32, colors, "input numbering")  \
  X(STR128, notes, "")

/* /telemetry/migrations */
#define PRISM_MIGRATION_FIELDS(X)                        \
  X(F64, t, "s since start")                             \
  X(I32, from_rank, "")                                  \
  X(I32, to_rank, "")                                    \
  X(I32, colors, "k of the migrant, input numbering")    \
  X(I64, conflicts, "monochromatic edges")               \
  X(I32, distance, "partition distance, -1: not measured") \
  X(I32, accepted, "0 or 1")

/* /telemetry/gpu: one per rank with a GPU and telemetry.interval, and at start and
 * end. Times and shares are of the span since this rank's previous record. */
#define PRISM_GPU_FIELDS(X)                                        \
  X(F64, t, "s since start")                                       \
  X(I32, rank, "")                                                 \
  X(F64, utilization, "%, as the driver sees it")                  \
  X(F64, memory_used_mb, "MiB")                                    \
  X(F64, memory_total_mb, "MiB")                                   \
  X(F64, power_w, "W")                                             \
  X(F64, temperature_c, "degrees C")                               \
  X(F64, sm_clock_mhz, "MHz")                                      \
  X(STR128, throttle, "reasons, comma-separated")                  \
  X(F64, kernel_us, "us with a kernel running")                    \
  X(F64, transfer_us, "us with a copy running")                    \
  X(F64, overlap, "share of transfer_us beside a kernel, 0 to 1")  \
  X(F64, idle, "share of the span without a kernel, 0 to 1")

/* /telemetry/profile: with gpu.profile, one per rank and part of its GPU's work, at the
 * end. */
#define PRISM_PROFILE_FIELDS(X)                                     \
  X(F64, t, "s since start")                                        \
  X(I32, rank, "")                                                  \
  X(STR32, name, "")                                                \
  X(I64, count, "times")                                            \
  X(F64, total_s, "s")                                              \
  X(F64, share, "of the time since the GPU's engine was made")      \
  X(F64, mean_us, "us")                                             \
  X(F64, min_us, "us")                                              \
  X(F64, max_us, "us")                                              \
  X(F64, stddev_us, "us")                                           \
  X(I64, iterations, "moves made in it, 0: it makes none")

/* /telemetry/ladder: one per level, coldest first, of a ladder of temperatures that has changed;
 * all rows of it have the same t. Of a rank's islands with the same stream the first one that
 * tempers tells its ladder. */
#define PRISM_LADDER_FIELDS(X)                                                       \
  X(F64, t, "s since start")                                                         \
  X(I32, rank, "")                                                                   \
  X(I32, stream, "")                                                                 \
  X(I32, colors, "k, input numbering")                                               \
  X(I32, level, "0: the coldest")                                                    \
  X(F64, temperature, "conflicts")                                                   \
  X(F64, swap, "share of exchanges made with the next level, 0 to 1")

/* /solutions/index: row i belongs to row i of /solutions/colors. */
#define PRISM_SOLUTION_FIELDS(X)    \
  X(F64, t, "s since start")        \
  X(I64, iterations, "moves of that rank over all invocations") \
  X(I32, rank, "finder")            \
  X(I32, colors, "")

/* /summary: one row, written at the end. */
#define PRISM_SUMMARY_FIELDS(X)                         \
  X(I32, colors, "")                                    \
  X(I32, lower_bound, "")                               \
  X(I32, optimal, "0 or 1")                             \
  X(I32, target_met, "0, 1, or -1 without a target")    \
  X(F64, time, "s")                                     \
  X(F64, time_to_best, "s")                             \
  X(I64, iterations, "moves over all ranks and invocations") \
  X(I32, ranks, "")                                     \
  X(I32, threads, "islands of each rank")               \
  X(I64, records_lost, "telemetry records dropped")     \
  X(I64, write_failures, "failed writes, retried")      \
  X(F64, gpu_busy, "share of the search with a kernel running, -1: no GPU") \
  X(F64, gpu_overlap, "share of transfers beside a kernel, -1: none")       \
  X(STR32, exit_reason, "")                             \
  X(STR32, device, "")

/* /ranks: one row per rank, written at the start. No record of the .jsonl: its first line has
 * them. */
#define PRISM_RANK_FIELDS(X)                                      \
  X(I32, rank, "")                                                \
  X(I32, threads, "")                                             \
  X(I32, gpu, "as CUDA counts those of this rank, -1: none")      \
  X(STR64, host, "")                                              \
  X(STR64, device, "")                                            \
  X(STR64, uuid, "of the GPU")                                    \
  X(STR64, processors, "that its threads may run on, 0-15,64-79")

#define PRISM_RECORD_MEMBER(kind, name, unit) PRISM_RECORD_CTYPE_##kind name;
typedef struct prism_metric { PRISM_METRIC_FIELDS(PRISM_RECORD_MEMBER) } prism_metric_t;
typedef struct prism_event { PRISM_EVENT_FIELDS(PRISM_RECORD_MEMBER) } prism_event_t;
typedef struct prism_migration { PRISM_MIGRATION_FIELDS(PRISM_RECORD_MEMBER) } prism_migration_t;
typedef struct prism_gpu { PRISM_GPU_FIELDS(PRISM_RECORD_MEMBER) } prism_gpu_t;
typedef struct prism_profile { PRISM_PROFILE_FIELDS(PRISM_RECORD_MEMBER) } prism_profile_t;
typedef struct prism_ladder_row { PRISM_LADDER_FIELDS(PRISM_RECORD_MEMBER) } prism_ladder_row_t;
typedef struct prism_solution_row {
  PRISM_SOLUTION_FIELDS(PRISM_RECORD_MEMBER)
} prism_solution_row_t;
typedef struct prism_summary_row { PRISM_SUMMARY_FIELDS(PRISM_RECORD_MEMBER) } prism_summary_row_t;
typedef struct prism_rank_row { PRISM_RANK_FIELDS(PRISM_RECORD_MEMBER) } prism_rank_row_t;

/* X(NAME, name in the .jsonl, table of the run file, struct, fields) */
#define PRISM_RECORD_LIST(X)                                                                     \
  X(METRIC, "metric", "/telemetry/metrics", prism_metric_t, PRISM_METRIC_FIELDS)                 \
  X(EVENT, "event", "/telemetry/events", prism_event_t, PRISM_EVENT_FIELDS)                      \
  X(MIGRATION, "migration", "/telemetry/migrations", prism_migration_t, PRISM_MIGRATION_FIELDS)  \
  X(GPU, "gpu", "/telemetry/gpu", prism_gpu_t, PRISM_GPU_FIELDS)                                 \
  X(PROFILE, "profile", "/telemetry/profile", prism_profile_t, PRISM_PROFILE_FIELDS)             \
  X(LADDER, "ladder", "/telemetry/ladder", prism_ladder_row_t, PRISM_LADDER_FIELDS)              \
  X(SOLUTION, "solution", "/solutions/index", prism_solution_row_t, PRISM_SOLUTION_FIELDS)       \
  X(SUMMARY, "summary", "/summary", prism_summary_row_t, PRISM_SUMMARY_FIELDS)

typedef enum prism_record_kind {
#define PRISM_RECORD_ENUM(name, text, path, type, fields) PRISM_RECORD_##name,
  PRISM_RECORD_LIST(PRISM_RECORD_ENUM)
#undef PRISM_RECORD_ENUM
  PRISM_RECORD_COUNT
} prism_record_kind_t;

typedef enum prism_field_type {
  PRISM_FIELD_I64, PRISM_FIELD_I32, PRISM_FIELD_F64, PRISM_FIELD_TEXT
} prism_field_type_t;

/* One field of a record, for whoever walks them. */
typedef struct prism_field {
  const char *name;
  const char *unit;
  prism_field_type_t type;
  size_t offset; /* within the struct */
  size_t bytes;  /* TEXT: room including the zero byte */
} prism_field_t;

/* Its row in an array of fields; RECORD is the struct that it belongs to. */
#define PRISM_RECORD_FIELD(kind, name, unit) \
  {#name, unit, PRISM_RECORD_TYPE_##kind, offsetof(RECORD, name), sizeof(((RECORD *)0)->name)},
#define PRISM_RECORD_TYPE_I64 PRISM_FIELD_I64
#define PRISM_RECORD_TYPE_I32 PRISM_FIELD_I32
#define PRISM_RECORD_TYPE_F64 PRISM_FIELD_F64
#define PRISM_RECORD_TYPE_STR16 PRISM_FIELD_TEXT
#define PRISM_RECORD_TYPE_STR32 PRISM_FIELD_TEXT
#define PRISM_RECORD_TYPE_STR64 PRISM_FIELD_TEXT
#define PRISM_RECORD_TYPE_STR128 PRISM_FIELD_TEXT
#define PRISM_RECORD_TYPE_STR256 PRISM_FIELD_TEXT

typedef struct prism_record_table {
  const char *name; /* in the .jsonl */
  const char *path; /* in the run file */
  const prism_field_t *field; /* [field_count] */
  int32_t field_count;
  size_t bytes;     /* of the struct */
} prism_record_table_t;

/* Table of a kind. [in] kind  below PRISM_RECORD_COUNT. O(1). */
const prism_record_table_t *prism_record_table(prism_record_kind_t kind);

/* Table of prism_rank_row_t. O(1). */
const prism_record_table_t *prism_rank_table(void);

/* Set every field to "does not apply": NaN, -1, "". [out] record of that kind. */
void prism_record_blank(prism_record_kind_t kind, void *record);

/* Copy text into a fixed field, cut at a whole UTF-8 character, rest zeroed. */
void prism_record_text(char *field, size_t bytes, const char *text);
#define PRISM_RECORD_TEXT(field, text) prism_record_text((field), sizeof(field), (text))

#endif
