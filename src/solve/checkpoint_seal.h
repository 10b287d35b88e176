/* The seal of a checkpoint file, which tells a whole file from any other, and how a new file
 * takes the place of the last one. Private to the checkpoint's files.
 *
 * The seal is the user block of the HDF5 file, its first 512 bytes, which HDF5 leaves alone:
 *
 *   prism-dist checkpoint\n
 *   schema N\n             version of what HDF5 holds
 *   size N\n               bytes of the file
 *   sha256 HEX\n           over the three lines above and everything after byte 512
 *
 * and zeros. It is written last. These lines and what is hashed stay the same in every schema,
 * so that an older program can tell a newer file from a damaged one. */
#ifndef PRISM_SOLVE_CHECKPOINT_SEAL_H
#define PRISM_SOLVE_CHECKPOINT_SEAL_H

#include <stdint.h>

#include "base/status.h"

enum { PRISM_CHECKPOINT_SEAL_BYTES = 512 };

/* Seal a file whose first 512 bytes are free, give back room reserved beyond its end, force it
 * to the disk. [out] size. PRISM_STORAGE. Reads the file once. */
prism_status_t prism_checkpoint_seal(const char *path, int64_t *size);

/* Is the file whole, and of a schema that this program knows? [out] size. PRISM_IO,
 * PRISM_FORMAT, PRISM_UNSUPPORTED, with the file's name and the reason. Reads it once. */
prism_status_t prism_checkpoint_seal_check(const char *path, int64_t *size);

/* PATH becomes PATH.1, in place of an older one; `temporary` becomes PATH. PATH exists at every
 * moment, if it did before. PRISM_STORAGE. */
prism_status_t prism_checkpoint_install(const char *temporary, const char *path);

#endif
