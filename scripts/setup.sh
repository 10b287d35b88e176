#!/usr/bin/env bash
# Makes sure that everything needed to build, run and test prism-dist is there.
# Looks for the programs and libraries themselves, however they came; on Debian
# and Ubuntu it installs what is missing when it may (root, or sudo without a
# password). Exit 0: all there. Exit 2: something is missing; it says what.
# setup.sh [--tests]   --tests: also what only some tests use (a Slurm, two hosts). They
#                      skip without it, so that it is no error when it cannot be had.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tests=0
case "${1:-}" in
  "") ;;
  --tests) tests=1 ;;
  -h | --help)
    sed -n '2,7s/^# //p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  *) die 2 "unknown argument: $1 (try --help)" ;;
esac

probe_dir=$(mktemp -d)
trap 'rm -rf "$probe_dir"' EXIT

# Can a C program with this header be built and linked? Also looks where Debian
# puts the serial HDF5 and iniparser. Without a compiler it looks for the header.
has_library() { # HEADER LINK_FLAG
  local header=$1 dir multiarch include_dirs=() flags=()
  include_dirs=(/usr/include /usr/include/hdf5/serial /usr/include/iniparser
    ${HDF5_ROOT:+"$HDF5_ROOT/include"})
  if ! has_command cc; then
    for dir in "${include_dirs[@]}"; do
      [ ! -e "$dir/$header" ] || return 0
    done
    return 1
  fi
  for dir in "${include_dirs[@]:1}"; do
    flags+=("-I$dir")
  done
  multiarch=$(cc -print-multiarch 2>/dev/null || true)
  for dir in "/usr/lib/$multiarch/hdf5/serial" ${HDF5_ROOT:+"$HDF5_ROOT/lib"}; do
    flags+=("-L$dir")
  done
  {
    printf '#include <%s>\n' stdarg.h stddef.h stdint.h setjmp.h "$header"
    printf 'int main(void) { return 0; }\n'
  } >"$probe_dir/probe.c"
  cc "${flags[@]}" "$probe_dir/probe.c" -o "$probe_dir/probe" "$2" >/dev/null 2>&1
}

has_command() { command -v "$1" >/dev/null 2>&1; }

has_compiler() {
  printf '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n' >"$probe_dir/cc.c"
  cc -std=gnu11 "$probe_dir/cc.c" -o "$probe_dir/cc" >/dev/null 2>&1
}

has_cmake() { # 3.24 or newer
  local version
  version=$(cmake --version 2>/dev/null | sed -n 's/^cmake version \([0-9.]*\).*/\1/p')
  [ -n "$version" ] && printf '3.24\n%s\n' "$version" | sort -V -C
}

has_mpi() {
  printf '#include <mpi.h>\nint main(void) { return MPI_VERSION < 3; }\n' >"$probe_dir/mpi.c"
  mpicc "$probe_dir/mpi.c" -o "$probe_dir/mpi" >/dev/null 2>&1
}

has_module() { find_python >/dev/null || python3 -c "import $1" >/dev/null 2>&1; }

# Debian 12 and Ubuntu 24.04 use the same names. Each line: package, then the
# probe that shows whether it is needed. build-essential comes first: the
# library probes need a compiler.
missing=()
need() { # PACKAGE PROBE...
  local package=$1
  shift
  "$@" || missing+=("$package")
}
look() {
  missing=()
  need build-essential has_compiler
  need cmake has_cmake
  need ninja-build has_command ninja
  need libopenmpi-dev has_mpi
  need openmpi-bin has_command mpirun
  need libhdf5-dev has_library hdf5.h -lhdf5
  need libiniparser-dev has_library iniparser.h -liniparser
  need zlib1g-dev has_library zlib.h -lz
  need libcmocka-dev has_library cmocka.h -lcmocka
  need python3 has_command python3
  need python3-h5py has_module h5py
  need python3-numpy has_module numpy
  need python3-matplotlib has_module matplotlib
  need python3-pandas has_module pandas
}

# Without these some views of prism monitor are missing. A machine that has all that is needed is
# not asked for them, but where something is installed, or with --tests, they come along.
wishes=()
look_for_views() {
  has_library curses.h -lncursesw || wishes+=(libncurses-dev)
  has_library microhttpd.h -lmicrohttpd || wishes+=(libmicrohttpd-dev)
}

# Without these some tests skip. Daemons lie in /usr/sbin, which users seldom have on their PATH.
look_for_wishes() {
  local PATH=$PATH:/usr/sbin:/sbin
  has_command ip || wishes+=(iproute2)
  has_command munged || wishes+=(munge)
  has_command slurmctld || wishes+=(slurmctld)
  has_command slurmd || wishes+=(slurmd)
  has_command sbatch || wishes+=(slurm-client)
  # Newer versions of Slurm have a package of its own for the PMIx plugin.
  if has_command apt-cache && apt-cache show slurm-wlm-mpi-plugins >/dev/null 2>&1 &&
    ! dpkg -s slurm-wlm-mpi-plugins >/dev/null 2>&1; then
    wishes+=(slurm-wlm-mpi-plugins)
  fi
}
[ "$tests" -eq 0 ] || look_for_wishes

# Says what to install and ends.
give_up() {
  {
    say "$1"
    say "Missing (names of the Debian and Ubuntu packages): ${missing[*]}"
    if has_command apt-get; then
      say "Install them with:"
      say "  sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
    else
      say "Install these, or what your system calls them, and run this script again."
    fi
  } >&2
  exit 2
}

look
[ $((${#missing[@]} + tests)) -eq 0 ] || look_for_views
[ $((${#missing[@]} + ${#wishes[@]})) -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  as_root=(sudo -n)
fi
may_install() {
  has_command apt-get && { [ "$(id -u)" -eq 0 ] || sudo -n true >/dev/null 2>&1; }
}
if ! may_install; then
  [ "${#missing[@]}" -gt 0 ] || exit 0
  has_command apt-get || give_up "setup.sh installs packages only on Debian and Ubuntu."
  give_up "setup.sh may not install packages here (not root, no sudo without a password)."
fi

apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300)
install() { quietly "${apt[@]}" install --no-install-recommends "$@" </dev/null; }
say "Installing ${missing[*]} ${wishes[*]}"
quietly "${apt[@]}" update </dev/null || [ "${#missing[@]}" -eq 0 ] ||
  give_up "apt-get update failed."
if [ "${#missing[@]}" -gt 0 ]; then
  install "${missing[@]}" || give_up "apt-get install failed."
fi
for package in "${wishes[@]}"; do
  install "$package" || say "Without $package some tests skip or views are missing."
done

look
[ "${#missing[@]}" -eq 0 ] || give_up "The packages are installed, but these are not found or too old."
