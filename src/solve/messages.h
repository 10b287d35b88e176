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
  PRISM_TAG_END = 7,       /* to all: the last message of the run */
  /* Checkpoints (persist.h, resume.h). A save is known by its serial number, an int32_t. */
  PRISM_TAG_WISH = 8,      /* to rank 0: a prism_wish_t that this rank was given */
  PRISM_TAG_SAVE = 9,      /* to all: save each island when it is next idle; serial */
  PRISM_TAG_READY = 10,    /* to rank 0: all are saved, or cannot be */
  PRISM_TAG_PULL = 11,     /* to one: give the next piece; serial */
  PRISM_TAG_PIECE = 12,    /* to rank 0: a piece (piece.h) */
  PRISM_TAG_SAVED = 13,    /* to all: that save is over; serial */
  PRISM_TAG_RESUME = 14    /* from rank 0: a piece; to rank 0: this rank's islands, then nothing
                              for every piece that was taken */
};

#endif
