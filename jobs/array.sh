#!/bin/bash
# Every graph with every seed, each on one GPU, then one table of all:
#   array=$(sbatch --parsable --array=1-10 jobs/array.sh)
#   sbatch --dependency=afterany:$array jobs/collect.sh
#SBATCH --job-name=prism-array
#SBATCH --array=1-10
#SBATCH --nodes=1 --ntasks=1 --cpus-per-task=8
#SBATCH --gres=gpu:1
#SBATCH --time=02:00:00
#SBATCH --no-requeue
#SBATCH --output=%x-%A_%a.out

GRAPHS=${GRAPHS:-graph.col}                # one or more; --array=1-(graphs x seeds)
SEEDS=${SEEDS:-10}
RESULTS=${RESULTS:-results/array}          # an empty folder that all nodes see
LIMIT=${LIMIT:-7000}                       # seconds, less than --time
OPTIONS=${OPTIONS:---device cuda}          # of prism-dist, e.g. --target 48
PRISM=${PRISM:-prism-dist}
LAUNCH=${LAUNCH:-srun --mpi=none -K}       # several ranks: srun --mpi=pmix -K

read -ra graphs <<<"$GRAPHS"
graph=${graphs[(SLURM_ARRAY_TASK_ID - 1) / SEEDS]}
seed=$(((SLURM_ARRAY_TASK_ID - 1) % SEEDS + 1))
name=$(basename "$graph" .gz)
stem=$RESULTS/${name%.col}-s$seed

mkdir -p "$RESULTS"
export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK
# shellcheck disable=SC2086 # lists of words
exec $LAUNCH "$PRISM" --seed "$seed" --time-limit "$LIMIT" --output "$stem.h5" --json \
  $OPTIONS "$graph" >"$stem.json"
