#include "solve/descent.h"

/* Far enough ahead to be worth it, near enough to be in reach. */
static int32_t gap_of(int32_t best) {
  enum { PART = 32, MOST = 6 };
  const int32_t gap = best / PART;
  return gap < 1 ? 1 : gap > MOST ? MOST : gap;
}

static int32_t clamp(const prism_descent_t *d, int32_t k, int32_t best) {
  if (k > best - 1) k = best - 1;
  return k < d->goal ? d->goal : k;
}

static void aim(prism_descent_t *d, int32_t k, double cost) {
  d->k = k;
  d->begin = d->fell = d->mark = cost;
  d->f = d->mark_f = -1;
}

void prism_descent_init(prism_descent_t *descent, int32_t bound, int32_t goal, double quick) {
  *descent = (prism_descent_t){.bound = bound, .goal = goal, .quick = quick};
  aim(descent, goal, 0.0);
}

void prism_descent_begin(prism_descent_t *descent, int32_t best, double cost) {
  prism_descent_t *d = descent;
  d->step = cost > 0.0 ? 1 : gap_of(best);
  /* Constructive colourings are about that far above what a search finds. */
  const int32_t far = cost > 0.0 ? 1 : (best - d->bound) / 4;
  aim(d, clamp(d, best - far, best), cost);
}

/* What was easy allows more, what took a good part of all time so far less. */
static void set_step(prism_descent_t *d, int32_t best, double spent, double cost) {
  if (spent < d->quick || spent < 0.1 * cost)
    d->step *= 2;
  else if (spent > 0.2 * cost)
    d->step /= 2;
  if (d->step > gap_of(best)) d->step = gap_of(best);
  if (d->step < 1) d->step = 1;
}

/* k was too low, or has had its time. */
static int32_t higher(prism_descent_t *d, int32_t best, double cost) {
  const double spent = cost - d->begin;
  const int32_t gap = gap_of(best);
  if (d->k >= best - 1 || spent < d->quick) return d->k;
  if (best - d->k > gap) {
    /* Conflicts must fall by a part whenever the time doubles. */
    if (d->mark_f >= 0 && spent < 2.0 * (d->mark - d->begin)) return d->k;
    const bool slow = d->mark_f >= 0 && 5 * d->f > 3 * d->mark_f;
    d->mark = cost;
    d->mark_f = d->f;
    return slow ? clamp(d, (d->k + best - gap + 1) / 2, best) : d->k;
  }
  /* Nothing got better for as long as it had taken to get there. */
  const bool idle = cost - d->fell > d->fell - d->begin;
  return idle && spent > 0.25 * cost ? clamp(d, (d->k + best + 1) / 2, best) : d->k;
}

bool prism_descent_update(prism_descent_t *descent, int32_t best, int64_t f, double cost) {
  prism_descent_t *d = descent;
  const int32_t before = d->k;
  if (best <= d->k) {
    set_step(d, best, cost - d->begin, cost);
    aim(d, clamp(d, best - d->step, best), cost);
    return true;
  }
  if (f >= 0 && (d->f < 0 || f < d->f)) {
    d->f = f;
    d->fell = cost;
  }
  const int32_t k = higher(d, best, cost);
  if (k == before) return false;
  d->step = (d->step + 1) / 2;
  aim(d, k, cost);
  return true;
}
