#!/bin/bash
# One node with 8 GPUs, a rank for each:   sbatch jobs/one-node.sh
#SBATCH --job-name=prism
#SBATCH --nodes=1 --ntasks-per-node=8 --cpus-per-task=12
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
# shellcheck disable=SC2086 # lists of words
exec $LAUNCH "$PRISM" --time-limit "$LIMIT" \
  --output "$RESULTS/$SLURM_JOB_NAME-$SLURM_JOB_ID.h5" $OPTIONS "$GRAPH"
