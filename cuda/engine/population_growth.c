#include "engine/population_growth.h"

#include "engine/population_demes.h"

enum {
  MOST_DOUBLINGS = 4, /* of the length, between two rounds */
  MOST_EACH = 512,    /* moves of a search for each vertex; nothing is known of longer ones */
  LONGEST = 10000000, /* moves in one launch: seconds */
  MOST_MEMBERS = 512  /* of a pool that grows */
};

static bool far_apart(const prism_population_t *p) {
  return !p->length_given && p->progress.distance > PRISM_FAR_APART;
}

/* So alike that it begins anew. */
static bool alike(const prism_population_t *p) {
  static const double converged = 0.05, worn = 0.1 /* by the search for the last k */;
  return p->progress.distance < (p->inherited ? worn : converged);
}

/* Moves of a search for members as far apart as these. */
static int64_t due_length(const prism_population_t *p) {
  if (p->length_given || p->inherited) return p->length;
  return prism_lengths_at(&p->lengths, p->length, p->progress.distance);
}

bool prism_population_note(prism_population_t *p, double distance, int32_t best_f) {
  enum { PATIENCE = 30 }; /* generations */
  static const double fading = 0.9;
  prism_population_progress_t *at = &p->progress;
  const bool first = at->generations == 0;
  at->distance = first ? distance : fading * at->distance + (1.0 - fading) * distance;
  const bool far = far_apart(p);
  const double step = far ? PRISM_APART_STEP : 0.005;
  if (first || at->distance < at->least_distance - step || best_f < at->least_f) {
    at->least_distance = at->distance;
    at->least_f = best_f;
    at->since = 0;
  }
  ++at->generations;
  ++at->since;
  if (due_length(p) != p->length) return true;
  /* Where the first length keeps them apart they may still get better, rarely. */
  if (far && p->length > prism_population_first_length(p))
    return at->since > PRISM_APART_GENERATIONS;
  if (at->since > PATIENCE && !p->tournament_given && p->tournament < PRISM_GPU_TOURNAMENT) {
    ++p->tournament;
    at->since = 0;
  }
  return alike(p) || at->since > 2 * PATIENCE;
}

bool prism_population_shorten(prism_population_t *p) {
  const int64_t now = p->length;
  if (p->length_given) return false;
  p->length = prism_lengths_shorten(&p->lengths, now, prism_population_first_length(p) / 2);
  p->progress.since = 0;
  return p->length < now;
}

bool prism_population_adjust(prism_population_t *p) {
  const int64_t now = p->length;
  if (alike(p)) return false;
  p->length = due_length(p);
  return p->length != now || (far_apart(p) && prism_population_shorten(p));
}

/* A conflict less needs a search of twice the moves, or a little more. */
static int doublings(int32_t conflicts) {
  if (conflicts < 1) return 1;
  return conflicts < MOST_DOUBLINGS ? conflicts : MOST_DOUBLINGS;
}

void prism_population_lengthen(prism_population_t *p) {
  const int64_t each = (int64_t)MOST_EACH * p->graph.n, most = each < LONGEST ? each : LONGEST;
  const int32_t least = p->least;
  p->least = INT32_MAX;
  if (p->length_given) return;
  p->length = prism_lengths_next(&p->lengths, p->length, INT64_C(1) << doublings(least), most);
}

/* Twice as many members, or four times where more than one conflict was left. */
static prism_status_t enlarge(prism_population_t *p, int32_t least, cudaStream_t stream) {
  const int32_t wanted = (least > 1 ? 4 : 2) * p->members;
  const int32_t members = wanted < MOST_MEMBERS ? wanted : MOST_MEMBERS;
  if (!p->mates || p->searcher.wide || p->size_given ||
      prism_population_demes_of(p, p->deme_size) > 0 || members <= p->members)
    return PRISM_OK;
  p->enlarged = true;
  return prism_population_resize(p, members, stream);
}

prism_status_t prism_population_renew(prism_population_t *p, cudaStream_t stream) {
  /* What others left had lost its differences before: no sign of a wrong length. Nor does it say
   * anything of longer searches, or of more members, that the shortest did not bring together. */
  const bool worn = p->inherited, apart = far_apart(p);
  p->inherited = false;
  p->progress = (prism_population_progress_t){0};
  if (!p->tournament_given)
    p->tournament = worn ? PRISM_FIRST_TOURNAMENT : PRISM_STRICT_TOURNAMENT;
  if (!worn && !apart) {
    /* Longer searches than these are known to keep members apart. */
    const bool capped = p->lengths.longest > 0 && p->length >= p->lengths.longest;
    const int32_t least = p->least;
    prism_population_lengthen(p);
    if (capped) PRISM_TRY(enlarge(p, least, stream));
  }
  if (!worn) prism_population_divide(p);
  return prism_population_scatter(p, stream);
}
