# shellcheck shell=bash
# Sourced by the benchmark scripts, after scripts/lib.sh: instances, programs, cores.

# Where the programs are; built there, from this preset, when missing.
bench_preset=${PRISM_BENCH_PRESET:-release}
build_folder=${PRISM_BUILD:-$root/build/$bench_preset}

# Builds what is missing. A folder given by PRISM_BUILD must be complete.
need_programs() { # PATH_IN_BUILD_FOLDER...
  local program
  local -a missing=()
  for program in "$@"; do
    [ -x "$build_folder/$program" ] || missing+=("$(basename "$program")")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ -z "${PRISM_BUILD:-}" ] || die 2 "$build_folder has no ${missing[*]}"
  say "building ${missing[*]} in $build_folder" >&2
  build_preset "$bench_preset" "${missing[@]}"
}

# Prints the file of an instance: a path, or a name in $PRISM_INSTANCES, else in
# ../shared/instances.
find_instance() { # GRAPH
  local folder=${PRISM_INSTANCES:-$root/../shared/instances} file
  for file in "$1" "$folder/$1.col.gz" "$folder/$1.col"; do
    if [ -f "$file" ]; then
      say "$file"
      return 0
    fi
  done
  return 1
}

# The last core that this process may use: the first ones serve interrupts.
one_core() { taskset -cp $$ | grep -o '[0-9]*$'; }

on_one_core() { taskset -c "${PRISM_BENCH_CORE:-$(one_core)}" "$@"; }

processor() {
  local name
  name=$(sed -n 's/^model name[[:space:]]*: *//p' /proc/cpuinfo | sed -n 1p)
  say "${name:-$(uname -m)}"
}

# Short name of this machine for file names: $PRISM_MACHINE, or processor and cores.
machine() {
  if [ -n "${PRISM_MACHINE:-}" ]; then
    say "$PRISM_MACHINE"
  else
    printf '%s-%sc\n' "$(processor | tr '[:upper:]' '[:lower:]' | sed 's/([^)]*)//g; s/@.*//' |
      grep -o '[a-z0-9]*' | grep -vx 'cpu\|processor' | paste -sd-)" "$(cores)"
  fi
}

# Name, driver and CUDA version of the first of these GPUs, one a line.
gpu_facts() {
  local first version
  first=$(gpu_list | sed -n 1p)
  nvidia-smi --id="$first" --query-gpu=name,driver_version --format=csv,noheader |
    sed 's/, */\n/'
  version=$("$build_folder/prism-dist" --version 2>/dev/null |
    sed -n 's/^ *cuda[^0-9]*\([0-9][0-9.]*\).*/\1/p')
  [ -n "$version" ] || version=$(PATH=$PATH:${CUDA_HOME:-/usr/local/cuda}/bin nvcc --version |
    sed -n 's/.*, V\([0-9.]*\).*/\1/p')
  say "$version"
}

# Short name of the GPU for file names: $PRISM_MACHINE, or h100-80gb-hbm3.
gpu_machine() {
  if [ -n "${PRISM_MACHINE:-}" ]; then
    say "$PRISM_MACHINE"
  else
    gpu_facts | sed -n 1p | tr '[:upper:]' '[:lower:]' | grep -o '[a-z0-9]*' |
      grep -vx 'nvidia\|tesla\|geforce' | paste -sd-
  fi
}

# Version of the sources, also of a copy without its history ($PRISM_COMMIT).
commit() {
  if [ -n "${PRISM_COMMIT:-}" ]; then
    say "$PRISM_COMMIT"
  else
    git -C "$root" describe --always --dirty 2>/dev/null || say unknown
  fi
}

# Comment lines on the libraries between ranks.
libraries() {
  "$build_folder/prism-dist" --version 2>/dev/null | sed -n 's/^ *\(mpi\|nccl\)  */# \1: /p'
}

# Comment lines that open a CSV.
describe() {
  local version compiler
  version=$("$build_folder/prism-dist" --version 2>/dev/null) || version=
  compiler=$(sed -n 's/^  compiler *//p' <<<"$version")
  say "# machine: $(processor), $(cores) cores"
  say "# compiler: ${compiler:-unknown}, $(sed -n 's/^  build_type *//p' <<<"$version")"
  say "# commit: $(commit)"
  say "# date: $(date -u +%Y-%m-%d)"
}
