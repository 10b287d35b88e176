#include "app/hint.h"

#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 96 };

/* Words longer than WORD_MAX are not worth a guess. */
static size_t edit_distance(const char *a, const char *b) {
  size_t m = strlen(a), n = strlen(b);
  if (m > WORD_MAX || n > WORD_MAX) return WORD_MAX;
  size_t row[WORD_MAX + 1];
  for (size_t j = 0; j <= n; ++j) row[j] = j;
  for (size_t i = 1; i <= m; ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= n; ++j) {
      size_t change = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      size_t least = row[j] + 1 < row[j - 1] + 1 ? row[j] + 1 : row[j - 1] + 1;
      row[j] = change < least ? change : least;
    }
  }
  return row[n];
}

void prism_hint_try(prism_hint_t *hint, const char *word, const char *candidate) {
  size_t distance = edit_distance(word, candidate);
  size_t length = strlen(candidate);
  size_t allowed = length < 3 ? 0 : length < 6 ? 1 : length / 3;
  if (distance > allowed || (hint->best[0] != '\0' && distance >= hint->distance)) return;
  snprintf(hint->best, sizeof hint->best, "%s", candidate);
  hint->distance = distance;
}

void prism_hint_append(const prism_hint_t *hint, char *out, size_t size) {
  if (hint->best[0] == '\0') return;
  size_t used = strlen(out);
  snprintf(out + used, size - used, "; did you mean %s?", hint->best);
}
