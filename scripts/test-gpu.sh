#!/usr/bin/env bash
# The tests that need a GPU: builds the preset gpu for the GPU of this machine and runs
# everything labelled gpu. A skipped test counts as failed, and so does a missing GPU.
# test-gpu.sh [--only REGEX] [--sanitize[=TOOL,...]] [--jobs N] [--no-tests]
#   --only REGEX   tests whose name matches
#   --sanitize     also runs the test programs under compute-sanitizer: memcheck, racecheck,
#                  synccheck, initcheck, or the tools that are named. Slow: the tests repeat
#                  themselves less often (PRISM_TEST_SHORT=1)
#   --jobs N       sanitize N programs side by side (default: 1), spread over the GPUs
#   --no-tests     only builds, and sanitizes if that was asked for
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

folder=$root/build/gpu
only=.
tools=()
with_tests=1
jobs=1
tool_limit=${PRISM_SANITIZE_LIMIT:-300} # s for one program under one tool
# What takes longest under the tools comes first, so that nothing long is left in the end.
longest=(conformance.engine_cuda gpu.test_engine gpu.test_tempering gpu.test_repeat
  gpu.test_partialcol gpu.test_weighted gpu.test_tabucol gpu.test_wide_weighted gpu.test_wide)
while [ $# -gt 0 ]; do
  case "$1" in
    --only)
      [ $# -ge 2 ] || die 2 "--only needs a regular expression"
      only=$2
      shift
      ;;
    --sanitize) tools=(memcheck racecheck synccheck initcheck) ;;
    --sanitize=*) IFS=, read -ra tools <<<"${1#*=}" ;;
    --jobs)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die 2 "--jobs needs a number above 0"
      jobs=$2
      shift
      ;;
    --no-tests) with_tests=0 ;;
    -h | --help)
      sed -n '2,10s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *) die 2 "unknown argument: $1 (try --help)" ;;
  esac
  shift
done
for tool in ${tools[@]+"${tools[@]}"}; do
  [[ $tool =~ ^(memcheck|racecheck|synccheck|initcheck)$ ]] ||
    die 2 "compute-sanitizer has no tool $tool"
done

has_gpu || die 3 "no NVIDIA GPU on this machine (no /dev/nvidia0)"
[ -n "$(gpu_list)" ] || die 3 "nvidia-smi lists no GPU"
has_nvcc || die 3 "no CUDA toolkit (set CUDA_HOME)"
bash "$root/scripts/setup.sh" || exit

# One line for each test program, cut by tabs: its name, the number of variables of its
# environment, these variables, its command.
programs() {
  ctest --test-dir "$folder" --show-only=json-v1 -L gpu -R "$only" | python3 -c '
import json, sys
for test in json.load(sys.stdin)["tests"]:
    if not test["name"].startswith(("gpu.", "conformance.")):
        continue
    properties = {entry["name"]: entry["value"] for entry in test.get("properties", [])}
    environment = properties.get("ENVIRONMENT", [])
    print(test["name"], len(environment), *environment, *test["command"], sep="\t")'
}

# The same lines for each tool, the tool before them, the longest runs first.
runs_in_order() { # LIST
  local tool
  for tool in racecheck initcheck memcheck synccheck; do
    [[ " ${tools[*]} " != *" $tool "* ]] || awk -v tool="$tool" -v names="${longest[*]}" '
      BEGIN { FS = "\t"; count = split(names, name, " ") }
      NF > 0 {
        rank = 1
        while (rank <= count && name[rank] != $1) ++rank
        printf "%d\t%s\t%s\n", rank, tool, $0
      }' <<<"$1"
  done | sort -s -n -k 1,1 | cut -f 2-
}

# Runs one program under one tool; prints one line, and the report when it fails. A
# failed run is marked by a file beside its report.
sanitize() { # TOOL NAME COUNT VARIABLE... COMMAND...
  local tool=$1 name=$2 count=$3 log=$folder/sanitizer/$2-$1.log status=0 verdict=ok
  local -a options=() variables=("${@:4:$3}")
  shift $((3 + count))
  case "$tool" in
    memcheck) options=(--leak-check full) ;;
    racecheck) options=(--racecheck-report analysis) ;;
  esac
  # Failing calls are part of some tests, and every call is checked by its caller.
  options+=(--tool "$tool" --error-exitcode 99 --report-api-errors no --print-limit 20)
  SECONDS=0
  env PRISM_TEST_SHORT=1 "${variables[@]}" timeout -k 10 "$tool_limit" "$sanitizer" \
    "${options[@]}" "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" -eq 77 ]; then
    verdict="FAILED: skipped"
  elif [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
    verdict="FAILED: not done in $tool_limit s"
  elif [ "$status" -ne 0 ]; then
    verdict="FAILED: exit $status"
  elif ! grep -Eq 'SUMMARY: 0 (errors|hazards)' "$log"; then
    verdict="FAILED: not clean"
  fi
  { # in one piece, also side by side
    flock 9
    printf '%-10s %-32s %s, %s s\n' "$tool" "$name" "$verdict" "$SECONDS"
    if [ "$verdict" != ok ]; then
      printf '%-10s %-32s %s\n' "$tool" "$name" "$verdict" >"$log.failed"
      grep -E '^=========' "$log" | head -40
      tail -5 "$log"
    fi
  } 9>"$folder/sanitizer/lock"
}

step "Build (preset gpu)"
if command -v nvidia-smi >/dev/null 2>&1; then
  nvidia-smi --query-gpu=index,name,driver_version,memory.total --format=csv,noheader
fi
build_preset gpu gpu_tests || die 4 "the build failed"

failed=0
if [ "$with_tests" -eq 1 ]; then
  step "Tests labelled gpu"
  rm -f "$folder/junit.xml"
  status=0
  ctest --test-dir "$folder" --output-on-failure --no-tests=error -L gpu -R "$only" \
    --output-junit "$folder/junit.xml" </dev/null || status=$?
  sums=$(junit_sums "$folder/junit.xml") || sums="0 1 0"
  read -r passed failures skipped <<<"$sums"
  failed=$((failures + skipped))
  [ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
  say "$passed passed, $failures failed, $skipped skipped (here a failure)"
fi

if [ "${#tools[@]}" -gt 0 ]; then
  step "compute-sanitizer"
  sanitizer=$(PATH=$PATH:${CUDA_HOME:-/usr/local/cuda}/bin command -v compute-sanitizer) ||
    die 3 "no compute-sanitizer (it comes with the CUDA toolkit)"
  rm -rf "$folder/sanitizer"
  mkdir -p "$folder/sanitizer"
  mapfile -t gpus < <(gpu_list)
  runs=0
  list=$(programs) || die 4 "ctest cannot list the tests"
  SECONDS=0
  while IFS=$'\t' read -ra program; do
    [ "${#program[@]}" -gt 0 ] || continue
    runs=$((runs + 1))
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    CUDA_VISIBLE_DEVICES=${gpus[runs % ${#gpus[@]}]} sanitize "${program[@]}" &
  done <<<"$(runs_in_order "$list")"
  wait
  dirty=$(find "$folder/sanitizer" -name '*.failed' | wc -l)
  say "$runs runs in $SECONDS s, $dirty not clean (reports in build/gpu/sanitizer)"
  [ "$dirty" -eq 0 ] || sort "$folder"/sanitizer/*.failed
  [ "$runs" -gt 0 ] || dirty=1
  failed=$((failed + dirty))
fi
[ "$failed" -eq 0 ]
