"""Every number of a bundle made again from responses and verdicts up, and compared."""

import contextlib
import json
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any
from uuid import uuid4

from limaflow.bundling.archive import Bundle
from limaflow.bundling.plan import Job, planned
from limaflow.bundling.reading_chain import is_record
from limaflow.errors import InputError

Run = Callable[[list[str]], object]
"""Runs one command line of limaflow, without the program's name, in this process."""
MADE = ("analysis", "tables", "figures", "formats")
TEXTS = (".json", ".csv", ".jsonl")
FILES = (*TEXTS, ".svg", ".yaml", ".yml", ".md", ".txt")
"""Kinds of files that commands of statistics read."""


@dataclass
class Rebuilt:
    """What became of the numbers."""

    same: list[str] = field(default_factory=list)
    different: dict[str, str] = field(default_factory=dict)
    """File → what differs."""
    resting: list[str] = field(default_factory=list)
    """Not made again alike, since they were made of texts, or with a tokenizer, that the bundle has
    by hash alone."""
    failed: dict[str, str] = field(default_factory=dict)
    """File → what the command said."""


def rebuild(bundle: Bundle, results: str, run: Run, without_texts: frozenset[str]) -> Rebuilt:
    """Make the numbers of a bundle again, in a folder of their own, and compare.

    Args:
        results: the experiment's folder in the bundle.
        without_texts: members some of whose texts are withheld. A file that was made of one of
            these may differ; what was made of that file is then made of the bundle's.
    """
    with tempfile.TemporaryDirectory(prefix="limaflow-verify-") as place:
        folder = Path(place).resolve()
        targets = _laid_out(bundle, results, folder)
        jobs = planned(folder, results, targets)
        found = Rebuilt()
        for job, problem in _done(jobs, folder, run):
            for name in job.outputs:
                if name.endswith(TEXTS) and name in bundle.sizes:
                    _compare(
                        bundle,
                        folder,
                        found,
                        name=name,
                        job=job,
                        problem=problem,
                        without_texts=without_texts,
                    )
        made = {name for job in jobs for name in job.outputs}
        for name in targets:
            if name not in made:
                found.failed[name] = "no rule of the graph makes it"
        return found


def _laid_out(bundle: Bundle, results: str, folder: Path) -> list[str]:
    """Write what numbers are made of, and return the numbers, which are to be made."""
    targets = []
    for name in sorted(bundle.sizes):
        if is_record(name) or not name.endswith(FILES):
            continue
        if name.startswith(tuple(f"{results}/{stage}/" for stage in MADE)):
            if name.endswith(TEXTS):
                targets.append(name)
        elif name.startswith("results/") or "/" in name:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with bundle.open(name) as source, path.open("xb") as target:
                shutil.copyfileobj(source, target)
    return targets


def _done(jobs: Sequence[Job], folder: Path, run: Run) -> Iterator[tuple[Job, str]]:
    """Run the jobs, each once what it reads is there; yields each with what went wrong, or ""."""
    _load()
    waiting = list(jobs)
    open_outputs = {name for job in jobs for name in job.outputs}
    running: dict[int, tuple[Job, _Child]] = {}
    while waiting or running:
        ready = [job for job in waiting if not job.inputs & open_outputs]
        for job in ready[: (os.cpu_count() or 1) - len(running)]:
            waiting.remove(job)
            child = _Child(run, list(job.words), folder)
            running[child.process.sentinel] = (job, child)
        if not running:
            raise InputError("the graph's jobs wait for each other")
        for sentinel in [one for one in wait(list(running)) if isinstance(one, int)]:
            job, child = running.pop(sentinel)
            yield job, child.said()
            open_outputs -= set(job.outputs)


class _Child:
    """A process for one command: forked, so that what most commands use is loaded once."""

    def __init__(self, run: Run, words: list[str], folder: Path) -> None:
        context = multiprocessing.get_context("fork")
        self.said_at = folder / f".said-{uuid4().hex}"
        self.process = context.Process(target=_run, args=(run, words, folder, self.said_at))
        self.process.start()

    def said(self) -> str:
        """What the command said when it failed; "" when it did not."""
        self.process.join()
        if self.said_at.is_file():
            return self.said_at.read_text(encoding="utf-8")
        return f"ended with {self.process.exitcode}"


def _load() -> None:
    """Load what most commands use, before the processes part."""
    import matplotlib
    import scipy.stats  # noqa: F401

    matplotlib.use("agg")


def _run(run: Run, words: list[str], folder: Path, said_at: Path) -> None:
    """Run one command, and leave what it says when it fails."""
    os.chdir(folder)
    said = ""
    with (folder / "log").open("a") as log, contextlib.redirect_stdout(log):
        try:
            run(words)
        except SystemExit as ended:
            said = f"ended with {ended.code}" if ended.code else ""
        except Exception as error:
            said = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    said_at.write_text(said, encoding="utf-8")


def _compare(
    bundle: Bundle,
    folder: Path,
    found: Rebuilt,
    *,
    name: str,
    job: Job,
    problem: str,
    without_texts: frozenset[str],
) -> None:
    path, theirs = folder / name, bundle.read(name)
    made = path.read_bytes() if path.is_file() else None
    if made == theirs and not problem:
        found.same.append(name)
        return
    needs_model = bool(problem) and any(path.endswith("/model.json") for path in job.inputs)
    if job.inputs & without_texts or needs_model:
        found.resting.append(name)
        # What follows is made of the bundle's own, which nobody can make again from here.
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(theirs)
    elif problem or made is None:
        found.failed[name] = problem or "its command wrote no such file"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(theirs)
    else:
        found.different[name] = _what_differs(theirs, made)


def _what_differs(theirs: bytes, ours: bytes) -> str:
    """Where two texts part: the claim or row of a list in JSON, else the lines."""
    with contextlib.suppress(ValueError, RecursionError):
        left, right = json.loads(theirs), json.loads(ours)
        for key in ("id", "name"):
            named = [_by(key, value) for value in (left, right)]
            if all(named):
                parted = sorted(
                    n for n in {*named[0], *named[1]} if named[0].get(n) != named[1].get(n)
                )
                return ", ".join(parted[:20])
    pairs = enumerate(zip(theirs.split(b"\n"), ours.split(b"\n"), strict=False), start=1)
    lines = [str(number) for number, (one, other) in pairs if one != other]
    return (
        f"line {', '.join(lines[:10])}{' …' if len(lines) > 10 else ''}" if lines else "its length"
    )


def _by(key: str, value: Any) -> dict[str, Any]:
    rows = (
        value
        if isinstance(value, list)
        else next((rows for rows in value.values() if isinstance(rows, list)), [])
        if isinstance(value, dict)
        else []
    )
    return {str(row[key]): row for row in rows if isinstance(row, dict) and key in row}
