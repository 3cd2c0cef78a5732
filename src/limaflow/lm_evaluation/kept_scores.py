"""The scores of one task on one model, kept so that a repeated run makes none again.

The name of the file holds a hash of all that they depend on, as far as it lies here: the data of a
task of the hub count by the task's name and lm-eval's version.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lm_eval

from limaflow import fingerprint
from limaflow.errors import InputError
from limaflow.jsonl import read_json, write_json
from limaflow.lm_evaluation.task_files import files_of_task
from limaflow.manifests import sha256_of
from limaflow.records import BenchmarkItem
from limaflow.seeds import digest

PACKAGES = ("lm-eval", "transformers", "torch", "datasets")


@dataclass(frozen=True, kw_only=True)
class TaskScores:
    """What came of one of the names that were asked for."""

    score: dict[str, Any] | None
    """Main metric, as in `scores` of results.json; None where no item is the name's own."""
    details: dict[str, Any]
    """Leaf task → every metric."""
    items: tuple[BenchmarkItem, ...]
    run: dict[str, Any]
    """How it was run."""


def read_kept(folder: Path, identity: str) -> TaskScores | None:
    """The scores that are kept under an identity, if they are."""
    try:
        return read_json(folder / f"{identity}.json", TaskScores)
    except InputError:
        return None


def keep(folder: Path, identity: str, scores: TaskScores) -> None:
    """Keep scores under an identity."""
    write_json(folder / f"{identity}.json", asdict(scores))


def identity_of(asked: object, task: str, leaves: Sequence[str], manager: Any) -> str:
    """Hash of what the scores of a task depend on.

    Args:
        asked: what tells the model from another, and how tasks are put to it, as plain data.
        leaves: the tasks that `task` stands for.
        manager: lm-eval's, which knows the files of tasks.
    """
    return digest(
        asked,
        [task, *leaves],
        [sha256_of(file) for file in _own_files([task, *leaves], manager)],
        {package: version(package) for package in PACKAGES},
        fingerprint.of("limaflow.lm_evaluation.cli", "run"),
    )


def _own_files(tasks: Iterable[str], manager: Any) -> list[Path]:
    """The files that define tasks outside of lm-eval's catalogue."""
    catalogue = Path(lm_eval.__file__).parent
    found: set[Path] = set()
    for task in tasks:
        entry = manager.task_index.get(task)
        if entry is not None and entry.yaml_path:
            path = Path(entry.yaml_path)
            if not path.resolve().is_relative_to(catalogue):
                found |= {file for file in files_of_task(path) if file.is_file()}
    return sorted(found)
