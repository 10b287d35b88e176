/* How many threads a rank should run: the cores of its affinity mask and of its
 * cgroup's quota, divided by the ranks of the node that share them. */
#ifndef PRISM_APP_CORES_H
#define PRISM_APP_CORES_H

#include <stdint.h>

#include "seam/comm.h"

enum { PRISM_CORES_WORDS = 64 }; /* 4096 processors */

/* What each rank tells the others. */
typedef struct prism_cores_record {
  uint64_t node;                    /* the same on ranks that run on one kernel */
  uint64_t group;                   /* the same on ranks under one quota */
  double quota;                     /* cores of the quota; 0: none */
  uint64_t near;                    /* not 0: the mask is what lies beside the rank's GPU */
  uint64_t mask[PRISM_CORES_WORDS]; /* affinity */
} prism_cores_record_t;

typedef struct prism_cores {
  int32_t threads;     /* >= 1 */
  uint64_t node;       /* as in the records */
  int32_t node_ranks;  /* of its node */
  char reason[128];    /* "4 cores of the affinity mask, shared by 2 ranks" */
  char processors[64]; /* "0-15,64-79"; "" before near.h has settled them */
} prism_cores_t;

/* Describe this process. */
void prism_cores_describe(prism_cores_record_t *out);

/* Cores of the strictest CPU quota on the way to the root of the process's
 * cgroup, v1 and v2 (0: none).
 * [in] proc_cgroup  "/proc/self/cgroup"; [in] root  "/sys/fs/cgroup"
 * [out] group  identifies the cgroup that sets the limit */
double prism_cores_quota(const char *proc_cgroup, const char *root, uint64_t *group);

/* Share of rank `self` among `count` ranks; the processors stay as they are. */
void prism_cores_share(const prism_cores_record_t *records, int32_t count, int32_t self,
                       prism_cores_t *out);

/* All of it. Collective. */
prism_status_t prism_cores_default(prism_comm_t *comm, prism_cores_t *out);

#endif
