"""Two "hosts" on one machine: network namespaces joined by a virtual cable.

enter() starts the program again inside namespaces of its own (network, mounts,
processes; without root also users), so that nothing of the machine is touched and
nothing is left: when the program ends, so do all processes it started. In there the
HOSTS exist, each with the interface "wire" at one end of the cable, and both know
each other by name. launcher() gives the command line of an mpirun on the first of
them; launch_agent.sh starts the daemon on the second."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import cli
from cli import MPIEXEC

HOSTS = ["near", "far"]
AGENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "launch_agent.sh")
MARK = "PRISM_TWO_HOSTS"

COMMON = {**cli.MPI_ENVIRONMENT, "ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0"}
# All that the hosts say to each other goes through the cable.
CABLED = {
    "OMPI_MCA_plm": "rsh", "OMPI_MCA_plm_rsh_agent": AGENT, "OMPI_MCA_pml": "ob1",
    "OMPI_MCA_btl": "self,vader,tcp", "OMPI_MCA_btl_tcp_if_include": "wire",
    "OMPI_MCA_oob_tcp_if_include": "wire", "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "OMPI_MCA_orte_tmpdir_base": "/dev/shm",  # each host's own, and gone with it
}

SETUP = r"""
set -e
mount -t tmpfs tmpfs /run
mkdir /run/netns
ip link set lo up
for host in near far; do
  ip netns add $host
  ip -n $host link set lo up
done
ip -n near link add wire type veth peer name wire netns far
ip -n near address add 10.77.0.1/24 dev wire
ip -n far address add 10.77.0.2/24 dev wire
ip -n near link set wire up
ip -n far link set wire up
{ cat /etc/hosts 2>/dev/null || true; echo 10.77.0.1 near; echo 10.77.0.2 far; } >/run/hosts
mount --bind /run/hosts /etc/hosts
for host in near far; do
  test "$("$1" $host 'cat /proc/sys/kernel/hostname')" = $host
done
"""


class NotHere(Exception):
    """Why there can be no two hosts on this machine."""


def joined():
    """Are there two hosts?"""
    return os.environ.get(MARK) == "inside"


def own_namespaces():
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--net", "--mount", "--pid", "--fork", "--kill-child",
            "--mount-proc"]


def attempt(command, what):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise NotHere(f"{what}: {problem}") from problem
    if done.returncode != 0:
        lines = (done.stderr + done.stdout).strip().splitlines() or ["no reason given"]
        raise NotHere(f"{what}: {lines[0]}")


def probe():
    """All that will be done, once, in namespaces that vanish again."""
    for program in ["ip", "unshare", "mount"]:
        if shutil.which(program) is None:
            raise NotHere(f"there is no {program} (packages iproute2, util-linux, mount)")
    attempt([*own_namespaces(), "true"], "namespaces are not allowed here")
    attempt([*own_namespaces(), "sh", "-c", SETUP, "setup", AGENT],
            "two hosts cannot be made here")


def need_launcher():
    """The launcher's options and messages are those of Open MPI 4."""
    try:
        done = subprocess.run([MPIEXEC, "--version"], capture_output=True, text=True, timeout=60,
                              env={**os.environ, **COMMON}, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        skip(f"{MPIEXEC}: {problem}")
    if not re.search(r"\((Open MPI|OpenRTE)\) 4\.", done.stdout):
        skip(f"{MPIEXEC} is not Open MPI 4: {done.stdout[:80]!r}")


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def enter(optional=False):
    """Returns inside the namespaces, with both hosts there. Where that cannot be, ends
    with 77, or goes on without them if they are optional. Both end with 77 without a
    launcher."""
    if joined():
        subprocess.run(["sh", "-c", SETUP, "setup", AGENT], check=True)
        return
    need_launcher()
    try:
        probe()
    except NotHere as reason:
        if not optional:
            skip(reason)
        print(f"one host only: {reason}", flush=True)
        return
    os.environ[MARK] = "inside"
    sys.stdout.flush()
    command = [*own_namespaces(), sys.executable, "-B", *sys.argv]
    os.execvp(command[0], command)


def environment():
    return {**COMMON, **CABLED} if joined() else COMMON


def launcher(ranks_per_host):
    """mpirun on the first host for both; what is to run follows, in quoted()."""
    count = str(ranks_per_host * len(HOSTS))
    if not joined():
        return [MPIEXEC, "-np", count]
    hosts = ",".join(f"{host}:{ranks_per_host}" for host in HOSTS)
    return [AGENT, HOSTS[0], "exec", MPIEXEC, "--host", hosts, "-np", count]


def quoted(words):
    """The agent's words are a line for a shell."""
    return [shlex.quote(str(word)) if joined() else str(word) for word in words]


def cut():
    """The cable breaks: packets of both sides vanish, nobody is told."""
    subprocess.run(["ip", "-n", HOSTS[1], "link", "set", "wire", "down"], check=True)


def mend():
    if joined():
        subprocess.run(["ip", "-n", HOSTS[1], "link", "set", "wire", "up"], check=True)
