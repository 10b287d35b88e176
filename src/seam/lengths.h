/* How long the searches of one population after another are. With searches that lead further
 * away than mating brings back, members stay apart for good; how long that is depends on the
 * graph and the number of colours (docs/EXPERIMENTS.md, "Searches that are too long"). */
#ifndef PRISM_SEAM_LENGTHS_H
#define PRISM_SEAM_LENGTHS_H

#include <stdint.h>

typedef struct prism_lengths {
  int64_t proven;  /* moves with which members came together last; 0: none */
  int64_t longest; /* with more they stay apart; 0: not known */
} prism_lengths_t;

/* Members that neither come closer nor get better stay apart if their mean distance is larger
 * than this share of the vertices: two families that do not mix are closer. */
#define PRISM_FAR_APART 0.4

/* The members of a population with searches of `now` moves have stayed apart: moves of the
 * next one's, not fewer than `least`. */
static inline int64_t prism_lengths_apart(prism_lengths_t *lengths, int64_t now, int64_t least) {
  const int64_t shorter = lengths->proven < now ? lengths->proven : now / 2;
  lengths->longest = shorter > least ? shorter : least;
  return lengths->longest;
}

/* They came together: `longer` moves, if these are not known to be too many. */
static inline int64_t prism_lengths_together(prism_lengths_t *lengths, int64_t now,
                                             int64_t longer) {
  lengths->proven = now;
  return lengths->longest > 0 && lengths->longest < longer ? lengths->longest : longer;
}

#endif
