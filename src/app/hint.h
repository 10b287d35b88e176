/* "Did you mean": the candidate nearest to a mistyped word, by edit distance
 * (Levenshtein 1966). Thread-safe. */
#ifndef PRISM_APP_HINT_H
#define PRISM_APP_HINT_H

#include <stddef.h>

/* Running search; zero-initialise. */
typedef struct prism_hint {
  char best[128]; /* nearest candidate so far; "" when none is near */
  size_t distance;
} prism_hint_t;

/* Compare one candidate with `word`. Candidates that differ in more than a third
 * of the letters (of short ones: more than one; of two letters: any) are not near. */
void prism_hint_try(prism_hint_t *hint, const char *word, const char *candidate);

/* Append "; did you mean X?" to `out` when something is near. */
void prism_hint_append(const prism_hint_t *hint, char *out, size_t size);

#endif
