/* Going on from a checkpoint. Rank 0 reads the file; the kernel is made again from it, never
 * reduced anew; every coloring that counts is verified on the input graph.
 *
 * With the ranks, islands and engines that wrote it every island goes on exactly where it was;
 * a deterministic run then repeats what an uninterrupted one does. Otherwise the members of all
 * populations are dealt out to the islands there are. */
#ifndef PRISM_SOLVE_RESUME_H
#define PRISM_SOLVE_RESUME_H

#include "solve/run.h"

/* Rank 0, in place of prism_prepare: what was known before the search.
 * PRISM_FORMAT: the file's kernel, bounds or colorings are not of this graph. */
prism_status_t prism_resume_prepare(prism_checkpoint_reader_t *reader,
                                    const prism_graph_t *graph, prism_prepared_t *out);

/* Rank 0: the fewest colours of any solution in the file. [out] color [graph->n] verified;
 * colors */
prism_status_t prism_resume_best(prism_checkpoint_reader_t *reader, const prism_graph_t *graph,
                                 const prism_prepared_t *prepared, int32_t *color,
                                 int32_t *colors);

/* Collective, after prism_run_begin: give every rank its share of the file. */
prism_status_t prism_resume_run(prism_run_t *run);

#endif
