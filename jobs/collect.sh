#!/bin/bash
# One table of all results of jobs/array.sh; how to submit both stands there.
#SBATCH --job-name=prism-collect
#SBATCH --ntasks=1
#SBATCH --time=00:10:00
#SBATCH --output=%x-%j.out

RESULTS=${RESULTS:-results/array}
COLLECT=${COLLECT:-jobs/collect.py}

set -o pipefail
python3 "$COLLECT" "$RESULTS" | tee "$RESULTS/table.txt"
