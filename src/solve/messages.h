/* Tags of the messages that ranks post to each other during a run. Stable within
 * one version only: all ranks of a job run the same program. */
#ifndef PRISM_SOLVE_MESSAGES_H
#define PRISM_SOLVE_MESSAGES_H

enum prism_tag {
  PRISM_TAG_TELEMETRY = 1, /* to rank 0: a batch of records (telemetry.h) */
  PRISM_TAG_SOLUTION = 2,  /* to all: a legal coloring (wire.h) */
  PRISM_TAG_MIGRANT = 4,   /* to the next rank: an elite (wire.h) */
  PRISM_TAG_STOP = 5,      /* to all: end the search; a prism_exit_t */
  PRISM_TAG_EXHAUSTED = 6, /* to rank 0: this rank has used up its iterations */
  PRISM_TAG_END = 7        /* to all: the last message of the run */
};

#endif
