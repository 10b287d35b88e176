#!/usr/bin/env bash
# Speed of TabuCol on one core: prints "graph k isa N it/s".
# tabucol.sh GRAPH K SECONDS [OPTION...]   GRAPH: a file, or the name of an instance
# Options: --isa auto|avx512|avx2|portable, --method tabucol|partialcol|weighted, --seed N.
# PRISM_INSTANCES: folder of the instances; PRISM_BUILD: build folder;
# PRISM_BENCH_CORE: the core to use.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
# shellcheck source=bench/lib.sh
. "$root/bench/lib.sh"

if [ $# -lt 3 ] || [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  sed -n '2,6s/^# //p' "${BASH_SOURCE[0]}"
  [ $# -gt 0 ] && [ $# -lt 2 ] && exit 0
  exit 2
fi
graph=$(find_instance "$1") || die 2 "no file and no instance: $1 (PRISM_INSTANCES=FOLDER?)"
shift
need_programs bench/bench_tabucol || die 3 "the build failed"
line=$(on_one_core "$build_folder/bench/bench_tabucol" "$graph" "$@")
say "${line% * bytes}"
