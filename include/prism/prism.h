/* prism-dist as a library: everything a program needs to colour a graph.
 *
 * Bring a graph (prism_graph_from_csr, prism_graph_from_edges or
 * prism_dimacs_read), parameters (prism_params_default, prism_params_set), a
 * communicator (prism_comm_self_create, or the MPI one from prism/comm_mpi.h)
 * and engines (prism_engine_part_t with prism_cpu_backend); call prism_solve. Nothing in the
 * library prints, exits, installs signal handlers or keeps global state. */
#ifndef PRISM_PRISM_H
#define PRISM_PRISM_H

#include "base/clock.h"
#include "base/params.h"
#include "base/status.h"
#include "model/coloring.h"
#include "model/dimacs.h"
#include "model/graph.h"
#include "model/solution.h"
#include "model/verify.h"
#include "seam/comm.h"
#include "seam/engine.h"
#include "search/engine_cpu.h"
#include "solve/solve.h"
#include "solve/store.h"

#endif
