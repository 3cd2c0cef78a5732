"""The code that a run was trained by, kept in its folder: a change of it is reported.

What decides whether a training is repeated is its identity (job.py), which holds the recipe's
version and no code. So that a change of code does not pass in silence, the definitions behind
`limaflow train run` or `limaflow train prefer` are kept as hashes, and those that differ are named.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from limaflow import fingerprint
from limaflow.errors import InputError
from limaflow.jsonl import read_json, write_json
from limaflow.records import ModelManifest
from limaflow.training.manifest import read_training

FILE = "code.json"
Command = Literal["run", "prefer"]


def code_now(command: Command = "run") -> dict[str, str]:
    """Each definition that training by this command uses → hash."""
    return fingerprint.parts_of("limaflow.training.cli", command)


def changed_parts(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The definitions that are new, gone or different, by name."""
    return sorted(n for n in before.keys() | now.keys() if before.get(n) != now.get(n))


def note_code(folder: Path, command: Command = "run") -> list[str]:
    """Keep this code as the one that trains in a run's folder.

    Returns:
        What has changed since the run began; nothing for a new run.
    """
    now = code_now(command)
    before = _kept(folder)
    if before != now:
        write_json(folder / FILE, now)
    return changed_parts(before, now) if before is not None else []


def changes_since_training(
    models: Path, arms: Iterable[str], command: Command = "run"
) -> list[str]:
    """One line for each change of code that finished trainings have not seen, with their arms.

    Args:
        models: the folder with a folder for each arm.
        command: what trained the arms.
    """
    changes: dict[str, list[str]] = {}
    now: dict[str, str] | None = None
    for arm in arms:
        identity = _identity(models / arm, command)
        before = _kept(models / arm / "runs" / identity) if identity else None
        if before is None:
            continue
        now = now or code_now(command)
        if changed := changed_parts(before, now):
            changes.setdefault(", ".join(changed), []).append(arm)
    return [f"{', '.join(named)}: {changed}" for changed, named in changes.items()]


def _identity(folder: Path, command: Command) -> str | None:
    """Of an arm's finished training; None where there is none."""
    try:
        if command == "run":
            return read_training(folder / "training.json").identity
        return str(read_json(folder / "chosen.json", ModelManifest).notes["identity"])
    except (InputError, KeyError):
        return None


def _kept(folder: Path) -> dict[str, str] | None:
    try:
        return read_json(folder / FILE, dict[str, str])
    except InputError:
        return None
