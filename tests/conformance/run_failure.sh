#!/bin/sh
# Runs comm_failure under the launcher and checks what its ranks saw:
#   run_failure.sh MODE PROGRAM LAUNCHER [ARGS...]
# 77: no launcher. The job must end with an error, and in time, in every mode.
mode=$1
program=$2
shift 2
if ! command -v "$1" >/dev/null 2>&1; then
  echo "skipped: there is no $1"
  exit 77
fi
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
timeout -k 5 100 "$@" -np 3 "$program" "$mode" "$folder"
code=$?
echo "the launcher ended with $code"
if [ "$code" -eq 0 ] || [ "$code" -eq 124 ]; then
  echo "expected: an error code, and no time-out"
  exit 1
fi
[ "$mode" = kill ] && exit 0
for rank in 0 1; do
  if [ ! -e "$folder/saw.$rank" ]; then
    echo "rank $rank did not see that rank 2 was lost"
    exit 1
  fi
done
