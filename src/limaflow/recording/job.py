"""One command of `limaflow` as a job: what it read and wrote, recorded when it has ended well."""

# A path is taken as it was given: links in it are not followed.
# ruff: noqa: PTH100, PTH109, PTH110, PTH113, PTH206

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

from limaflow.errors import InputError
from limaflow.jsonl import read_json
from limaflow.recording import cost
from limaflow.recording.record import Code, Input, JobRecord, content_of, input_of, write_record
from limaflow.recording.surroundings import PACKAGE, code_now, machine_now
from limaflow.recording.watch import Watch
from limaflow.records import ModelManifest
from limaflow.seeds import digest

WORKING = ("--run-folder", "--store")
"""Options that name what a command keeps for its next attempt; no result."""
MANIFESTS = ("model.json", "chosen.json")
SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD", re.IGNORECASE)
PASSWORD_OF_URL = re.compile(r"(://)[^/@\s\"']+@")
OF_THE_SYSTEM = ("/proc", "/sys", "/dev", "/etc", "/usr", "/lib", "/lib64", "/bin")


@contextlib.contextmanager
def recorded(words: Sequence[str]) -> Iterator[None]:
    """Run a command, and leave a record beside each file that it made.

    A command that fails leaves none, and the record of a file goes when the file is written.

    Args:
        words: the command line without the program's name.
    """
    begun = _Begun(words, datetime.now(UTC), time.monotonic(), code_now())
    _jobs.append(partial(_leave_records, begun, Watch.begun()))
    try:
        yield
    except SystemExit as ended:
        if not ended.code:
            leave_records()
        raise
    leave_records()


def leave_records() -> None:
    """Leave the records now: for a command that ends its process by itself."""
    while _jobs:
        _jobs.pop()()


_jobs: list[Callable[[], None]] = []


@dataclass(frozen=True)
class _Begun:
    """What is known of a job at its start."""

    words: Sequence[str]
    started: datetime
    clock: float
    code: Code


def _leave_records(begun: _Begun, watch: Watch) -> None:
    if os.environ.get("RANK", "0") != "0":
        return
    outputs = _outputs(begun.words, watch.written)
    if not outputs:
        return
    seconds = round(time.monotonic() - begun.clock, 3)
    inputs = {path: input_of(path) for path in _inputs(begun.words, watch)}
    started = begun.started.isoformat(timespec="milliseconds")
    command = shown(begun.words, os.environ)
    job, machine = digest(started, os.getpid(), *command), machine_now()
    for path in outputs:
        record = JobRecord(
            content=content_of(path),
            job=job,
            command=command,
            inputs=_from(path.parent, inputs),
            started=started,
            seconds=seconds,
            cost=cost.total(),
            code=begun.code,
            machine=machine,
        )
        try:
            write_record(path, record)
        except OSError as error:
            print(f"warning: {path}: no record could be left: {error.strerror}", file=sys.stderr)


def _from(folder: Path, inputs: Mapping[Path, Input]) -> dict[str, Input]:
    return {os.path.relpath(path, folder): found for path, found in inputs.items()}


def shown(words: Sequence[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """A command line without keys and passwords: those of URLs, and of variables named so."""
    secrets = [v for k, v in environment.items() if SECRET_NAME.search(k) and len(v) >= 8]
    known = re.compile("|".join(map(re.escape, secrets)) or r"(?!)")
    return tuple(PASSWORD_OF_URL.sub(r"\1…@", known.sub("…", word)) for word in words)


def named_paths(words: Sequence[str]) -> list[Path]:
    """Files and folders that a command line names, as `PATH`, `NAME=PATH` or `--option=PATH`."""
    texts = [
        text
        for option, word in pairwise(["", *words])
        if option not in WORKING
        for text in (word, word.partition("=")[2])
    ]
    return [Path(os.path.abspath(text)) for text in texts if text and os.path.exists(text)]


def _outputs(words: Sequence[str], written: Iterable[str]) -> list[Path]:
    """Of the written files those that the command line names, with what lies in a folder that it
    names, or beside a file that it names under the same stem (the numbers of a figure)."""
    files = [Path(path) for path in sorted(written) if os.path.isfile(path) and not _hidden(path)]
    named = named_paths(words)
    folders = [path for path in named if path.is_dir()]
    stems = {path.with_suffix("") for path in files if path in named}
    return [
        path
        for path in files
        if path.with_suffix("") in stems or any(map(path.is_relative_to, folders))
    ]


def _inputs(words: Sequence[str], watch: Watch) -> list[Path]:
    """Of the files that were read those that are no code, no part of the system and not kept by the
    command itself; a model stands by its manifest alone, which holds its checksums."""
    opened = {os.path.abspath(path) for path in watch.read}
    opened |= {str(path) for path in named_paths(words)}
    outside = _outside(words)
    files = [
        path
        for path in sorted(opened - watch.written)
        if not path.startswith(outside) and not _hidden(path) and os.path.isfile(path)
    ]
    models = tuple(f"{folder}/" for folder in _models_of([*files, *watch.written]))
    return [Path(path) for path in files if not path.startswith(models)]


def _outside(words: Sequence[str]) -> tuple[str, ...]:
    """Beginnings of paths below which no input lies."""
    here = f"{os.getcwd()}/"
    code = [sys.prefix, sys.base_prefix, str(PACKAGE), *filter(None, sys.path)]
    kept = [word for option, word in pairwise(words) if option in WORKING]
    folders = [f"{os.path.abspath(folder)}/" for folder in (*OF_THE_SYSTEM, *code)]
    # Where the work is done below one of them, it says nothing.
    return (
        *(folder for folder in folders if not here.startswith(folder)),
        *(os.path.abspath(folder) for folder in kept),
    )


def _models_of(files: Iterable[str]) -> Iterator[str]:
    for path in map(Path, files):
        if path.name in MANIFESTS and path.is_file():
            with contextlib.suppress(InputError):
                manifest = read_json(path, ModelManifest)
                if manifest.sha256:
                    yield os.path.abspath(path.parent / manifest.path)


def _hidden(path: str) -> bool:
    """Whether it lies in a hidden folder, or is hidden, as seen from where the work is done."""
    parts = os.path.relpath(path).split(os.sep)
    return any(part.startswith(".") and part != ".." for part in parts)
