#!/usr/bin/env bash
# Writes the graphs of this folder anew. make.sh PRISM FOLDER
# They are generated, so the same seed gives the same bytes on every machine.
set -euo pipefail
prism=$1
folder=$2

make() { # NAME.col[.gz] FAMILY OPTION...
  local name=$1
  shift
  if [[ $name == *.gz ]]; then
    "$prism" generate "$@" | gzip -9n >"$folder/$name"
  else
    "$prism" generate "$@" >"$folder/$name"
  fi
}

make gnp_500_0.5.col.gz gnp --n 500 --p 0.5 --seed 1
make flat_300_26.col.gz flat --n 300 --k 26 --p 0.48 --seed 1
make planted_450_15.col.gz planted --n 450 --k 15 --p 0.25 --seed 1
make geometric_500.col.gz geometric --n 500 --radius 0.12 --seed 1
make mycielski_6.col mycielski --level 6
make queen_8.col queen --rows 8
make queen_11.col.gz queen --rows 11
make rook_12.col.gz rook --rows 12
make mesh27_10.col.gz mesh27 --nx 10
