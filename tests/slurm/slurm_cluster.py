"""A real SLURM on this machine: munge, slurmdbd on a private MariaDB, slurmctld and three slurmd.

All of it lives in namespaces of its own (processes, mounts, network, host names), held by one
process that ends when its standard input is closed. With it goes everything that was started, also
when the tests themselves are killed; of the machine's own /etc, ports and names nothing is touched.
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ADDRESSES = {"login": "10.90.0.1", "gpu1": "10.90.0.11", "gpu2": "10.90.0.12", "cpu1": "10.90.0.21"}
NODES = ("gpu1", "gpu2", "cpu1")
PATIENCE = 400
"""Seconds for what takes a few, on a machine with much else to do."""
NAMESPACES = ("--mount", "--pid", "--net", "--uts", "--ipc")
HOLD = (
    "import signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
    "print('held', flush=True); sys.stdin.read()"
)
PROGRAMS = ("slurmctld", "slurmd", "slurmdbd", "munged", "mariadbd", "unshare", "nsenter", "ip")
NETWORK = """
ip link set lo up
ip link add cluster type bridge
ip link set cluster up
{addresses}
hostname login
mount --bind {etc}/hosts /etc/hosts
mount --bind {etc} /etc/slurm
"""
SLURM_CONF = """
ClusterName=test
SlurmctldHost=login
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A requeued job may start once the credential of its first start is over: two minutes by default.
# Much less, and a busy machine is too slow to start a job with it.
AuthInfo=socket={run}/munge,cred_expire=20
MessageTimeout=15
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={run}/slurmctld.pid
SlurmdPidFile={run}/slurmd-%n.pid
SlurmctldLogFile={log}/slurmctld.log
SlurmdLogFile={log}/slurmd-%n.log
SlurmctldPort=17001
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=bf_interval=1,sched_interval=2
# Without cgroups, memory is polled: a job over its limit is killed within a second or two.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SlurmdParameters=config_overrides
ReturnToService=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MinJobAge=7200
KillWait=5
SlurmdTimeout=30
SlurmctldTimeout=10
GresTypes=gpu
{accounting}
NodeName=gpu1 NodeAddr=gpu1 Port=17011 CPUs=4 RealMemory=64000 Gres=gpu:a100:2
NodeName=gpu2 NodeAddr=gpu2 Port=17012 CPUs=4 RealMemory=64000 Gres=gpu:a100:2
NodeName=cpu1 NodeAddr=cpu1 Port=17021 CPUs=4 RealMemory=64000
PartitionName=cpu Nodes=cpu1 Default=YES MaxTime=1-00:00:00 PriorityTier=10 PreemptMode=OFF
PartitionName=gpu Nodes=gpu[1-2] MaxTime=2-00:00:00 PriorityTier=10 PreemptMode=OFF
PartitionName=spare Nodes=gpu[1-2] MaxTime=2-00:00:00 PriorityTier=1 PreemptMode=REQUEUE
"""
# Declared, never opened: two harmless device files make two GPUs that SLURM counts and hands out.
GRES_CONF = """
NodeName=gpu[1-2] Name=gpu Type=a100 File=/dev/null
NodeName=gpu[1-2] Name=gpu Type=a100 File=/dev/zero
"""
SLURMDBD = """AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=login
AccountingStoragePort=17002
AccountingStoragePass={run}/munge
AccountingStorageTRES=gres/gpu
AccountingStorageEnforce=associations,limits"""
NO_ACCOUNTS = "AccountingStorageType=accounting_storage/none"
SLURMDBD_CONF = """
AuthType=auth/munge
AuthInfo=socket={run}/munge
DbdHost=login
DbdPort=17002
SlurmUser=root
LogFile={log}/slurmdbd.log
PidFile={run}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=17003
StorageUser=slurm
StoragePass=slurm
"""
GRANT = (
    "CREATE USER slurm@'127.0.0.1' IDENTIFIED BY 'slurm';\n"
    "GRANT ALL ON slurm_acct_db.* TO slurm@'127.0.0.1';\n"
)


def missing() -> list[str]:
    """What this machine lacks to start the cluster."""
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if os.geteuid() != 0:
        lacking.append("root")
    if lacking:
        return lacking
    tried = subprocess.run(["unshare", *NAMESPACES, "--fork", "true"], check=False)
    return ["the right to make namespaces (CAP_SYS_ADMIN)"] if tried.returncode else []


def wait_until(ready: Callable[[], object], seconds: float, what: str, every: float = 0.2) -> None:
    """Wait for a condition, and say what did not come."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s: {what}"
        time.sleep(every)


@dataclass
class Cluster:
    """A running SLURM: two nodes with two declared GPUs each, one without."""

    folder: Path
    holder: int
    """Process 1 of the namespaces, as this machine numbers it."""
    daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def inside(self, *command: str, cwd: Path | None = None) -> list[str]:
        """A command line that runs a command on the cluster's login node."""
        go = f"cd {shlex.quote(str(cwd or self.folder))} && exec {shlex.join(command)}"
        return ["nsenter", "--target", str(self.holder), *NAMESPACES, "bash", "-c", go]

    def ask(self, *command: str) -> str:
        done = subprocess.run(self.inside(*command), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self, name: str, *command: str) -> None:
        log = (self.folder / "log" / f"{name}.out").open("ab")
        self.daemons[name] = subprocess.Popen(
            self.inside(*command), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )

    def start_node(self, name: str) -> None:
        """A node answers to its own host name, as its jobs do."""
        (self.folder / "spool" / name).mkdir(parents=True, exist_ok=True)
        script = f"hostname {name}; exec slurmd -D -N {name}"
        self.start(name, "unshare", "--uts", "sh", "-c", script)

    def start_controller(self) -> None:
        self.start("slurmctld", "slurmctld", "-D")

    def stop(self, name: str) -> None:
        """End a daemon as an administrator would."""
        for process in psutil.Process(self.daemons[name].pid).children(recursive=True):
            process.terminate()
        self.daemons[name].wait(timeout=PATIENCE)

    def lose_node(self, name: str) -> None:
        """Power off: slurmd and everything that runs on the node is gone at once."""
        tree = psutil.Process(self.daemons[name].pid).children(recursive=True)
        host = next(_host(p.pid) for p in tree if p.name() == "slurmd")
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if _host(process.pid) == host:
                    process.kill()

    def answers(self) -> bool:
        """Whether the scheduler does."""
        command = self.inside("squeue")
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def idle(self) -> bool:
        command = self.inside("sinfo", "-h", "-N", "-o", "%N %T")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return {f"{node} idle" for node in NODES} <= set(done.stdout.splitlines())


def _host(pid: int) -> int:
    """The namespace of host names that a process lives in: one for each node."""
    return Path(f"/proc/{pid}/ns/uts").stat().st_ino


@contextlib.contextmanager
def running(folder: Path, *, accounts: bool = True) -> Iterator[Cluster]:
    """Start a cluster below `folder`, and end all that it started.

    Args:
        accounts: with slurmdbd, the account `lab` and the user root in it.
    """
    for name in ("etc", "run", "log", "state", "spool", "db"):
        (folder / name).mkdir(parents=True)
    # munged wants to be reached by everyone, and temporary folders are private.
    for place in (folder, *folder.parents):
        if place.stat().st_uid == os.geteuid() and place != Path("/"):
            place.chmod(place.stat().st_mode | 0o011)
    holder = subprocess.Popen(
        [
            *("unshare", *NAMESPACES, "--fork", "--kill-child=KILL", "--mount-proc"),
            *(sys.executable, "-c", HOLD),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    cluster = Cluster(folder, psutil.Process(holder.pid).children()[0].pid)
    try:
        _write_settings(folder, accounts)
        _connect(cluster)
        _start(cluster, accounts)
        yield cluster
    finally:
        holder.stdin.close()
        holder.wait()
        for daemon in cluster.daemons.values():
            daemon.wait()


def _write_settings(folder: Path, accounts: bool) -> None:
    places = {"folder": folder, "run": folder / "run", "log": folder / "log"}
    accounting = (SLURMDBD if accounts else NO_ACCOUNTS).format(**places)
    hosts = "127.0.0.1 localhost\n" + "".join(f"{ip} {name}\n" for name, ip in ADDRESSES.items())
    files = {
        "hosts": hosts,
        "slurm.conf": SLURM_CONF.format(accounting=accounting, **places),
        "gres.conf": GRES_CONF,
        "slurmdbd.conf": SLURMDBD_CONF.format(**places),
    }
    for name, text in files.items():
        (folder / "etc" / name).write_text(text, encoding="utf-8")
    (folder / "etc" / "slurmdbd.conf").chmod(0o600)
    key = folder / "etc" / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    (folder / "run" / "grant.sql").write_text(GRANT, encoding="utf-8")


def _connect(cluster: Cluster) -> None:
    addresses = "\n".join(f"ip addr add {ip}/24 dev cluster" for ip in ADDRESSES.values())
    script = NETWORK.format(addresses=addresses, etc=cluster.folder / "etc")
    Path("/etc/slurm").mkdir(exist_ok=True)
    cluster.ask("bash", "-ec", script)


def _start(cluster: Cluster, accounts: bool) -> None:
    run, log = cluster.folder / "run", cluster.folder / "log"
    cluster.start(
        *("munged", "munged", "--foreground", "--force", f"--key-file={run.parent}/etc/munge.key"),
        *(f"--socket={run}/munge", f"--pid-file={run}/munged.pid"),
        *(f"--log-file={log}/munged.log", f"--seed-file={run}/munged.seed"),
    )
    wait_until((run / "munge").exists, PATIENCE, "munged")
    if accounts:
        _start_accounting(cluster)
    cluster.start_controller()
    for node in NODES:
        cluster.start_node(node)
    wait_until(cluster.idle, PATIENCE, f"the nodes; see {log}")


def _start_accounting(cluster: Cluster) -> None:
    database, run = cluster.folder / "db", cluster.folder / "run"
    cluster.ask(
        *("mariadb-install-db", "--no-defaults", f"--datadir={database}", "--user=root"),
        *("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"),
    )
    cluster.start(
        *("mariadbd", "mariadbd", "--no-defaults", f"--datadir={database}", "--user=root"),
        *(f"--socket={run}/mysql", f"--pid-file={run}/mariadbd.pid", "--port=17003"),
        *("--bind-address=127.0.0.1", "--skip-name-resolve", f"--init-file={run}/grant.sql"),
        *("--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0"),
    )
    wait_until(lambda: _listens(cluster, 17003), PATIENCE, "mariadbd")
    cluster.start("slurmdbd", "slurmdbd", "-D")
    wait_until(lambda: _listens(cluster, 17002), PATIENCE, "slurmdbd")
    # Before slurmctld starts, which otherwise knows of no association.
    for words in ("cluster test", "account lab", "user root account=lab"):
        cluster.ask("sacctmgr", "--immediate", "add", *words.split())


def _listens(cluster: Cluster, port: int) -> bool:
    script = f"exec 3<>/dev/tcp/127.0.0.1/{port}"
    command = cluster.inside("bash", "-c", script)
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
