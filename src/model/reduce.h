/* Exact reductions to a smaller graph, the "kernel", with lift-back.
 *
 * Rules, applied until none fires, for a lower bound L of the chromatic number:
 *   peel       a vertex of degree < L (in what remains): colourable last
 *   dominated  N(u) subset of N(v), u and v not adjacent: u takes v's colour
 *   universal  a vertex adjacent to all others: a colour of its own; L and the
 *              kernel's k are one lower afterwards
 * A kernel reduced for L serves every input k >= L: the input is k-colourable
 * exactly when the kernel is (k - universal)-colourable. Domination needs no L. */
#ifndef PRISM_MODEL_REDUCE_H
#define PRISM_MODEL_REDUCE_H

#include <stdint.h>

#include "model/graph.h"

typedef struct prism_kernel prism_kernel_t;

/* Reduce `graph` (borrowed: it must outlive the kernel) for a lower bound.
 * `effort_pairs`: most vertex pairs tried by the domination rule a pass (bounds
 * its cost on huge graphs); 0 switches the rule off. */
prism_status_t prism_kernel_create(const prism_graph_t *graph, int32_t lower_bound,
                                   int64_t effort_pairs, prism_kernel_t **out);
void prism_kernel_destroy(prism_kernel_t **kernel);

/* How a kernel came about, to make it again without reducing anew: the removed vertices in
 * order, and what became of each. */
enum { PRISM_KERNEL_PEELED = -1, PRISM_KERNEL_UNIVERSAL = -2 };
typedef struct prism_kernel_removal {
  int32_t vertex;
  int32_t partner; /* the vertex whose color it takes, or one of the above */
} prism_kernel_removal_t;

/* [out] lower_bound  that it was made for; removal [count], owned by the kernel */
void prism_kernel_removals(const prism_kernel_t *kernel, int32_t *lower_bound,
                           const prism_kernel_removal_t **removal, int32_t *count);

/* The same kernel again: graph, numbering and lift. `graph` is borrowed, `removal` [count]
 * copied. PRISM_FORMAT when a removal does not follow from the rules: the kernel would not
 * serve then. O(n + m), and the neighbors of those that were dominated. */
prism_status_t prism_kernel_restore(const prism_graph_t *graph, int32_t lower_bound,
                                    const prism_kernel_removal_t *removal, int32_t count,
                                    prism_kernel_t **out);

/* The reduced graph; NULL when nothing is left. Owned by the kernel. */
const prism_graph_t *prism_kernel_graph(const prism_kernel_t *kernel);
/* Removed universal vertices: kernel k = input k - this. */
int32_t prism_kernel_universal(const prism_kernel_t *kernel);
/* Vertices removed by each rule. */
typedef struct prism_kernel_counts {
  int32_t peeled, dominated, universal, remaining;
} prism_kernel_counts_t;
prism_kernel_counts_t prism_kernel_counts(const prism_kernel_t *kernel);
/* vertex_map [remaining]: input vertex of each kernel vertex. Owned by the kernel. */
const int32_t *prism_kernel_map(const prism_kernel_t *kernel);

/* Lift a legal kernel colouring to the input graph.
 * [in]  kernel_color [remaining], 0..k-1; may be NULL when nothing remains
 * [in]  k            kernel colours; k + universal >= the lower bound it was made for
 * [out] color        [input n], complete, 0..k+universal-1, compacted
 * [out] colors       number of colours used
 * PRISM_INTERNAL when the colouring was not legal. O(n + m). */
prism_status_t prism_kernel_lift(const prism_kernel_t *kernel, const int32_t *kernel_color,
                                 int32_t k, int32_t *color, int32_t *colors);

/* Project an input colouring onto the kernel (colours as they are, then
 * compacted; legal when the input colouring is). [out] kernel_color [remaining]. */
prism_status_t prism_kernel_project(const prism_kernel_t *kernel, const int32_t *color,
                                    int32_t *kernel_color);

/* What is left to search at a fixed k: the k-core of the kernel, less the
 * components that a greedy colouring already finishes within k. The search runs
 * on `graph`; lift completes its colourings to the whole kernel. Made once per k
 * and engine; immutable, shared by threads. k = 0: the whole kernel. */
typedef struct prism_view prism_view_t;
prism_status_t prism_view_create(const prism_graph_t *kernel, int32_t k, prism_view_t **out);
void prism_view_destroy(prism_view_t **view);
/* NULL when everything peels: any lift is then a legal k-colouring. */
const prism_graph_t *prism_view_graph(const prism_view_t *view);
/* [view n] kernel vertex of each view vertex. */
const int32_t *prism_view_map(const prism_view_t *view);
/* Complete a view colouring (0..k-1; conflicts allowed and kept as they are) to
 * the kernel without adding a conflict. [in] view_color [view n] or NULL; [out]
 * color [kernel n]. O(n + m). */
void prism_view_lift(const prism_view_t *view, const int32_t *view_color, int32_t *color);

#endif
