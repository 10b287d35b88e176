#include "base/ladder.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

static const double least_gap = 1e-5;
static const double most_gap = 1.5;

/* Temperatures from the gaps; too long a ladder is pressed together. */
static void place(prism_ladder_t *ladder, double span) {
  int32_t gaps = ladder->levels - 1;
  double sum = 0.0, t_min = ladder->temperature[0];
  double most = log(PRISM_LADDER_HOTTEST / t_min);
  for (int32_t i = 0; i < gaps; ++i) sum += ladder->gap[i];
  double scale = ladder->pinned ? span / sum : sum > most ? most / sum : 1.0;
  double at = log(t_min);
  for (int32_t i = 0; i < gaps; ++i) {
    ladder->gap[i] *= scale;
    at += ladder->gap[i];
    ladder->temperature[i + 1] = exp(at);
  }
}

/* The energy of n vertices fluctuates like the square root of n, and so does the number of
 * levels between two temperatures. */
static int32_t levels_for(int32_t n) {
  int32_t levels = 4 + (int32_t)(0.5 * sqrt((double)n));
  return levels > 48 ? 48 : levels;
}

/* A vertex leaves its best colour for one of about k that are worse by one: this
 * happens now and then where k exp(-1 / t) is a small number; measured on random
 * graphs (docs/EXPERIMENTS.md). */
static double coldest_for(int32_t k) { return 1.0 / log(100.0 + 25.0 * (double)k); }

prism_status_t prism_ladder_init(prism_ladder_t *ladder, const prism_ladder_params_t *params,
                                 int32_t n, int32_t k) {
  *ladder = (prism_ladder_t){.swap_low = params->swap_low, .swap_high = params->swap_high,
                             .pinned = params->t_max > 0.0};
  ladder->levels = params->replicas > 0 ? params->replicas : levels_for(n);
  if (ladder->levels > PRISM_LADDER_MOST) ladder->levels = PRISM_LADDER_MOST;
  ladder->sweeps = params->sweeps > 0 ? params->sweeps : 1;
  if (ladder->swap_low <= 0.0 && ladder->swap_high <= 0.0) {
    ladder->swap_low = 0.15;
    ladder->swap_high = 0.45;
  }
  if (ladder->swap_low >= ladder->swap_high || ladder->swap_high > 1.0)
    PRISM_FAIL(PRISM_INVALID, "exchanges cannot be accepted at a rate from %g to %g",
               ladder->swap_low, ladder->swap_high);
  double t_min = params->t_min > 0.0 ? params->t_min : coldest_for(k);
  double t_max = params->t_max > 0.0 ? params->t_max : 2.0 * t_min;
  if (params->t_min <= 0.0 && t_min > 0.5 * t_max) t_min = 0.5 * t_max;
  if (t_min < PRISM_LADDER_COLDEST) t_min = PRISM_LADDER_COLDEST;
  if (t_max > PRISM_LADDER_HOTTEST) t_max = PRISM_LADDER_HOTTEST;
  if (t_min >= t_max)
    PRISM_FAIL(PRISM_INVALID, "the coldest temperature %g is not below the hottest %g", t_min,
               t_max);
  int32_t gaps = ladder->levels - 1;
  PRISM_TRY(PRISM_ALLOC(ladder->levels, &ladder->temperature));
  PRISM_TRY(PRISM_ALLOC(gaps, &ladder->gap));
  PRISM_TRY(PRISM_ALLOC(gaps, &ladder->rate));
  ladder->temperature[0] = t_min;
  for (int32_t i = 0; i < gaps; ++i) {
    ladder->gap[i] = log(t_max / t_min) / (double)gaps;
    ladder->rate[i] = -1.0;
  }
  place(ladder, log(t_max / t_min));
  ladder->frozen = gaps == 0;
  return PRISM_OK;
}

void prism_ladder_release(prism_ladder_t *ladder) {
  prism_free(ladder->temperature);
  prism_free(ladder->gap);
  prism_free(ladder->rate);
  memset(ladder, 0, sizeof *ladder);
}

/* Have the last windows stayed in the band? */
static bool settled(const prism_ladder_t *ladder) {
  for (int32_t i = 0; i + 1 < ladder->levels; ++i)
    if (ladder->rate[i] < ladder->swap_low || ladder->rate[i] > ladder->swap_high) return false;
  return true;
}

bool prism_ladder_tune(prism_ladder_t *ladder, const uint32_t *attempts,
                       const uint32_t *accepted) {
  enum { FEWEST = 30, MOST = 150 };
  if (ladder->frozen) return false;
  int32_t gaps = ladder->levels - 1;
  double mean = 0.0, memory = 0.8;
  for (int32_t i = 0; i < gaps; ++i) {
    double rate = attempts[i] > 0 ? (double)accepted[i] / (double)attempts[i] : 0.0;
    double *kept = &ladder->rate[i];
    *kept = *kept < 0.0 ? rate : memory * *kept + (1.0 - memory) * rate;
    mean += rate / (double)gaps;
  }
  ++ladder->windows;
  if ((ladder->windows >= FEWEST && settled(ladder)) || ladder->windows >= MOST) {
    ladder->frozen = true;
    return false;
  }
  double span = log(ladder->temperature[gaps] / ladder->temperature[0]);
  double step = 2.0 / pow((double)ladder->windows, 0.6);
  /* Between fixed ends only the differences can be evened out. */
  double wanted = ladder->pinned ? mean : 0.5 * (ladder->swap_low + ladder->swap_high);
  for (int32_t i = 0; i < gaps; ++i) {
    if (attempts[i] == 0) continue;
    double rate = (double)accepted[i] / (double)attempts[i];
    double gap = ladder->gap[i] * exp(step * (rate - wanted));
    ladder->gap[i] = gap < least_gap ? least_gap : gap > most_gap ? most_gap : gap;
  }
  place(ladder, span);
  return true;
}

double prism_ladder_share(const prism_ladder_t *ladder, const uint32_t *attempts,
                          const uint32_t *accepted) {
  uint64_t tried = 0, made = 0;
  for (int32_t i = 0; i + 1 < ladder->levels; ++i) {
    tried += attempts[i];
    made += accepted[i];
  }
  return tried > 0 ? (double)made / (double)tried : 0.0;
}

void prism_ladder_view(const prism_ladder_t *ladder, prism_ladder_view_t *view) {
  const int32_t last = ladder->levels - 1;
  const int32_t shown = last < PRISM_LADDER_SHOWN ? last + 1 : PRISM_LADDER_SHOWN;
  *view = (prism_ladder_view_t){.levels = shown, .windows = ladder->windows,
                                .frozen = ladder->frozen};
  for (int32_t i = 0; i < shown; ++i) {
    const int32_t at = shown > 1 ? i * last / (shown - 1) : 0;
    const bool judged = at < last && ladder->rate[at] >= 0.0;
    view->level[i] = (prism_ladder_level_t){.level = at, .temperature = ladder->temperature[at],
                                            .swap = judged ? ladder->rate[at] : NAN};
  }
}

void prism_ladder_pack(const prism_ladder_t *ladder, prism_pack_t *pack) {
  prism_pack_i32(pack, ladder->levels);
  prism_pack_i32(pack, ladder->sweeps);
  for (int32_t i = 0; i < ladder->levels; ++i) prism_pack_f64(pack, ladder->temperature[i]);
  for (int32_t i = 0; i + 1 < ladder->levels; ++i) {
    prism_pack_f64(pack, ladder->gap[i]);
    prism_pack_f64(pack, ladder->rate[i]);
  }
  prism_pack_f64(pack, ladder->swap_low);
  prism_pack_f64(pack, ladder->swap_high);
  prism_pack_bool(pack, ladder->pinned);
  prism_pack_bool(pack, ladder->frozen);
  prism_pack_i32(pack, ladder->windows);
}

prism_status_t prism_ladder_unpack(prism_unpack_t *unpack, int32_t most, prism_ladder_t *ladder) {
  enum { MOST_SWEEPS = 1 << 20 };
  *ladder = (prism_ladder_t){.levels = prism_unpack_i32(unpack, 1, most)};
  ladder->sweeps = prism_unpack_i32(unpack, 1, MOST_SWEEPS);
  int32_t gaps = ladder->levels - 1;
  prism_status_t status = PRISM_ALLOC(ladder->levels, &ladder->temperature);
  if (status == PRISM_OK) status = PRISM_ALLOC(gaps, &ladder->gap);
  if (status == PRISM_OK) status = PRISM_ALLOC(gaps, &ladder->rate);
  if (status != PRISM_OK) {
    prism_ladder_release(ladder);
    return status;
  }
  /* The ends may be passed by a rounding. */
  double low = 0.5 * PRISM_LADDER_COLDEST, high = 2.0 * PRISM_LADDER_HOTTEST;
  for (int32_t i = 0; i <= gaps; ++i) {
    ladder->temperature[i] = prism_unpack_f64(unpack, low, high);
    low = ladder->temperature[i];
  }
  for (int32_t i = 0; i < gaps; ++i) {
    ladder->gap[i] = prism_unpack_f64(unpack, 1e-12, log(4.0 * high / PRISM_LADDER_COLDEST));
    ladder->rate[i] = prism_unpack_f64(unpack, -1.0, 1.0);
  }
  ladder->swap_low = prism_unpack_f64(unpack, -1.0, 1.0);
  ladder->swap_high = prism_unpack_f64(unpack, ladder->swap_low, 1.0);
  ladder->pinned = prism_unpack_bool(unpack);
  ladder->frozen = prism_unpack_bool(unpack);
  ladder->windows = prism_unpack_i32(unpack, 0, INT32_MAX - 1);
  return PRISM_OK;
}

void prism_ladder_weights(double t, int32_t k, uint32_t *weight) {
  double most = (double)(UINT32_MAX / (uint32_t)k);
  for (int32_t d = 0; d < PRISM_LADDER_WEIGHTS; ++d)
    weight[d] = (uint32_t)nearbyint(most * exp(-(double)d / t));
}

void prism_ladder_factors(const prism_ladder_t *ladder, uint64_t *factor) {
  for (int32_t i = 0; i + 1 < ladder->levels; ++i) {
    double x = 1.0 / ladder->temperature[i] - 1.0 / ladder->temperature[i + 1];
    double y = ldexp(exp(-x), 64);
    factor[i] = y >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)y;
  }
}
