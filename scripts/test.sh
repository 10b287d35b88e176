#!/usr/bin/env bash
# The tests: set-up, Release build with warnings as errors, the normal suite, and
# the tests of the libraries under AddressSanitizer and UndefinedBehaviorSanitizer.
# test.sh [--long]   --long adds the long tests, ThreadSanitizer and, with clang,
#                    the fuzz targets. The last line sums up all runs.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

long=0
case "${1:-}" in
  "") ;;
  --long) long=1 ;;
  -h | --help)
    sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  *) die 2 "unknown argument: $1 (try --help)" ;;
esac

passed=0
failed=0
skipped=0

# Adds a JUnit file of ctest to the sums.
count() { # FILE
  local sums
  sums=$(junit_sums "$1") || sums="0 1 0"
  read -r p f s <<<"$sums"
  passed=$((passed + p))
  failed=$((failed + f))
  skipped=$((skipped + s))
}

# Builds a preset and runs a part of the suite in it. What goes wrong outside a
# test counts as one failure.
suite() { # TITLE PRESET TARGETS CTEST_ARGUMENT...
  local title=$1 preset=$2 targets=$3 folder=$root/build/$2 failed_before=$failed status=0
  shift 3
  step "$title"
  # shellcheck disable=SC2086 # a list of words
  if ! build_preset "$preset" $targets; then
    say "the build failed"
    failed=$((failed + 1))
    return
  fi
  rm -f "$folder/junit.xml"
  ctest --test-dir "$folder" --output-on-failure --no-tests=error --parallel "$(cores)" \
    --output-junit "$folder/junit.xml" "$@" </dev/null || status=$?
  count "$folder/junit.xml"
  if [ "$status" -ne 0 ] && [ "$failed" -eq "$failed_before" ]; then
    failed=$((failed + 1))
  fi
}

bash "$root/scripts/setup.sh" --tests || exit

PRISM_PYTHON=$(find_python)
export PRISM_PYTHON
has_libfuzzer() {
  local folder status=0
  folder=$(mktemp -d)
  echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' >"$folder/a.c"
  clang -fsanitize=fuzzer,address "$folder/a.c" -o "$folder/a" >/dev/null 2>&1 || status=1
  rm -rf "$folder"
  return "$status"
}

# With a toolkit the CUDA code is compiled too. Without a GPU its tests skip, and one
# architecture is enough to see that it compiles.
title=Release
if has_nvcc; then
  title="Release with CUDA"
  # shellcheck disable=SC2034 # of build_preset
  has_gpu || configure_options=(-DCMAKE_CUDA_ARCHITECTURES=90-real)
fi

if [ "$long" -eq 0 ]; then
  suite "$title, the normal suite" test all -LE 'long|fuzz'
  suite "ASan and UBSan, a subset" asan all -L 'unit|property|conformance' -LE 'long|mpi'
else
  suite "$title, the whole suite" test all -LE fuzz
  suite "ASan and UBSan, all but the longest" asan all -LE 'long|fuzz|style'
  suite "TSan, tests with threads" tsan all -L 'unit|conformance' -LE 'long|mpi'
  if has_libfuzzer; then
    suite "Fuzzing of the readers" fuzz fuzz_programs -L fuzz
  else
    step "Fuzzing of the readers"
    say "left out: no clang with libFuzzer (Debian, Ubuntu: clang libclang-rt-dev)"
  fi
fi

step "Sum of all runs"
[ "$skipped" -eq 0 ] || say "$skipped skipped (what they need is not on this machine; see above)"
say "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
