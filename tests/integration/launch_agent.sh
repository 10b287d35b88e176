#!/bin/sh
# Open MPI's launch agent for "hosts" that are network namespaces of one machine:
#   launch_agent.sh HOST COMMAND...
# It stands where ssh stands (--mca plm_rsh_agent): mpirun calls it with the name of a
# host and the command line that starts its daemon (orted) there. HOST is a namespace
# that two_hosts.py made with `ip netns add`, and the process gets that host name too
# (a UTS namespace of its own), because Open MPI tells nodes apart by their names and
# would otherwise join the ranks of both by shared memory. mpirun itself is started with
# this script as well, so that it lives on one of the hosts. Files are those of the
# machine, as on a cluster with a shared file system; /dev/shm belongs to each host.
host=$1
shift
# The arguments are a line for a shell, as with ssh. Everything is `exec`: a signal sent
# to this process reaches what it started.
# shellcheck disable=SC2016 # expanded by the inner shell
exec ip netns exec "$host" unshare --uts --mount sh -c '
  hostname "$1" && mount -t tmpfs tmpfs /dev/shm || exit 1
  shift
  eval "$*"' launch_agent "$host" "$@"
