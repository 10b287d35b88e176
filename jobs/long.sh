#!/bin/bash
# A run of days, in pieces of --time: before a piece ends the run saves its state, exits
# with 85 and queues again, until its target or TOTAL is reached.   sbatch jobs/long.sh
# Further resources on the command line: sbatch --nodes=4 --ntasks-per-node=8 --gres=gpu:8 ...
#SBATCH --job-name=prism-long
#SBATCH --nodes=1 --ntasks-per-node=1 --cpus-per-task=8
#SBATCH --gres=gpu:1
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR2@600
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.out

GRAPH=${GRAPH:-graph.col}
RESULTS=${RESULTS:-results}                # a folder that all nodes see
TOTAL=${TOTAL:-604800}                     # seconds of search over all pieces
BEFORE=${BEFORE:-300}                      # s before the end of --time: save without a signal too
OPTIONS=${OPTIONS:---device cuda}          # of prism-dist, e.g. --target 82
PRISM=${PRISM:-prism-dist}
LAUNCH=${LAUNCH:-srun --mpi=pmix -K}       # or: mpirun --bind-to none

stem=$RESULTS/$SLURM_JOB_NAME-$SLURM_JOB_ID
state=--checkpoint
[ ! -e "$stem.ckpt.h5" ] || state=--resume
end=$(squeue -h -j "$SLURM_JOB_ID" -o %e)  # of this piece

mkdir -p "$RESULTS"
export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK
export OMPI_MCA_oob_tcp_keepalive_time=10  # mpirun: a lost node is noticed after 16 s
export OMPI_MCA_oob_tcp_keepalive_intvl=2 OMPI_MCA_oob_tcp_keepalive_probes=3
# shellcheck disable=SC2086 # lists of words
$LAUNCH "$PRISM" "$state" "$stem.ckpt.h5" --output "$stem-${SLURM_RESTART_COUNT:-0}.h5" \
  --time-limit $(($(date -d "$end" +%s) - $(date +%s))) --checkpoint-before "$BEFORE" \
  --total-time "$TOTAL" $OPTIONS "$GRAPH" &
trap 'kill -USR2 $!' USR2
wait $! # until the run ends, or the signal comes
wait $! # until it has ended
code=$?
[ "$code" -ne 85 ] || scontrol requeue "$SLURM_JOB_ID"
exit "$code"
