/* Where the time of GPUs went: a row for each part of their work, joined over islands and
 * ranks. Plain bytes without pointers: it is sent as it is. Pure. */
#ifndef PRISM_SEAM_GPU_PROFILE_H
#define PRISM_SEAM_GPU_PROFILE_H

#include <stdint.h>

#include "base/duration.h"

enum { PRISM_GPU_PARTS = 48, PRISM_GPU_PART_BYTES = 32 };

typedef struct prism_gpu_part {
  char name[PRISM_GPU_PART_BYTES]; /* "pool search" */
  prism_duration_t time;           /* of the device */
  int64_t iterations;              /* moves made in it; 0: it makes none */
} prism_gpu_part_t;

/* Zero-initialise. */
typedef struct prism_gpu_profile {
  double wall;   /* seconds that the engines lived, summed over the GPUs */
  int32_t parts;
  prism_gpu_part_t part[PRISM_GPU_PARTS]; /* in the order in which they were added */
} prism_gpu_profile_t;

/* Add to the part of that name, a new one if it is unknown; what finds no room goes to the
 * last part, which is then called "others". A part that never took time is left out. */
void prism_gpu_profile_add(prism_gpu_profile_t *profile, const prism_gpu_part_t *part);

/* Add all of `other`, its wall time too. */
void prism_gpu_profile_merge(prism_gpu_profile_t *profile, const prism_gpu_profile_t *other);

/* Share of the wall time, 0 to 1; parts that run side by side may come to more together. */
double prism_gpu_profile_share(const prism_gpu_profile_t *profile, const prism_gpu_part_t *part);

/* Moves per second of the part's time; 0: it makes none. */
double prism_gpu_part_rate(const prism_gpu_part_t *part);

#endif
