#!/usr/bin/env bash
# Measures how time to target and iterations per second scale with the number of GPUs, one
# rank on each, with islands that cooperate and with the same islands alone (--no-migration),
# and prints the tables of docs/SCALING.md. Builds the preset gpu first. Points of fewer GPUs
# than the machine has run side by side, each on GPUs of its own.
# bench-scaling.sh [PART...] [OPTION...]
#   PART: targets   time to target: DSJC500.5 48 and DSJC1000.5 83 (10 seeds), DSJC1000.9 223 (5)
#         rates     iterations per second
#         attempts  DSJC1000.5 82, 5 seeds                      (default: targets rates)
#   --gpus LIST     numbers of GPUs, e.g. 1,2,4,8 (default: 1, 2, 4 ... as many as there are)
#   --rows REGEX    only these graphs and targets, e.g. 'DSJC1000.5 83'
#   --seeds N       seeds of each point
#   --limit S       time limit of each run
#   --cooperating   only the islands that cooperate
#   --alone         only the islands alone
#   --device cpu    ranks of one thread on cores instead, on small graphs; preset release
#   --ranks LIST    the same as --gpus
# --first-seed S, --jobs GPUS, --extra, --label, --csv, --resume, --list go to bench/ttt.py.
# The rows go to bench/results/scaling-MACHINE.csv; bench/scaling.py then rewrites
# docs/SCALING.md with its plots. PRISM_INSTANCES: folder of the graphs; PRISM_RESULTS:
# folder of the CSV; PRISM_BUILD: a finished build; PRISM_COMMIT: the version, where the
# sources have no history; CUDA_VISIBLE_DEVICES: the GPUs to use.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

device=cuda
listing=
csv=
options=()
while [ $# -gt 0 ]; do
  case "$1" in
    targets | rates | attempts) options+=(--part "$1") ;;
    --cooperating | --alone) options+=(--mode "${1#--}") ;;
    --gpus | --ranks | --device | --csv)
      [ $# -ge 2 ] || die 2 "$1 needs a value (try --help)"
      case "$1" in
        --device) device=$2 ;;
        --csv) csv=$2 ;;
        *) options+=(--ranks "$2") ;;
      esac
      shift
      ;;
    -h | --help)
      sed -n '2,23s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --list)
      listing=1
      options+=("$1")
      ;;
    --resume | --*=*) options+=("$1") ;;
    --*)
      [ $# -ge 2 ] || die 2 "$1 needs a value (try --help)"
      options+=("$1" "$2")
      shift
      ;;
    *) die 2 "unknown part: $1 (try --help)" ;;
  esac
  shift
done

case "$device" in
  cuda) export PRISM_BENCH_PRESET=gpu ;;
  cpu) export PRISM_BENCH_PRESET=release ;;
  *) die 2 "--device is cuda or cpu, not $device" ;;
esac
# shellcheck source=bench/lib.sh
. "$root/bench/lib.sh"
ttt=(python3 -B "$root/bench/ttt.py" --scaling --device "$device")
[ -z "$listing" ] || exec "${ttt[@]}" "${options[@]}"

command -v mpirun >/dev/null || die 3 "no mpirun: install Open MPI (scripts/setup.sh)"
if [ "$device" = cuda ]; then
  has_gpu || die 3 "no NVIDIA GPU on this machine (no /dev/nvidia0); --device cpu runs without"
  [ -n "$(gpu_list)" ] || die 3 "nvidia-smi lists no GPU"
  if [ -z "${PRISM_BUILD:-}" ]; then
    has_nvcc || die 3 "no CUDA toolkit (set CUDA_HOME)"
    bash "$root/scripts/setup.sh"
    build_preset gpu prism-dist prism || die 4 "the build failed"
  fi
else
  need_programs prism-dist prism
fi
if [ -z "$csv" ]; then
  name=$(if [ "$device" = cuda ]; then gpu_machine; else machine; fi)
  csv=${PRISM_RESULTS:-$root/bench/results}/scaling-$name.csv
fi

status=0
"${ttt[@]}" "${options[@]}" --csv "$csv" || status=$?
[ ! -f "$csv" ] || python3 -B "$root/bench/scaling.py" --print "$csv"
exit "$status"
