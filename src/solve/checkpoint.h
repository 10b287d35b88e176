/* The checkpoint file: all that a run needs to go on, written by rank 0 into one HDF5
 * file. docs/CHECKPOINT.md describes the file field by field.
 *
 * Writing is incremental and needs memory for no more than what one call hands over:
 *
 *   begin(FILE, head)                  makes FILE.tmp
 *   solution(), island() + rows() + bytes(), rank()   in any order; islands one at a time
 *   commit()                           FILE becomes FILE.1, FILE.tmp becomes FILE
 *
 * From the first commit on a complete FILE exists at every moment, whenever the program is
 * killed. A failed write leaves FILE and FILE.1 as they were.
 *
 * The first 512 bytes of a file stand outside HDF5 and carry the schema version, the size
 * and a SHA-256 of the whole file. A reader looks at these first: a byte that is damaged
 * anywhere is noticed before HDF5 sees the file. Nothing in a file is trusted beyond that:
 * sizes are compared with the graph and with the size of the file before memory is taken.
 *
 * Threads: one writer or reader belongs to one thread at a time. The HDF5 library is locked
 * inside, together with the run file's use of it. Not collective. */
#ifndef PRISM_SOLVE_CHECKPOINT_H
#define PRISM_SOLVE_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/params.h"
#include "base/status.h"
#include "seam/state.h"
#include "solve/record.h"

enum { PRISM_CHECKPOINT_SCHEMA_VERSION = 1 };

/* ---- Contents -------------------------------------------------------------------------- */

/* How the kernel came about, in the order in which vertices were removed: enough to build
 * prism_kernel_t again without reducing anew. partner[i] is the vertex whose color vertex[i]
 * takes, or one of these. */
enum { PRISM_CHECKPOINT_PEELED = -1, PRISM_CHECKPOINT_UNIVERSAL = -2 };

typedef struct prism_checkpoint_kernel {
  int32_t lower_bound;   /* that vertices were peeled for; 0: the reductions were off */
  int32_t n;             /* kernel vertices; they are what is not removed, in ascending order */
  int32_t removed;       /* head n - kernel n */
  const int32_t *vertex; /* [removed] input vertex */
  const int32_t *partner;/* [removed] */
  const int32_t *map;    /* [n] input vertex of each kernel vertex; NULL when writing: it
                            follows from `vertex` */
} prism_checkpoint_kernel_t;

/* What was known before the search, as in prism_prepared_t; input numbering. */
typedef struct prism_checkpoint_start {
  int32_t lower_bound;   /* of the chromatic number */
  bool exact;            /* proved by branch and bound; else by the clique */
  int32_t clique_size;
  const int32_t *clique; /* [clique_size] */
  int32_t colors;        /* of `color` */
  const int32_t *color;  /* [head n] the legal coloring that the search began with */
} prism_checkpoint_start_t;

/* One value of the configuration: "section.name" and its text, as in an INI file. */
typedef struct prism_checkpoint_setting {
  const char *name;
  const char *value;
} prism_checkpoint_setting_t;

/* All but what comes piece by piece. Pointers are borrowed during begin(); those that a
 * reader gives out live as long as the reader. */
typedef struct prism_checkpoint_head {
  const char *created;    /* ISO 8601, UTC; NULL when writing: now */
  const char *program;    /* that wrote it: "prism-dist 0.1.0" */

  char graph_hash[PRISM_SHA256_HEX];
  const char *graph_name;
  int32_t n;              /* input vertices, >= 1 */
  int64_t m;

  prism_checkpoint_kernel_t kernel;
  prism_checkpoint_start_t start;

  /* Settings: when writing, every value of `params`; when reading, the list. */
  const prism_params_t *params;               /* NULL when reading */
  const prism_checkpoint_setting_t *setting;  /* [settings]; not looked at when writing */
  int32_t settings;

  uint64_t seed;          /* of the run */
  bool deterministic;
  int64_t epoch;          /* epochs done; 0 in a run that is not deterministic */
  double elapsed;         /* s, over all invocations */
  int64_t iterations;     /* moves over all ranks and invocations */
  int32_t invocations;    /* of the program so far, this one counted, >= 1 */
  int32_t ranks;          /* >= 1 */

  /* No coloring of the file has more colors (kernel colors for those of the kernel): it sets
   * the bytes of a stored color, prism_checkpoint_width(). >= 1 */
  int32_t color_bound;
  int32_t best_k;         /* kernel colors of `best`; 0 with a kernel of no vertices */
  const int32_t *best;    /* [kernel n] fewest colors so far, legal, kernel numbering */
} prism_checkpoint_head_t;

/* An island ahead of its rows and bytes: prism_island_state_t without the arrays. */
typedef struct prism_checkpoint_island {
  int32_t id;             /* global, >= 0 */
  int32_t rank;           /* 0 .. ranks - 1 */
  char engine[PRISM_ENGINE_NAME_BYTES];
  int32_t version;
  int32_t k;
  int32_t rows;
  size_t size;            /* bytes of the engine's own */
} prism_checkpoint_island_t;

/* The island that a state is of, and back: a state with room for all of it.
 * [out] state  owned by the caller (prism_island_state_release), empty on failure */
prism_checkpoint_island_t prism_checkpoint_island_of(const prism_island_state_t *state, int32_t id,
                                                     int32_t rank);
prism_status_t prism_checkpoint_island_state(const prism_checkpoint_island_t *island, int32_t n,
                                             prism_island_state_t *state);

/* ---- Colors as they are stored ------------------------------------------------------------ */

/* Islands' rows travel in this form from the ranks to the file and back: color + 1 in 1, 2
 * or 4 bytes, little-endian; 0: uncolored. */

/* Bytes of a stored color. */
static inline size_t prism_checkpoint_width(int32_t color_bound) {
  return color_bound <= UINT8_MAX ? 1 : color_bound <= UINT16_MAX ? 2 : 4;
}

/* [in] color [n] -1 .. color_bound - 1; [out] packed [n * width]. */
void prism_checkpoint_pack(const int32_t *color, size_t n, size_t width, void *packed);

/* [out] color [n]. PRISM_FORMAT when one is not in -1 .. k - 1. */
prism_status_t prism_checkpoint_unpack(const void *packed, size_t n, size_t width, int32_t k,
                                       int32_t *color);

/* ---- Writing ------------------------------------------------------------------------------- */

typedef struct prism_checkpoint prism_checkpoint_t;

/* Make FILE.tmp with the head in it. All the calls below fail with PRISM_STORAGE, and a
 * message that names the file and the reason, when the disk is full or the like, and with
 * PRISM_INVALID when what is given does not fit what went before. After a failure only
 * abandon() makes sense. */
prism_status_t prism_checkpoint_begin(const char *path, const prism_checkpoint_head_t *head,
                                      prism_checkpoint_t **out);

/* The next solution, in the order found. [in] row  as in the run file, t over all
 * invocations; [in] color [head n] 0 .. row->colors - 1, input numbering. */
prism_status_t prism_checkpoint_solution(prism_checkpoint_t *checkpoint,
                                         const prism_solution_row_t *row, const int32_t *color);

/* Begin the next island: exactly island->rows rows and island->size bytes follow, before the
 * next island or commit(). Ids ascend, and ranks do not descend. */
prism_status_t prism_checkpoint_island(prism_checkpoint_t *checkpoint,
                                       const prism_checkpoint_island_t *island);

/* The next `count` of its rows. [in] method, f [count] as in prism_island_state_t; [in] packed
 * [count][kernel n] by prism_checkpoint_pack */
prism_status_t prism_checkpoint_rows(prism_checkpoint_t *checkpoint, int32_t count,
                                     const uint8_t *method, const int64_t *f, const void *packed);

/* The next `size` of its bytes. */
prism_status_t prism_checkpoint_bytes(prism_checkpoint_t *checkpoint, const void *bytes,
                                      size_t size);

/* island(), rows() and bytes() for a state of this process; colors are packed a few rows at a
 * time. */
prism_status_t prism_checkpoint_state(prism_checkpoint_t *checkpoint, int32_t id, int32_t rank,
                                      const prism_island_state_t *state);

/* What the driver of a rank wants to find again: bytes of its own, little-endian. Once for
 * each rank, in ascending order. [in] iterations  moves of that rank over all invocations */
prism_status_t prism_checkpoint_rank(prism_checkpoint_t *checkpoint, int32_t rank,
                                     int64_t iterations, const void *bytes, size_t size);

/* Force FILE.tmp to the disk; keep FILE as FILE.1, replacing an older one; make FILE.tmp
 * FILE. [out] bytes  size of the file, may be NULL. PRISM_INVALID when ranks, rows or bytes
 * are missing. Releases the writer in any case; on failure FILE.tmp is removed. */
prism_status_t prism_checkpoint_commit(prism_checkpoint_t **checkpoint, int64_t *bytes);

/* Give up: remove FILE.tmp, release. NULL-safe; the error text of the thread stays. */
void prism_checkpoint_abandon(prism_checkpoint_t **checkpoint);

/* ---- Reading ------------------------------------------------------------------------------- */

typedef struct prism_checkpoint_reader prism_checkpoint_reader_t;

/* The graph that a run is to go on with. */
typedef struct prism_checkpoint_graph {
  const char *hash;
  int32_t n;
  int64_t m;
} prism_checkpoint_graph_t;

/* Check the whole file, then read its head and tables. [in] graph  NULL: of any graph.
 * PRISM_IO       cannot be opened or read
 * PRISM_FORMAT   not a checkpoint, not complete, or damaged
 * PRISM_UNSUPPORTED  its schema is newer than this program's
 * PRISM_INVALID  of another graph
 * The message names the file and the reason, and FILE.1 if that one would do.
 * Reads the file once, and what the tables hold again. */
prism_status_t prism_checkpoint_open(const char *path, const prism_checkpoint_graph_t *graph,
                                     prism_checkpoint_reader_t **out);

/* The last of these checks alone, for a graph that is read after the file was opened. */
prism_status_t prism_checkpoint_check_graph(const prism_checkpoint_reader_t *reader,
                                            const prism_checkpoint_graph_t *graph);

/* Contents as far as they are small; all of it checked: the kernel's vertices and those
 * removed are all vertices once, colors and clique are within the graph. Lives as long as the
 * reader. */
const prism_checkpoint_head_t *prism_checkpoint_head(const prism_checkpoint_reader_t *reader);

/* Numbers of what can be read below, by index from 0, in the order written. */
int32_t prism_checkpoint_solutions(const prism_checkpoint_reader_t *reader);
int32_t prism_checkpoint_islands(const prism_checkpoint_reader_t *reader);

/* The reads fail with PRISM_FORMAT when the file holds what no writer writes and with
 * PRISM_IO when it cannot be read. */

/* [out] color [head n] */
prism_status_t prism_checkpoint_read_solution(prism_checkpoint_reader_t *reader, int32_t index,
                                              prism_solution_row_t *row, int32_t *color);

/* Lives as long as the reader. */
const prism_checkpoint_island_t *prism_checkpoint_island_at(
    const prism_checkpoint_reader_t *reader, int32_t index);

/* Rows first .. first + count - 1 of an island. [out] method, f [count]; packed [count][kernel n]
 * in the width of the head's color_bound, checked against the island's k */
prism_status_t prism_checkpoint_read_rows(prism_checkpoint_reader_t *reader, int32_t index,
                                          int32_t first, int32_t count, uint8_t *method,
                                          int64_t *f, void *packed);

/* `size` of its bytes from `first`. */
prism_status_t prism_checkpoint_read_bytes(prism_checkpoint_reader_t *reader, int32_t index,
                                           size_t first, size_t size, uint8_t *bytes);

/* All of an island. [out] state  owned by the caller (prism_island_state_release), empty on
 * failure */
prism_status_t prism_checkpoint_read_state(prism_checkpoint_reader_t *reader, int32_t index,
                                           prism_island_state_t *state);

/* What a rank wrote. [out] iterations; size; bytes [size], owned by the caller (prism_free) */
prism_status_t prism_checkpoint_read_rank(prism_checkpoint_reader_t *reader, int32_t rank,
                                          int64_t *iterations, uint8_t **bytes, size_t *size);

/* NULL-safe. */
void prism_checkpoint_close(prism_checkpoint_reader_t **reader);

#endif
