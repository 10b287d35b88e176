/* The parameter table: one row per parameter feeds the structs, the INI keys, the
 * command line, --help, ranges, --print-config and the attributes of the run file.
 *
 * Values enter as text through prism_params_set, which checks syntax and range
 * and names the place. A prism_params_t is plain bytes without pointers: rank 0
 * parses, the bytes are broadcast, and each module is handed its own section. */
#ifndef PRISM_BASE_PARAMS_H
#define PRISM_BASE_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/file.h"
#include "base/status.h"

enum { PRISM_PARAM_TEXT_BYTES = 4096 };

/* Types: I64, U64, F64, FLAG, TEXT, CHOICE.
 * X(section, name, TYPE, default, min, max, unit, alias, help)
 *   default  text, parsed like user input; "" for an empty TEXT
 *   min, max inclusive range of numbers (TEXT, FLAG, CHOICE: 0, 0)
 *   unit     shown in help; for CHOICE the values, "a|b|c" (stored: index)
 *   alias    short command-line form, "" for none; a FLAG alias may be "--no-x",
 *            which sets false */
#define PRISM_PARAMS_RUN(X)                                                                        \
  X(run, k, I64, "0", 0, 2147483646, "colors", "-k",                                               \
    "look for a coloring with N colors or fewer and stop (0: as few as possible)")                 \
  X(run, target, I64, "0", 0, 2147483646, "colors", "--target",                                    \
    "stop when N colors are reached (0: no target)")                                               \
  X(run, time_limit, F64, "60", 0, 1e9, "s", "--time-limit",                                       \
    "wall seconds from the start of the program, for each run (0: no limit)")                      \
  X(run, total_time, F64, "0", 0, 1e9, "s", "--total-time",                                        \
    "wall seconds over this run and all that it was resumed from (0: no limit)")                   \
  X(run, max_iterations, I64, "0", 0, 9e18, "iterations", "--max-iterations",                      \
    "search iterations of each rank (0: no limit)")                                                \
  X(run, seed, U64, "0", 0, 1.8446744073709552e19, "seed", "--seed",                               \
    "seed of all random numbers (0: from the clock, printed)")                                     \
  X(run, runs, I64, "1", 1, 999, "runs", "--runs",                                                 \
    "repeat with derived seeds and print a success table")                                         \
  X(run, deterministic, FLAG, "false", 0, 0, "", "--deterministic",                                \
    "same seed, ranks and threads, same result (needs -k, --target or --max-iterations)")          \
  X(run, threads, I64, "0", 0, 4096, "threads", "--threads",                                       \
    "CPU islands of each rank (0: the cores this rank may use)")                                   \
  X(run, device, CHOICE, "auto", 0, 0, "auto|cuda|cpu", "--device",                                \
    "where to search")                                                                             \
  X(run, comm, CHOICE, "auto", 0, 0, "auto|mpi|nccl|self", "--comm",                               \
    "how pools of GPUs meet, if they do (auto: NCCL where every rank has a GPU, else MPI)")        \
  X(run, peer_timeout, F64, "30", 1, 86400, "s", "",                                               \
    "silence after which a rank counts as lost")                                                   \
  X(run, watchdog, F64, "600", 0, 1e6, "s", "",                                                    \
    "a rank whose islands finish no work for so long ends the job (0: never)")                     \
  X(run, initial, TEXT, "", 0, 0, "FILE.sol", "--initial",                                         \
    "start from this coloring")                                                                    \
  X(run, resume, TEXT, "", 0, 0, "FILE.h5", "--resume",                                            \
    "go on from this checkpoint, with its settings where none are given, and keep it up to date")  \
  X(run, output, TEXT, "", 0, 0, "FILE.h5", "--output",                                            \
    "run file; its stem also names the .jsonl, .sol and .ckpt.h5 "                                 \
    "(default: prism-runs/GRAPH_UTC_sSEED.h5)")  \
  X(run, solution, TEXT, "", 0, 0, "FILE.sol", "--solution",                                       \
    "where the best coloring goes")                                                                \
  X(run, force, FLAG, "false", 0, 0, "", "--force",                                                \
    "overwrite named outputs that exist")                                                          \
  X(run, json, FLAG, "false", 0, 0, "", "--json",                                                  \
    "print the result as JSON")                                                                    \
  X(run, quiet, FLAG, "false", 0, 0, "", "--quiet",                                                \
    "no progress and no remarks, only warnings and errors")                                        \
  X(run, verbose, FLAG, "false", 0, 0, "", "--verbose",                                            \
    "say more while running, and where an error came from")

#define PRISM_PARAMS_CHECKPOINT(X)                                                                 \
  X(checkpoint, enabled, FLAG, "true", 0, 0, "", "",                                               \
    "save the state of the run now and then, to go on from with --resume")                         \
  X(checkpoint, file, TEXT, "", 0, 0, "FILE.h5", "--checkpoint",                                   \
    "where to (default: the file of --resume, else the stem of --output with .ckpt.h5)")           \
  X(checkpoint, interval, F64, "300", 0, 1e9, "s", "--checkpoint-interval",                        \
    "seconds between two checkpoints (0: only when a signal asks for one)")                        \
  X(checkpoint, before, F64, "0", 0, 1e9, "s", "--checkpoint-before",                              \
    "save and end with exit code 85 so long before the time limit (0: no)")

#define PRISM_PARAMS_REDUCTION(X)                                                                  \
  X(reduction, enabled, FLAG, "true", 0, 0, "", "", "shrink the graph before the search")          \
  X(reduction, domination_pairs, I64, "20000000", 0, 9e18, "pairs", "",                            \
    "most vertex pairs tried for domination in one pass (0: rule off)")                            \
  X(reduction, exact_vertices, I64, "80", 0, 1000, "vertices", "",                                 \
    "largest reduced graph given to the exact solver for long; others briefly (0: off)")           \
  X(reduction, clique_seconds, F64, "0.5", 0, 3600, "s", "",                                       \
    "time for the clique bound; easy graphs end sooner")

#define PRISM_PARAMS_INITIAL(X)                                                                    \
  X(initial_coloring, strategy, CHOICE, "portfolio", 0, 0,                                         \
    "portfolio|natural|largest_first|smallest_last|dsatur|rlf", "",                                \
    "first coloring; portfolio takes the best of all")

#define PRISM_PARAMS_ISLANDS(X)                                                                    \
  X(islands, migration, FLAG, "true", 0, 0, "", "--no-migration",                                  \
    "islands exchange colorings")                                                                  \
  X(islands, migration_interval, F64, "1.0", 0.01, 3600, "s", "",                                  \
    "seconds between the emigrants of a rank (deterministic runs: every epoch)")                   \
  X(islands, pool_interval, F64, "0", 0, 3600, "s", "",                                            \
    "seconds between meetings of all ranks' GPU pools (0: never; 0.25 with --comm nccl or mpi)")   \
  X(islands, pool_rows, I64, "16", 1, 4096, "individuals", "",                                     \
    "individuals that each pool shows the others at a meeting")                                    \
  X(islands, epoch_generations, I64, "4", 1, 1000000, "generations", "",                           \
    "generations between exchanges of a deterministic run")

#define PRISM_PARAMS_MEMETIC(X)                                                                    \
  X(memetic, method, CHOICE, "auto", 0, 0,                                                         \
    "auto|tabucol|partialcol|weighted|head|pool|tempering|extraction", "",                         \
    "auto: share time by what works on this graph")                                                \
  X(memetic, population, I64, "0", 0, 100000, "individuals", "",                                   \
    "pool size of an island (0: chosen by the engine)")                                            \
  X(memetic, deme_size, I64, "0", 0, 100000, "individuals", "",                                    \
    "individuals of a GPU pool that mate among themselves (0: chosen by the engine)")              \
  X(memetic, generation_iterations, I64, "0", 0, 1000000000, "iterations", "",                     \
    "search iterations of a child (0: chosen by the engine)")                                      \
  X(memetic, tournament, I64, "0", 0, 8, "members", "",                                            \
    "a mate in a GPU pool is the best of N drawn (0: chosen by the engine)")                       \
  X(memetic, tenure_base, F64, "10", 1, 1000, "iterations", "",                                    \
    "tabu tenure is rand(base) + slope * conflicting vertices")                                    \
  X(memetic, tenure_slope, F64, "0.6", 0, 10, "", "",                                      \
    "tabu tenure: weight of the conflicting vertices")

#define PRISM_PARAMS_THERMODYNAMIC(X)                                                              \
  X(thermodynamic, enabled, FLAG, "false", 0, 0, "", "",                                           \
    "parallel tempering joins the methods of memetic.method = auto")                               \
  X(thermodynamic, replicas, I64, "0", 0, 1024, "replicas", "",                                    \
    "levels of the temperature ladder (0: from the size of the graph)")                            \
  X(thermodynamic, sweeps, I64, "0", 0, 1000000, "sweeps", "",                                     \
    "sweeps of every replica between two exchanges (0: chosen by the engine)")                     \
  X(thermodynamic, t_min, F64, "0", 0, 5, "conflicts", "",                                         \
    "coldest temperature (0: from the number of colors)")                                          \
  X(thermodynamic, t_max, F64, "0", 0, 10, "conflicts", "",                                        \
    "hottest temperature (0: where the wanted acceptance leads)")                                  \
  X(thermodynamic, swap_low, F64, "0.15", 0.01, 1, "", "",                                         \
    "least wanted acceptance of exchanges; temperatures are tuned towards it")                     \
  X(thermodynamic, swap_high, F64, "0.45", 0.01, 1, "", "",                                        \
    "highest wanted acceptance of exchanges")

#define PRISM_PARAMS_CPU(X)                                                                        \
  X(cpu, isa, CHOICE, "auto", 0, 0, "auto|avx512|avx2|portable", "",                               \
    "instruction set of the inner loops; all give the same result")

#define PRISM_PARAMS_GPU(X)                                                                        \
  X(gpu, device_id, I64, "-1", -1, 1023, "device", "",                                             \
    "which of the visible GPUs (-1: the one of the rank's place on its node)")                     \
  X(gpu, enable_memetic_gpu, FLAG, "true", 0, 0, "", "",                                           \
    "a memetic island on the GPU")                                                                 \
  X(gpu, enable_thermodynamic_gpu, FLAG, "true", 0, 0, "", "",                                     \
    "tempering on the GPU, where it takes part")                                                   \
  X(gpu, thermodynamic_share, F64, "0.25", 0.01, 0.99, "", "",                                     \
    "part of the GPU that tempering takes beside a memetic island")                                \
  X(gpu, share, FLAG, "false", 0, 0, "", "--share-gpu",                                            \
    "ranks may share a GPU where a node has fewer of them than ranks")                             \
  X(gpu, bind, FLAG, "true", 0, 0, "", "",                                                         \
    "the threads of a rank stay on the processors beside its GPU")                                 \
  X(gpu, share_cpu, FLAG, "true", 0, 0, "", "",                                                    \
    "the CPU cores search beside the GPU")                                                         \
  X(gpu, streams, I64, "8", 1, 16, "streams", "",                                                  \
    "streams for kernels; phases have fixed ones")                                                 \
  X(gpu, stream_mode, CHOICE, "parallel", 0, 0, "parallel|sequential", "",                         \
    "sequential: one stream for everything")                                                       \
  X(gpu, async, FLAG, "true", 0, 0, "", "",                                                        \
    "transfers run beside kernels; same results without")                                          \
  X(gpu, graph, FLAG, "true", 0, 0, "", "",                                                        \
    "launch the work of a generation as one CUDA graph")                                           \
  X(gpu, memory_fraction, F64, "0.9", 0.01, 1, "", "",                                             \
    "share of the GPU's memory that may be used")                                                  \
  X(gpu, profile, FLAG, "false", 0, 0, "", "",                                                     \
    "time the parts of the work on the GPU, told at the end; a bit slower: no CUDA graphs")

#define PRISM_PARAMS_TELEMETRY(X)                                                                  \
  X(telemetry, enabled, FLAG, "true", 0, 0, "", "", "write the run file and the .jsonl")           \
  X(telemetry, interval, F64, "1.0", 0.01, 3600, "s", "", "seconds between records of a rank")     \
  X(telemetry, ring, I64, "8192", 64, 1048576, "records", "",                                      \
    "records that may wait to be written (power of two)")

/* S(section struct, section name in the INI, list) */
#define PRISM_PARAM_SECTIONS(S)                               \
  S(run, run, PRISM_PARAMS_RUN)                               \
  S(checkpoint, checkpoint, PRISM_PARAMS_CHECKPOINT)          \
  S(reduction, reduction, PRISM_PARAMS_REDUCTION)             \
  S(initial, initial_coloring, PRISM_PARAMS_INITIAL)          \
  S(islands, islands, PRISM_PARAMS_ISLANDS)                   \
  S(memetic, memetic, PRISM_PARAMS_MEMETIC)                   \
  S(thermodynamic, thermodynamic, PRISM_PARAMS_THERMODYNAMIC) \
  S(cpu, cpu, PRISM_PARAMS_CPU)                               \
  S(gpu, gpu, PRISM_PARAMS_GPU)                               \
  S(telemetry, telemetry, PRISM_PARAMS_TELEMETRY)

#define PRISM_PARAM_CTYPE_I64 int64_t
#define PRISM_PARAM_CTYPE_U64 uint64_t
#define PRISM_PARAM_CTYPE_F64 double
#define PRISM_PARAM_CTYPE_FLAG bool
#define PRISM_PARAM_CTYPE_CHOICE int32_t
typedef char prism_param_text_t[PRISM_PARAM_TEXT_BYTES];
#define PRISM_PARAM_CTYPE_TEXT prism_param_text_t

#define PRISM_PARAM_FIELD(section, name, type, def, min, max, unit, alias, help) \
  PRISM_PARAM_CTYPE_##type name;
#define PRISM_PARAM_STRUCT(member, section, list) \
  typedef struct prism_params_##member {          \
    list(PRISM_PARAM_FIELD)                       \
  } prism_params_##member##_t;
PRISM_PARAM_SECTIONS(PRISM_PARAM_STRUCT)
#undef PRISM_PARAM_STRUCT

typedef struct prism_params {
#define PRISM_PARAM_MEMBER(member, section, list) prism_params_##member##_t member;
  PRISM_PARAM_SECTIONS(PRISM_PARAM_MEMBER)
#undef PRISM_PARAM_MEMBER
} prism_params_t;

typedef enum prism_param_type {
  PRISM_PARAM_I64, PRISM_PARAM_U64, PRISM_PARAM_F64, PRISM_PARAM_FLAG, PRISM_PARAM_TEXT,
  PRISM_PARAM_CHOICE
} prism_param_type_t;

/* One row, for help, printing and walking. */
typedef struct prism_param_row {
  const char *section;
  const char *name;
  prism_param_type_t type;
  const char *default_text;
  double min, max;
  const char *unit;
  const char *alias;
  const char *help;
  size_t offset; /* of the value within prism_params_t */
} prism_param_row_t;

/* All rows in table order. [out] count */
const prism_param_row_t *prism_param_rows(size_t *count);
/* Row of section.name; NULL when there is none. */
const prism_param_row_t *prism_param_find(const char *section, const char *name);
/* Row with this command-line alias ("-k", "--seed"); NULL when there is none. */
const prism_param_row_t *prism_param_find_alias(const char *alias);

/* Fill with the defaults (also zeroes padding: the bytes are comparable). */
void prism_params_default(prism_params_t *params);

/* Parse and check one value. [in] place  "file:line" or "command line", used in
 * the message. Whole numbers may not have a fraction or trailing characters,
 * flags are true|false|yes|no|on|off|1|0. PRISM_INVALID with place, key, value
 * and what is allowed. */
prism_status_t prism_params_set(prism_params_t *params, const prism_param_row_t *row,
                                const char *value, const char *place);

/* Value of one row as text that prism_params_set reads back to the same value. */
prism_status_t prism_params_format(const prism_params_t *params, const prism_param_row_t *row,
                                   prism_text_t *out);

/* Rules across parameters (deterministic needs a stop; -k and --target exclude
 * each other; ...). PRISM_INVALID with the reason. */
prism_status_t prism_params_check(const prism_params_t *params);

#endif
