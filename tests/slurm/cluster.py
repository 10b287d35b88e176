"""A real Slurm on this machine, for a test: munged, slurmctld and several slurmd.

    with Cluster(nodes=3) as cluster:
        job = cluster.submit("job.sh", "--nodes=2")
        cluster.wait(job, "COMPLETED")

Everything lives in one temporary folder, on free ports, without systemd, and needs no
configuration of the machine; users need not be root. Every node is a slurmd; where the
kernel allows it each has a host name of its own (a UTS namespace), so that Open MPI takes
them for different machines. They offer GPUs that do not exist and more cores than there
are: Slurm hands them out as on a cluster, nobody touches them. Time limits are looked at
every 30 s, and a job's signal "before the end" may come that much early.

All processes of the cluster and of its jobs carry its folder in their environment, or work
in it. When the test ends, or is killed, a watcher kills them."""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

MARK = "PRISM_TEST_CLUSTER"
PROGRAMS = ["munged", "slurmctld", "slurmd", "scontrol", "sinfo", "sbatch", "srun", "scancel"]
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "DEADLINE", "OUT_OF_MEMORY")
GUARD = 60  # seconds after which something counts as hanging

CONFIGURATION = """\
ClusterName=prism
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
TmpFS={folder}/%n/tmp
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
SlurmdTimeout=15
KillWait=5
CompleteWait=0
MailProg=/bin/true
GresTypes=gpu
NodeName=n[1-{nodes}] NodeAddr=127.0.0.1 Port={node_ports} CPUs=128 RealMemory=1000000 Gres=gpu:8
PartitionName=all Nodes=ALL Default=YES State=UP
"""


class NotHere(Exception):
    """Why there can be no Slurm on this machine."""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return sorted(one.getsockname()[1] for one in sockets)
    finally:
        for one in sockets:
            one.close()


def environment_of(pid):
    """What a process was started with; empty if it is gone or somebody else's."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            pairs = file.read().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def marked(folder):
    """Ids of all processes of the cluster in this folder and of its jobs. Slurm's own write
    their titles over their environment, but work in the folder."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()
            and (environment_of(entry).get(MARK) == folder or works_in(entry, folder))]


def works_in(pid, folder):
    try:
        place = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return False
    return place == folder or place.startswith((folder + "/", folder + " (deleted)"))


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass


def sweep(folder):
    """Kill all of it, also what is started meanwhile, and remove the folder."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        left = marked(folder)
        if not left:
            break
        for pid in left:
            kill(pid)
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def watch(folder):
    """Starts the watcher. When the last copy of the first pipe's end is closed, by us or
    because we are gone, it sweeps; the second pipe ends when it is done. It is nobody's
    child, because who kills a test may kill its children too."""
    reading, writing = os.pipe()
    code = ("import os, sys; sys.path.insert(0, sys.argv[1]); import cluster\n"
            "os.read(int(sys.argv[2]), 1); cluster.sweep(sys.argv[3])")
    shell = subprocess.Popen(
        ["sh", "-c", '"$@" &', "sh", sys.executable, "-B", "-c", code,
         os.path.dirname(os.path.abspath(__file__)), str(reading), folder],
        pass_fds=[reading], stdout=subprocess.PIPE, start_new_session=True)
    os.close(reading)
    shell.wait()
    return writing, shell.stdout


def own_names():
    """The command that gives a node its host name, or none where that is not allowed."""
    base = ["unshare", "--uts"]
    if os.geteuid() != 0:
        base = ["unshare", "--user", "--map-current-user", "--keep-caps", "--uts"]
    try:
        done = subprocess.run([*base, "sh", "-c", "hostname n1 && hostname"], timeout=GUARD,
                              capture_output=True, text=True, check=False)
    except OSError:
        return []
    if done.returncode != 0 or done.stdout.strip() != "n1":
        return []
    return [*base, "sh", "-c", 'hostname "$0" && exec "$@"']


class Cluster:
    """See above. Commands fail with AssertionError and what they said."""

    def __init__(self, nodes=3):
        self.names = [f"n{i + 1}" for i in range(nodes)]
        self.daemons = {}
        missing = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
        if missing:
            raise NotHere(f"there is no {', '.join(missing)} (Debian and Ubuntu: slurmctld "
                          "slurmd slurm-client munge)")
        self.naming = own_names()

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="prism-slurm-", dir="/tmp")  # short: sockets
        self.watcher, self.swept = watch(self.folder)
        try:
            self.begin()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, kind, value, trace):
        if value is not None and getattr(value, "code", 1) != 0:
            print(self.story())
        self.end()

    def environment(self):
        """Of everything in the cluster, on top of the caller's."""
        base = {k: v for k, v in os.environ.items()
                if not re.match(r"(OMPI|PMIX|PMI|SLURM|SBATCH|SRUN)_(?!MCA)", k)}
        ours = {
            MARK: self.folder, "SLURM_CONF": self.path("slurm.conf"), "PATH": PATH,
            # Root in a container, more ranks than cores.
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "OMPI_MCA_mpi_yield_when_idle": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
            "OMPI_MCA_hwloc_base_binding_policy": "none",
            "OMPI_MCA_orte_tmpdir_base": self.path("tmp"),
            "ASAN_OPTIONS": "detect_leaks=0",
        }
        if not self.naming:  # nodes that share a name share the files of vader
            ours["OMPI_MCA_btl"] = "self,tcp"
        return {**base, **ours}

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)

    def daemon(self, name, *command):
        with open(self.path(f"{name}.out"), "wb") as out:
            self.daemons[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
                env=self.environment(), start_new_session=True)

    def begin(self):
        os.chmod(self.folder, 0o711)  # munged wants its socket within reach of everybody
        for name in ["state", "gpus", "tmp", *(f"{node}/tmp" for node in self.names)]:
            os.makedirs(self.path(name))
        for i in range(8):  # Slurm wants devices
            os.symlink("/dev/null", self.path("gpus", f"gpu{i}"))
        port, *node_ports = free_ports(1 + len(self.names))
        self.write("slurm.conf", CONFIGURATION.format(
            port=port, folder=self.folder, nodes=len(self.names),
            user=pwd.getpwuid(os.geteuid()).pw_name,
            node_ports="[" + ",".join(map(str, node_ports)) + "]"))
        self.write("gres.conf", f"Name=gpu File={self.path('gpus')}/gpu[0-7]\n")
        with open(os.open(self.path("key"), os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(os.urandom(128))
        self.daemon("munged", "munged", "--foreground",
                    *(f"--{kind}-file={self.path('munge')}.{kind}" for kind in
                      ["pid", "log", "seed"]),
                    f"--socket={self.path('munge.socket')}", f"--key-file={self.path('key')}")
        self.until(lambda: os.path.exists(self.path("munge.socket")), "munged")
        self.daemon("slurmctld", "slurmctld", "-D", "-c")
        for node in self.names:
            self.start_node(node)
        self.ready()
        if "pmix" not in self.run("srun", "--mpi=list"):
            raise NotHere("Slurm has no PMIx here (package slurm-wlm-mpi-plugins)")

    def ready(self):
        """All nodes are there, and nothing runs."""
        self.until(lambda: self.states() == ["idle"] * len(self.names), "the nodes")

    def revive_node(self, node):
        """After kill_node or kill_daemon; returns when it can be used again."""
        self.start_node(node)
        self.run("scontrol", "update", f"NodeName={node}", "State=RESUME")
        self.ready()

    def start_node(self, node):
        self.daemon(node, *([*self.naming, node] if self.naming else []),
                    "slurmd", "-D", "-N", node)

    def end(self):
        os.close(self.watcher)
        self.swept.read()
        self.swept.close()
        for process in self.daemons.values():
            process.wait()

    def until(self, condition, what):
        """Waits for the cluster to start. What does not start here is no failure of ours."""
        end = time.monotonic() + GUARD
        while not condition():
            ended = [name for name, one in self.daemons.items() if one.poll() is not None]
            if ended:
                raise NotHere(f"{ended[0]} does not start here: {self.tail(f'{ended[0]}.out')}")
            if time.monotonic() > end:
                raise NotHere(f"{what} did not start within {GUARD} s: "
                              f"{self.tail('slurmctld.log')}")
            time.sleep(0.03)

    # ---- what a test does with it ----------------------------------------------------

    def run(self, *command, env=None):
        """A command of a user of the cluster."""
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=GUARD,
                              env={**self.environment(), **(env or {})}, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{command}: {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def submit(self, script, *options, **variables):
        """The number of the new job. The variables are those at the top of the script."""
        return self.run("sbatch", "--parsable", *options, script, env=variables).strip()

    def jobs(self, job):
        """What Slurm knows of a job, or of each task of an array: a dictionary each."""
        text = self.run("scontrol", "show", "job", "--oneliner", job)
        return [dict(pair.partition("=")[::2] for pair in line.split())
                for line in text.splitlines() if line.strip()]

    def job(self, job):
        return self.jobs(job)[0]

    def wait_until(self, condition, what, guard=GUARD):
        end = time.monotonic() + guard
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"still waiting for {what} after {guard} s")
            time.sleep(0.1)

    def wait(self, job, guard=GUARD):
        """Until a job, or every task of an array, has ended; how each ended."""
        def ended():
            found = self.jobs(job)
            return all(one["JobState"] in ENDED for one in found) and found
        return self.wait_until(ended, f"the end of job {job}", guard)

    def states(self):
        try:
            return self.run("sinfo", "-h", "-N", "-o", "%T").split()
        except AssertionError:
            return []

    def processes(self, program, job):
        """{rank: process id} of a job's live processes of this program."""
        found = {}
        for pid in marked(self.folder):
            variables = environment_of(pid)
            rank = variables.get("OMPI_COMM_WORLD_RANK", variables.get("PMIX_RANK"))
            if (name_of(pid) == os.path.basename(program)[:15] and rank is not None
                    and variables.get("SLURM_JOB_ID") == str(job)):
                found[int(rank)] = pid
        return found

    def steps(self, job):
        """Ids of Slurm's own processes for a job, one for each step and node."""
        return [pid for pid in marked(self.folder) if name_of(pid) == "slurmstepd"
                and f"[{job}." in command_of(pid)]

    def kill_daemon(self, node):
        self.daemons[node].kill()
        self.daemons[node].wait()

    def kill_node(self, node):
        """A node dies: its daemon and all that runs there."""
        self.kill_daemon(node)
        there = {pid for pid in marked(self.folder)
                 if environment_of(pid).get("SLURMD_NODENAME") == node}
        for pid in there | {parent_of(pid) for pid in there}:
            if pid in there or name_of(pid) == "slurmstepd":
                kill(pid)

    def tail(self, name):
        try:
            with open(self.path(name), errors="replace") as file:
                return "".join(file.readlines()[-20:]).strip()
        except OSError:
            return ""

    def story(self):
        """For the reader of a failed test."""
        logs = ["slurmctld.log", *(f"{node}.log" for node in self.names)]
        return "\n".join(f"--- {name}\n{self.tail(name)}" for name in logs)
