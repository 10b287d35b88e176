#include "seam/gpu_profile.h"

#include <stdio.h>
#include <string.h>

/* The part of this name, made if there is room for another. */
static prism_gpu_part_t *part_of(prism_gpu_profile_t *profile, const char *name) {
  for (int32_t i = 0; i < profile->parts; ++i)
    if (strncmp(profile->part[i].name, name, PRISM_GPU_PART_BYTES - 1) == 0)
      return &profile->part[i];
  prism_gpu_part_t *last = &profile->part[PRISM_GPU_PARTS - 1];
  if (profile->parts < PRISM_GPU_PARTS) {
    prism_gpu_part_t *fresh = &profile->part[profile->parts++];
    memset(fresh, 0, sizeof *fresh); /* padding too: it is sent */
    snprintf(fresh->name, sizeof fresh->name, "%s", name);
    return fresh;
  }
  snprintf(last->name, sizeof last->name, "others");
  return last;
}

void prism_gpu_profile_add(prism_gpu_profile_t *profile, const prism_gpu_part_t *part) {
  if (part->time.count == 0) return;
  prism_gpu_part_t *own = part_of(profile, part->name);
  prism_duration_merge(&own->time, &part->time);
  own->iterations += part->iterations;
}

void prism_gpu_profile_merge(prism_gpu_profile_t *profile, const prism_gpu_profile_t *other) {
  profile->wall += other->wall;
  for (int32_t i = 0; i < other->parts; ++i) prism_gpu_profile_add(profile, &other->part[i]);
}

double prism_gpu_profile_share(const prism_gpu_profile_t *profile, const prism_gpu_part_t *part) {
  return profile->wall > 0.0 ? part->time.total / profile->wall : 0.0;
}

double prism_gpu_part_rate(const prism_gpu_part_t *part) {
  return part->time.total > 0.0 ? (double)part->iterations / part->time.total : 0.0;
}
