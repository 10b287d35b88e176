/* The Boltzmann distribution of all colourings of a tiny graph, by enumeration, and
 * how well a histogram of samples fits it. */
#ifndef PRISM_TESTS_BOLTZMANN_H
#define PRISM_TESTS_BOLTZMANN_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "oracle.h"

enum { BOLTZMANN_MOST = 4096 }; /* colourings */

/* Number of colourings: k to the power n. */
static inline int32_t boltzmann_states(int32_t n, int32_t k) {
  int32_t states = 1;
  for (int32_t v = 0; v < n; ++v) states *= k;
  if (states > BOLTZMANN_MOST) exit(96);
  return states;
}

static inline int32_t boltzmann_number(const int32_t *color, int32_t n, int32_t k) {
  int32_t number = 0;
  for (int32_t v = 0; v < n; ++v) number = number * k + color[v];
  return number;
}

static inline void boltzmann_colors(int32_t number, int32_t n, int32_t k, int32_t *color) {
  for (int32_t v = n - 1; v >= 0; --v, number /= k) color[v] = number % k;
}

/* [out] p [states] probability of each colouring at temperature t. */
static inline void boltzmann_exact(const prism_graph_t *graph, int32_t k, double t, double *p) {
  int32_t n = graph->n, states = boltzmann_states(n, k), color[16];
  double sum = 0.0;
  for (int32_t s = 0; s < states; ++s) {
    boltzmann_colors(s, n, k, color);
    p[s] = exp(-(double)oracle_conflicts(graph, color) / t);
    sum += p[s];
  }
  for (int32_t s = 0; s < states; ++s) p[s] /= sum;
}

/* Pearson's chi-square of a histogram, in standard deviations above its mean; rare
 * cells are taken together. */
static inline double boltzmann_chi(const double *p, const int64_t *seen, int32_t states,
                                      int64_t samples) {
  double chi = 0.0, rare_p = 0.0;
  int64_t rare_seen = 0;
  int32_t cells = 0;
  for (int32_t s = 0; s < states; ++s) {
    double expected = p[s] * (double)samples;
    if (expected < 8.0) {
      rare_p += p[s];
      rare_seen += seen[s];
      continue;
    }
    chi += ((double)seen[s] - expected) * ((double)seen[s] - expected) / expected;
    ++cells;
  }
  double expected = rare_p * (double)samples;
  if (expected >= 8.0) {
    chi += ((double)rare_seen - expected) * ((double)rare_seen - expected) / expected;
    ++cells;
  }
  double freedom = (double)(cells - 1);
  return freedom < 1.0 ? 0.0 : (chi - freedom) / sqrt(2.0 * freedom);
}

/* How badly samples fit the distribution at temperature t: the worse of the misfits of
 * the colourings and of their energies. Beyond 6 they are not from it. */
static inline double boltzmann_misfit(const prism_graph_t *graph, int32_t k, double t,
                                      const int64_t *seen, int64_t samples) {
  static double p[BOLTZMANN_MOST];
  double energy_p[128] = {0.0};
  int64_t energy_seen[128] = {0};
  int32_t states = boltzmann_states(graph->n, k), color[16];
  boltzmann_exact(graph, k, t, p);
  for (int32_t s = 0; s < states; ++s) {
    boltzmann_colors(s, graph->n, k, color);
    int64_t f = oracle_conflicts(graph, color);
    energy_p[f] += p[s];
    energy_seen[f] += seen[s];
  }
  double by_state = boltzmann_chi(p, seen, states, samples);
  double by_energy = boltzmann_chi(energy_p, energy_seen, (int32_t)graph->m + 1, samples);
  return by_state > by_energy ? by_state : by_energy;
}

#endif
