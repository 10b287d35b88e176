#!/bin/sh
# run_mpi.sh RANKS PROGRAM LAUNCHER [ARGS...]; 77: no launcher.
ranks=$1
program=$2
shift 2
if ! command -v "$1" >/dev/null 2>&1; then
  echo "skipped: there is no $1"
  exit 77
fi
exec "$@" -np "$ranks" "$program"
