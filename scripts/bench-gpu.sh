#!/usr/bin/env bash
# Measures the CUDA engine on the GPUs of this machine and prints the tables of
# docs/BENCHMARKS.md. Builds the preset gpu first. Several GPUs run one seed each.
# bench-gpu.sh [PART...] [--rows REGEX] [--rate-options 'OPTIONS'] [OPTION OF bench/ttt.py...]
#   PART: rates     iterations per second of the kernels
#         targets   time to target, 10 seeds: the graphs of the first goals
#         large     time to target, 5 seeds: larger graphs
#         attempts  3 seeds of 9 minutes: what is hardest
#         ttt       the last three                        (default: rates targets large)
#   --rows REGEX    only these, e.g. 'DSJC1000.5 83'
#   --rate-options  options of bench_gpu_rate, e.g. '--iterations 20000'
# --seeds N, --first-seed S, --limit S, --jobs GPUS, --extra, --label, --csv, --resume and
# others go to bench/ttt.py. PRISM_INSTANCES: folder of the graphs; PRISM_RESULTS: folder
# of the CSVs; CUDA_VISIBLE_DEVICES: the GPUs to use. Without its history a copy of the
# sources takes its version from PRISM_COMMIT.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export PRISM_BENCH_PRESET=gpu
# shellcheck source=bench/lib.sh
. "$root/bench/lib.sh"

parts=()
rows=.
rate_options=()
ttt_options=()
while [ $# -gt 0 ]; do
  case "$1" in
    rates | targets | large | attempts) parts+=("$1") ;;
    ttt) parts+=(targets large attempts) ;;
    --rows)
      [ $# -ge 2 ] || die 2 "--rows needs a regular expression"
      rows=$2
      ttt_options+=(--rows "$2")
      shift
      ;;
    --rate-options)
      [ $# -ge 2 ] || die 2 "--rate-options needs options"
      read -ra rate_options <<<"$2"
      shift
      ;;
    -h | --help)
      sed -n '2,16s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --resume | --goals | --list | --*=*) ttt_options+=("$1") ;;
    --*)
      [ $# -ge 2 ] || die 2 "$1 needs a value (try --help)"
      ttt_options+=("$1" "$2")
      shift
      ;;
    *) die 2 "unknown part: $1 (try --help)" ;;
  esac
  shift
done
[ "${#parts[@]}" -gt 0 ] || parts=(rates targets large)

# Graph, k, goal and the rate of an earlier test program, in iterations per second of one
# H100 80GB; - where there is none.
table='DSJC125.5 17 - 470e6
DSJC250.5 28 700e6 376e6
DSJC500.5 48 400e6 216e6
DSJC1000.1 20 - 143e6
DSJC1000.5 83 200e6 108e6
DSJC1000.9 223 150e6 -
r1000.1c 98 - -
r1000.5 234 150e6 -
flat300_28_0 28 - -
le450_25c 25 - -
flat1000_76_0 82 - -
C2000.5 148 30e6 -
C2000.9 410 - -'

measure_rates() {
  local folder=${PRISM_RESULTS:-$root/bench/results} csv draft facts goal reference graph k
  local file line rate detail status=0 measured=0
  csv=$folder/gpu-rates-$(gpu_machine).csv
  draft=$csv.tmp
  mkdir -p "$folder"
  facts=$(gpu_facts | paste -sd,)
  {
    describe
    say "graph,k,rate,goal,reference,detail,gpu,driver,cuda"
  } >"$draft"
  while read -r graph k goal reference; do
    grep -Eq "$rows" <<<"$graph $k" || continue
    file=$(find_instance "$graph") || {
      say "left out, no instance: $graph" >&2
      continue
    }
    line=$(CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=$(gpu_list | sed -n 1p) \
      "$build_folder/bench/bench_gpu_rate" "$file" "$k" "${rate_options[@]}" </dev/null) || {
      say "$graph $k: bench_gpu_rate failed" >&2
      status=1
    }
    say "$line" >&2
    line=$(tail -1 <<<"$line" | tr -s ' ,' ' ')
    rate=$(sed -n 's/.*[ :]\([0-9.]*\) M it\/s.*/\1e6/p' <<<"$line")
    detail=$(sed -n "s/^.*k  *$k \(.*\) [0-9.]* M it\/s.*/\1/p" <<<"$line")
    measured=$((measured + 1))
    say "$graph,$k,$rate,${goal#-},${reference#-},$detail,$facts" >>"$draft"
  done <<<"$table"
  if [ "$measured" -eq 0 ]; then
    rm -f "$draft"
    say "nothing to measure: no row matches, or no instances (PRISM_INSTANCES=FOLDER?)" >&2
    return 1
  fi
  mv "$draft" "$csv"
  python3 "$root/bench/report.py" --print "$csv"
  return "$status"
}

has_gpu || die 3 "no NVIDIA GPU on this machine (no /dev/nvidia0)"
[ -n "$(gpu_list)" ] || die 3 "nvidia-smi lists no GPU"
has_nvcc || die 3 "no CUDA toolkit (set CUDA_HOME)"
bash "$root/scripts/setup.sh"
if [ -z "${PRISM_BUILD:-}" ]; then
  build_preset gpu prism-dist prism bench_gpu_rate || die 4 "the build failed"
fi

failed=0
ttt_parts=()
for part in "${parts[@]}"; do
  if [ "$part" = rates ]; then
    step "Iterations per second"
    measure_rates || failed=1
  else
    ttt_parts+=(--part "$part")
  fi
done
if [ "${#ttt_parts[@]}" -gt 0 ]; then
  step "Time to target"
  python3 "$root/bench/ttt.py" --device cuda "${ttt_parts[@]}" "${ttt_options[@]}" || failed=1
fi
exit "$failed"
