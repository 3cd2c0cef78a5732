"""A checkout on the cluster: its profile fitted, its jobs looked at and hit."""

import contextlib
import hashlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml
from slurm_cluster import PATIENCE, Cluster, wait_until
from workspace import TINY, Outcome, Workspace

OVERLAYS = (*TINY, "tests/slurm/two_nodes.yaml")
TARGET = "results/miniature/models/lima/training.json"
SQUEUE = ("squeue", "--noheader", "--states=all", "--sort=i", "--format")
USUAL = {"slurm_partition": "gpu", "gres": "gpu:1", "mem_mb": "4000 * attempt"}


@dataclass(frozen=True)
class Finished:
    """A study that has run to its report."""

    site: "Site"
    printed: str
    """By Snakemake."""
    weights: dict[str, str]


@dataclass(frozen=True)
class Site:
    """A workspace in which Snakemake runs on the cluster's login node."""

    cluster: Cluster
    workspace: Workspace

    @property
    def folder(self) -> Path:
        return self.workspace.folder

    @property
    def models(self) -> Path:
        return self.workspace.results / "models" / "lima"

    def command(
        self, *targets: str, options: tuple[str, ...] = (), overlays: tuple[str, ...] = ()
    ) -> list[str]:
        return self.cluster.inside(
            *("snakemake", "--directory", str(self.workspace.work)),
            *("--profile", "profiles/slurm", *options),
            *("--configfile", *OVERLAYS, *overlays, "--", *targets),
            cwd=self.folder,
        )

    def run(
        self, *targets: str, options: tuple[str, ...] = (), overlays: tuple[str, ...] = ()
    ) -> Outcome:
        return subprocess.run(
            self.command(*targets, options=options, overlays=overlays),
            env=self.workspace.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    @contextlib.contextmanager
    def started(self, *targets: str, options: tuple[str, ...] = ()) -> Iterator["Run"]:
        """Snakemake at work; ended if the test has not seen it end."""
        log = self.folder / f"main-{time.monotonic_ns()}.log"
        before = max(map(int, self.cluster.ask(*SQUEUE, "%i").split()), default=0)
        with log.open("wb") as file:
            process = subprocess.Popen(
                self.command(*targets, options=options),
                env=self.workspace.environment(),
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        run = Run(process, log, before)
        try:
            yield run
        finally:
            run.kill()
            self.cluster.ask("scancel", "--user=root")
            wait_until(
                lambda: not self.cluster.ask("squeue", "-h"), PATIENCE, "the queue to be empty"
            )

    def weights(self) -> dict[str, str]:
        """Checksum of each file of weights that the arm exported."""
        return {
            str(path.relative_to(self.models)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.models.glob("runs/**/*.safetensors"))
        }

    def steps(self) -> list[int]:
        """The steps in the arm's log, in the order in which they were trained."""
        log = next(self.models.glob("runs/*/log.csv")).read_text(encoding="utf-8")
        return [int(line.split(",")[0]) for line in log.splitlines()[1:]]

    def jobs(self, run: "Run | None", form: str) -> list[str]:
        """Jobs of fine-tuning since a run began, oldest first, in a format of squeue's."""
        lines = self.cluster.ask(*SQUEUE, f"%i|%k|{form}").splitlines()
        fields = [line.split("|", 2) for line in lines]
        return [
            shown
            for number, rule, shown in fields
            if rule.startswith("rule_fine_tune") and int(number) > (run.before if run else 0)
        ]

    def log(self) -> str:
        """What the arm's training has printed, at its last attempt."""
        file = self.workspace.work / "logs/miniature/fine_tune/lima.log"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def forget_the_model(self) -> None:
        shutil.rmtree(self.models / "runs", ignore_errors=True)
        (self.models / "training.json").unlink(missing_ok=True)

    def unlock(self) -> None:
        assert self.run(options=("--unlock",)).returncode == 0

    def fit(self, fine_tune: dict[str, Any]) -> None:
        """Ask for fine-tuning as before, but for what is given."""
        fit(self.folder / "profiles/slurm/profile.yaml", {**USUAL, **fine_tune})

    def trainers(self) -> list[psutil.Process]:
        """The processes that train, as torchrun started them."""
        return [
            process
            for process in psutil.process_iter()
            if _inside(process, self.workspace.work) and "RANK" in _environment(process)
        ]

    @contextlib.contextmanager
    def frozen_after_a_checkpoint(self, run: "Run") -> Iterator[list[psutil.Process]]:
        """Wait for a published checkpoint of a training that goes on, and stop its clock there."""
        wait_until(
            lambda: run.lives() and any(self.models.glob("runs/*/checkpoints/latest")),
            PATIENCE,
            f"a checkpoint; {run.text()[-3000:]}",
            every=0.005,
        )
        trainers = self.trainers()
        # What they had started for a moment may be gone by now.
        for process in trainers:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)
        trainers = [process for process in trainers if process.is_running()]
        assert trainers, "it had ended already"
        assert not any(self.models.glob("runs/*/run.json")), "it had ended already"
        try:
            yield trainers
        finally:
            for process in trainers:
                with contextlib.suppress(psutil.Error):
                    process.send_signal(signal.SIGCONT)


@dataclass(frozen=True)
class Run:
    """A Snakemake that was started, and what it has printed."""

    process: subprocess.Popen[bytes]
    log: Path
    before: int
    """Number of the last job that was there before."""

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def lives(self) -> bool:
        assert self.process.poll() is None, self.text()[-4000:]
        return True

    def ended(self) -> str:
        """Wait for a success, and return what was printed."""
        assert self.process.wait(timeout=PATIENCE) == 0, self.text()[-6000:]
        return self.text()

    def kill(self) -> None:
        """kill -9, also what it started on the login node."""
        if self.process.poll() is None:
            for process in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    process.kill()
            self.process.wait()


def fit(profile: Path, fine_tune: dict[str, Any]) -> None:
    """Edit the block "your cluster" as a user does, and poll more often, as no user should."""
    keys = yaml.safe_load(profile.read_text(encoding="utf-8"))
    keys["default-resources"] |= {"slurm_account": "lab", "mem_mb": "3000 * attempt"}
    for resources in keys["set-resources"].values():
        resources["mem_mb"] = "4000 * attempt"
    keys["set-resources"]["fine_tune"] |= fine_tune
    keys["set-threads"] = {"fine_tune": 1}
    keys |= {
        "jobs": 4,
        "latency-wait": 10,
        "slurm-init-seconds-before-status-checks": 2,
        "max-status-checks-per-second": 1,
    }
    profile.write_text(yaml.safe_dump(keys), encoding="utf-8")


def _inside(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(f"/proc/{process.pid}/cwd").readlink() == folder
    except OSError:
        return False


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}
