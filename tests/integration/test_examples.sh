#!/usr/bin/env bash
# examples/make.sh writes the very graphs of examples/. test_examples.sh PRISM EXAMPLES
set -euo pipefail
prism=$1
examples=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

bash "$examples/make.sh" "$prism" "$folder"
count=0
for graph in "$examples"/*.col "$examples"/*.col.gz; do
  name=$(basename "$graph")
  # gzip's own bytes may differ between versions; the graph may not.
  cmp <(gzip -cdf "$graph") <(gzip -cdf "$folder/$name")
  count=$((count + 1))
done
made=$(find "$folder" -name '*.col*' | wc -l)
if [ "$made" -ne "$count" ]; then
  echo "make.sh wrote $made graphs, examples/ holds $count"
  exit 1
fi
