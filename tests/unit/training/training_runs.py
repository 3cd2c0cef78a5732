"""What tests ask of a training that runs in processes of its own."""

import csv
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from limaflow.manifests import read_manifest
from limaflow.training.checkpoints import Checkpoint, published
from limaflow.training.manifest import model_of_epoch

MARK = "LIMAFLOW_TEST"
"""The environment variable by which a test knows the processes that it has started."""
PATIENCE = 300
"""Seconds that any of these small runs may take on a busy machine."""


def finish(run: subprocess.Popen[str]) -> str:
    """The output of a run that ends well."""
    output = run.communicate(timeout=PATIENCE)[0]
    assert run.returncode == 0, output
    return output


def fail(run: subprocess.Popen[str]) -> str:
    """The output of a run that ends with an error."""
    output = run.communicate(timeout=PATIENCE)[0]
    assert run.returncode != 0, output
    return output


def wait_until(run: subprocess.Popen[str], ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ready():
        assert run.poll() is None, run.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.002)


def processes_of(test: Path) -> list[psutil.Process]:
    """What is alive of all that the test with this `tmp_path` has started."""
    found = []
    for process in psutil.process_iter():
        try:
            marked = process.environ().get(MARK) == str(test)
            if marked and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_until_all_are_gone(test: Path) -> None:
    deadline = time.monotonic() + 10
    while left := processes_of(test):
        assert time.monotonic() < deadline, f"left running: {left}"
        time.sleep(0.1)


def steps_logged(folder: Path) -> int:
    return sum(max(0, log.read_text().count("\n") - 1) for log in folder.glob("runs/*/log.csv"))


def losses(folder: Path) -> list[tuple[str, ...]]:
    """The log of a finished run as it was written, without what depends on the machine."""
    training = json.loads((folder / "training.json").read_text())
    left_out = {"tokens_per_second", "memory"}
    with (folder / training["log"]).open() as file:
        return [
            tuple(row[name] for name in row if name not in left_out) for row in csv.DictReader(file)
        ]


def saved(folder: Path) -> list[Checkpoint]:
    """The whole checkpoints of the run below `folder`, oldest first."""
    return [c for place in folder.glob("runs/*/checkpoints") for c in published(place)]


def exported(folder: Path, epoch: int) -> Path:
    """The weights of a finished run after `epoch`."""
    manifest = model_of_epoch(folder / "training.json", epoch)
    return Path(read_manifest(manifest)[1]) / "model.safetensors"
