#!/bin/bash
# One GPU:   sbatch jobs/one-gpu.sh
#SBATCH --job-name=prism
#SBATCH --nodes=1 --ntasks=1 --cpus-per-task=8
#SBATCH --gres=gpu:1
#SBATCH --time=02:00:00
#SBATCH --no-requeue
#SBATCH --output=%x-%j.out

GRAPH=${GRAPH:-graph.col}
RESULTS=${RESULTS:-results}                # a folder that all nodes see
LIMIT=${LIMIT:-7000}                       # seconds, less than --time
OPTIONS=${OPTIONS:---device cuda}          # of prism-dist, e.g. --target 48
PRISM=${PRISM:-prism-dist}
LAUNCH=${LAUNCH:-srun --mpi=none -K}       # a single process needs no MPI

mkdir -p "$RESULTS"
export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK
# shellcheck disable=SC2086 # lists of words
exec $LAUNCH "$PRISM" --time-limit "$LIMIT" \
  --output "$RESULTS/$SLURM_JOB_NAME-$SLURM_JOB_ID.h5" $OPTIONS "$GRAPH"
