#!/usr/bin/env bash
# TabuCol iterations per second on one core for every instruction set of this processor,
# the memory of one individual, the speed of reading: all that docs/BENCHMARKS.md shows
# about speed. Writes bench/results/speed-MACHINE.csv, prints the tables.
# speed.sh [SECONDS] [--rows REGEX]   SECONDS of each measurement (default: 3)
# PRISM_INSTANCES: folder of the instances; PRISM_BUILD: build folder;
# PRISM_MACHINE: name of this machine; PRISM_BENCH_CORE: the core to use;
# PRISM_RESULTS: folder of the CSV.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
# shellcheck source=bench/lib.sh
. "$root/bench/lib.sh"

seconds=3
rows=.
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help)
      sed -n '2,8s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --rows)
      [ $# -ge 2 ] || die 2 "--rows needs a regular expression"
      rows=$2
      shift 2
      ;;
    *)
      [[ $1 =~ ^[0-9]+(\.[0-9]+)?$ ]] || die 2 "not a number of seconds: $1 (try --help)"
      seconds=$1
      shift
      ;;
  esac
done

# Graph, k, and the iterations per second of HEAD's public code (Moalic & Gondran 2018),
# measured on one core of a 2.x GHz AVX-512 Xeon.
table='DSJC125.5 16 993000
DSJC250.5 28 943000
DSJC500.5 48 394000
DSJC1000.1 20 1040000
DSJC1000.5 83 122000
DSJC1000.9 223 130000
r1000.1c 98 273000
r1000.5 238 204000
flat300_28_0 29 440000
le450_25c 25 851000
C2000.5 148 36000'

need_programs prism-dist bench/bench_tabucol bench/bench_read_col || die 3 "the build failed"
results=${PRISM_RESULTS:-$root/bench/results}
mkdir -p "$results"
csv=$results/speed-$(machine).csv
draft=$csv.tmp
trap 'rm -f "$draft"' EXIT
{
  describe
  say "# seconds: $seconds"
  say "measure,graph,k,isa,value,reference"
} >"$draft"

while read -r graph k head; do
  grep -Eq "$rows" <<<"$graph $k" || continue
  file=$(find_instance "$graph") || die 2 "no instance $graph (PRISM_INSTANCES=FOLDER?)"
  for isa in avx512 avx2 portable; do
    status=0
    line=$(on_one_core "$build_folder/bench/bench_tabucol" "$file" "$k" "$seconds" --isa "$isa") ||
      status=$?
    [ "$status" -ne 77 ] || continue # not in this processor
    [ "$status" -eq 0 ] || die 3 "bench_tabucol $graph $k ended with $status"
    say "$line" >&2
    read -r _ _ _ speed _ bytes _ <<<"$line"
    say "speed,$graph,$k,$isa,$speed,$head" >>"$draft"
    say "memory,$graph,$k,$isa,$bytes," >>"$draft"
  done
done <<<"$table"

if grep -Eq "$rows" <<<"read"; then
  line=$(on_one_core "$build_folder/bench/bench_read_col" | tail -1)
  read -r edges _ _ _ speed <<<"$line"
  say "read: $edges edges, $speed MB/s" >&2
  say "read,$edges,,,$speed," >>"$draft"
fi

mv "$draft" "$csv"
trap - EXIT
say "" >&2
python3 "$root/bench/report.py" --print "$csv"
