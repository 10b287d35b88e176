/* How long the searches of one population after another are. With searches that lead further
 * away than mating brings back, members stay apart for good; how long that is depends on the
 * graph and the number of colours (docs/EXPERIMENTS.md, "Searches that are too long"). */
#ifndef PRISM_SEAM_LENGTHS_H
#define PRISM_SEAM_LENGTHS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct prism_lengths {
  int64_t proven;  /* moves with which members came together last; 0: none */
  int64_t longest; /* with more they stay apart; 0: not known */
} prism_lengths_t;

/* Members whose mean distance is larger than this share of the vertices, and falls by less than
 * a hundredth of them in thirty generations while none gets better, stay apart. Families that do
 * not mix are closer. */
#define PRISM_FAR_APART 0.4
#define PRISM_APART_STEP 0.01
enum { PRISM_APART_GENERATIONS = 30 };

/* With searches of `now` moves members stay far apart: moves with which they go on, not fewer
 * than `least`. Half as many, or halfway to what brought others together; where that is not
 * less, three quarters. */
static inline int64_t prism_lengths_shorten(prism_lengths_t *lengths, int64_t now,
                                            int64_t least) {
  const int64_t proven = lengths->proven, half = now / 2, way = (now - proven) / 2;
  if (now <= least) return now;
  int64_t shorter = half > proven ? half : way > proven / 8 ? now - way : proven;
  if (now <= proven) shorter = now - now / 4;
  lengths->longest = shorter > least ? shorter : least;
  return lengths->longest;
}

/* Moves of members at this mean distance / n. Where longer searches are known to keep them apart
 * they can do with these once they are coming together: twice as many at less than 0.3, four
 * times at 0.15. */
static inline int64_t prism_lengths_at(const prism_lengths_t *lengths, int64_t now,
                                       double distance) {
  enum { MOST = 4 };
  static const double apart = 0.6; /* where longer searches keep them */
  if (lengths->longest == 0) return now;
  int64_t times = MOST;
  while (times > 1 && distance * (double)times > apart) --times;
  return times * lengths->longest;
}

/* They came together without success: `growth` times the moves for the next ones, at most
 * `most`, if these are not known to be too many. */
static inline int64_t prism_lengths_next(prism_lengths_t *lengths, int64_t now, int64_t growth,
                                         int64_t most) {
  const int64_t longest = lengths->longest, base = longest > 0 && now > longest ? longest : now;
  const int64_t longer = base >= most ? base : growth * base < most ? growth * base : most;
  lengths->proven = base;
  return longest > 0 && longest < longer ? longest : longer;
}

#endif
