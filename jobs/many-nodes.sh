#!/bin/bash
# Several nodes with 8 GPUs each:   sbatch --nodes=16 jobs/many-nodes.sh
#SBATCH --job-name=prism
#SBATCH --nodes=4 --ntasks-per-node=8 --cpus-per-task=12
#SBATCH --gres=gpu:8
#SBATCH --time=02:00:00
#SBATCH --no-requeue
#SBATCH --output=%x-%j.out

GRAPH=${GRAPH:-graph.col}
RESULTS=${RESULTS:-results}                # a folder that all nodes see
LIMIT=${LIMIT:-7000}                       # seconds, less than --time
OPTIONS=${OPTIONS:---device cuda}          # of prism-dist, e.g. --target 48
PRISM=${PRISM:-prism-dist}
LAUNCH=${LAUNCH:-srun --mpi=pmix -K}       # or: mpirun --bind-to none

mkdir -p "$RESULTS"
export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK
export OMPI_MCA_oob_tcp_keepalive_time=10  # mpirun: a lost node is noticed after 16 s
export OMPI_MCA_oob_tcp_keepalive_intvl=2 OMPI_MCA_oob_tcp_keepalive_probes=3
# shellcheck disable=SC2086 # lists of words
exec $LAUNCH "$PRISM" --time-limit "$LIMIT" \
  --output "$RESULTS/$SLURM_JOB_NAME-$SLURM_JOB_ID.h5" $OPTIONS "$GRAPH"
