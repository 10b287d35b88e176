#include "solve/resume.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/coloring.h"
#include "model/verify.h"
#include "solve/messages.h"
#include "solve/resume_deal.h"
#include "solve/run_state.h"

/* ---- before the search ---- */

static prism_status_t restore_kernel(const prism_checkpoint_head_t *head,
                                     const prism_graph_t *graph, prism_kernel_t **out) {
  const prism_checkpoint_kernel_t *kernel = &head->kernel;
  prism_kernel_removal_t *removal = NULL;
  PRISM_TRY(PRISM_ALLOC(kernel->removed, &removal));
  for (int32_t i = 0; i < kernel->removed; ++i)
    removal[i] = (prism_kernel_removal_t){kernel->vertex[i], kernel->partner[i]};
  prism_status_t status =
      prism_kernel_restore(graph, kernel->lower_bound, removal, kernel->removed, out);
  prism_free(removal);
  PRISM_TRY(status);
  return PRISM_OK;
}

static prism_status_t check_coloring(const prism_graph_t *graph, const int32_t *color,
                                     int32_t colors, const char *which) {
  prism_verdict_t verdict;
  PRISM_TRY(prism_verify(graph, color, &verdict));
  if (!verdict.legal || verdict.colors != colors)
    PRISM_FAIL(PRISM_FORMAT, "the checkpoint's %s is not a legal coloring with %d colors: %s",
               which, colors, verdict.legal ? "it has another number" : verdict.reason);
  return PRISM_OK;
}

/* The bound that the kernel was made for must be one. */
static prism_status_t check_bounds(const prism_checkpoint_head_t *head,
                                   const prism_graph_t *graph) {
  const prism_checkpoint_start_t *start = &head->start;
  bool clique = start->clique_size > 0 &&
                prism_verify_clique(graph, start->clique, start->clique_size);
  bool sound = clique && head->kernel.lower_bound <= start->clique_size &&
               start->lower_bound <= start->colors &&
               (start->exact ? start->lower_bound >= start->clique_size
                             : start->lower_bound == start->clique_size);
  if (!sound) PRISM_FAIL(PRISM_FORMAT, "the checkpoint's lower bound does not follow from its "
                                       "clique");
  return PRISM_OK;
}

static prism_status_t prepare(const prism_checkpoint_head_t *head, const prism_graph_t *graph,
                              prism_prepared_t *out) {
  const prism_checkpoint_start_t *start = &head->start;
  if (head->n != graph->n)
    PRISM_FAIL(PRISM_INVALID, "the checkpoint is of a graph with %d vertices, not %d", head->n,
               graph->n);
  PRISM_TRY(check_bounds(head, graph));
  PRISM_TRY(check_coloring(graph, start->color, start->colors, "first coloring"));
  PRISM_TRY(restore_kernel(head, graph, &out->kernel));
  PRISM_TRY(PRISM_ALLOC(start->clique_size, &out->clique));
  PRISM_TRY(PRISM_ALLOC(graph->n, &out->color));
  memcpy(out->clique, start->clique, (size_t)start->clique_size * sizeof *out->clique);
  memcpy(out->color, start->color, (size_t)graph->n * sizeof *out->color);
  out->clique_size = start->clique_size;
  out->lower_bound = start->lower_bound;
  out->exact = start->exact;
  out->colors = start->colors;
  return PRISM_OK;
}

prism_status_t prism_resume_prepare(prism_checkpoint_reader_t *reader,
                                    const prism_graph_t *graph, prism_prepared_t *out) {
  memset(out, 0, sizeof *out);
  prism_status_t status = prepare(prism_checkpoint_head(reader), graph, out);
  if (status != PRISM_OK) prism_prepared_release(out);
  return status;
}

/* A solution of the file, if it has fewer colours. [in] other [n] scratch */
static prism_status_t try_solution(prism_checkpoint_reader_t *reader, int32_t index,
                                   const prism_graph_t *graph, int32_t *other, int32_t *color,
                                   int32_t *colors) {
  prism_solution_row_t row;
  PRISM_TRY(prism_checkpoint_read_solution(reader, index, &row, other));
  if (row.colors >= *colors) return PRISM_OK;
  PRISM_TRY(check_coloring(graph, other, row.colors, "best solution"));
  memcpy(color, other, (size_t)graph->n * sizeof *color);
  *colors = row.colors;
  return PRISM_OK;
}

prism_status_t prism_resume_best(prism_checkpoint_reader_t *reader, const prism_graph_t *graph,
                                 const prism_prepared_t *prepared, int32_t *color,
                                 int32_t *colors) {
  const prism_checkpoint_head_t *head = prism_checkpoint_head(reader);
  prism_status_t status =
      prism_kernel_lift(prepared->kernel, head->best, head->best_k, color, colors);
  if (status == PRISM_INTERNAL)
    PRISM_FAIL(PRISM_FORMAT, "the checkpoint's best coloring is not legal");
  PRISM_TRY(status);
  if (*colors == prepared->colors) /* nothing was better than the first coloring: that is told */
    memcpy(color, prepared->color, (size_t)graph->n * sizeof *color);
  int32_t *other = NULL;
  PRISM_TRY(PRISM_ALLOC(graph->n, &other));
  status = check_coloring(graph, color, *colors, "best coloring");
  int32_t count = prism_checkpoint_solutions(reader);
  /* The last one is the best; what a cut epoch found may be better than head->best. */
  if (status == PRISM_OK && count > 0)
    status = try_solution(reader, count - 1, graph, other, color, colors);
  prism_free(other);
  return status;
}

/* ---- all ranks ---- */

/* What all need to know of the head. */
typedef struct plan {
  int32_t same;          /* ranks and islands */
  int32_t repeats;
  int32_t ranks, islands; /* of the checkpoint */
  int32_t best_k, color_bound;
  int64_t epoch;
  double elapsed;
} plan_t;

static prism_status_t read_history(prism_run_t *run, prism_checkpoint_reader_t *reader) {
  int32_t *color = NULL;
  PRISM_TRY(PRISM_ALLOC(run->config->graph->n, &color));
  prism_status_t status = PRISM_OK;
  for (int32_t i = 0; i < prism_checkpoint_solutions(reader) && status == PRISM_OK; ++i) {
    prism_solution_row_t row;
    status = prism_checkpoint_read_solution(reader, i, &row, color);
    if (status == PRISM_OK) status = prism_history_add(&run->history, &row, color);
  }
  prism_free(color);
  return status;
}

static void make_plan(prism_run_t *run, prism_deal_t *deal, plan_t *plan) {
  const prism_checkpoint_head_t *head = prism_checkpoint_head(deal->reader);
  *plan = (plan_t){.same = deal->same,
                   .repeats = deal->same && head->deterministic && head->epoch > 0 &&
                              head->seed == run->config->seed,
                   .ranks = head->ranks, .islands = prism_checkpoint_islands(deal->reader),
                   .best_k = head->best_k, .color_bound = head->color_bound,
                   .epoch = head->epoch, .elapsed = head->elapsed};
  memcpy(run->best, head->best, (size_t)run->n * sizeof *run->best);
}

/* Rank 0 tells the plan and the best colouring. */
static prism_status_t share_plan(prism_run_t *run, plan_t *plan) {
  prism_comm_t *comm = run->comm;
  PRISM_TRY(comm->ops->bcast(comm->self, plan, sizeof *plan, 0));
  PRISM_TRY(comm->ops->bcast(comm->self, run->best, (size_t)run->n * sizeof *run->best, 0));
  run->best_k = plan->best_k;
  run->prior = plan->elapsed;
  run->epoch = plan->epoch;
  return PRISM_OK;
}

static prism_status_t say(prism_run_t *run, const plan_t *plan, bool exact) {
  char text[256], *tail = "";
  bool deterministic = run->config->params->run.deterministic;
  snprintf(text, sizeof text, "invocation %d, %.1f s before it", run->result->invocations,
           plan->elapsed);
  PRISM_TRY(prism_telemetry_event(run->telemetry, "resume",
                                  run->best_k + run->shared->universal, text));
  if (deterministic && !run->resumed)
    tail = "; what follows no longer repeats an uninterrupted run";
  if (plan->ranks != run->comm->size)
    snprintf(text, sizeof text, "the checkpoint is of %d rank%s: its populations are spread "
             "over %d%s", plan->ranks, plan->ranks == 1 ? "" : "s", run->comm->size, tail);
  else if (plan->same == 0)
    snprintf(text, sizeof text, "the checkpoint is of %d island%s: the populations are spread "
             "over %d%s", plan->islands, plan->islands == 1 ? "" : "s", run->all_islands, tail);
  else if (!exact)
    snprintf(text, sizeof text, "the checkpoint is of another device: its populations are "
             "starts for this one%s", tail);
  else if (tail[0] != '\0')
    snprintf(text, sizeof text, "the checkpoint is not from the end of an epoch of this run%s",
             tail);
  else
    return PRISM_OK;
  return prism_run_remark(run, "resume_spread", text);
}

static prism_status_t settle(prism_run_t *run, const plan_t *plan, bool exact_here) {
  prism_comm_t *comm = run->comm;
  int64_t exact = exact_here;
  PRISM_TRY(comm->ops->allreduce_i64(comm->self, &exact, &exact, 1, PRISM_REDUCE_MIN));
  run->resumed = exact != 0 && plan->repeats != 0 && run->config->params->run.deterministic;
  run->last_iterations = run->iterations; /* the rate is of this invocation */
  return comm->rank == 0 ? say(run, plan, exact != 0) : PRISM_OK;
}

prism_status_t prism_resume_run(prism_run_t *run) {
  prism_comm_t *comm = run->comm;
  prism_checkpoint_reader_t *reader = comm->rank == 0 ? run->config->persist->resume : NULL;
  prism_deal_t deal;
  plan_t plan = {.same = 0};
  bool exact = false;
  PRISM_TRY(prism_deal_begin(run, reader, &deal));
  prism_status_t status = PRISM_OK;
  if (reader != NULL) {
    make_plan(run, &deal, &plan);
    if (run->config->persist->enabled) status = read_history(run, reader);
  }
  status = comm->ops->agree(comm->self, status);
  if (status == PRISM_OK) status = share_plan(run, &plan);
  if (status == PRISM_OK) {
    prism_run_begin_descent(run, false);
    status = prism_deal_out(run, &deal, plan.same != 0, plan.color_bound, &exact);
  }
  prism_deal_release(&deal);
  if (status == PRISM_OK) status = settle(run, &plan, exact);
  return status;
}
