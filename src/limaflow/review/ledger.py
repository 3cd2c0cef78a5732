"""The ledger: what reviewers decided, as append-only JSON lines that git keeps.

A ledger is a file (`….jsonl`) that all reviewers share, or a folder with one file a reviewer. Lines
are added under a lock, each by one write that reaches the disk before anyone is told of it. A line
that a kill or a full disk cut short was never confirmed: it is set aside, and said to be.
"""

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from limaflow.errors import InputError
from limaflow.jsonl import line_of
from limaflow.records import Message

EXCERPT_CHARS = 80


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One line of the ledger."""

    id: str
    """Content hash of the example as it was sampled, also where it is edited."""
    decision: Literal["keep", "reject", "edit", "undo"]
    """`undo` takes back the reviewer's last decision on the example that still stands."""
    reviewer: str
    reason: str = ""
    messages: tuple[Message, ...] | None = None
    """The conversation after an edit."""
    prompt: str = ""
    """How the prompt begins, for people who read the ledger."""
    time: str = ""
    """When it was made, UTC, ISO 8601."""


_ADAPTER = TypeAdapter(Decision)


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The decisions of all files in order, and what is wrong with an end that was cut short."""

    decisions: tuple[Decision, ...] = ()
    warnings: tuple[str, ...] = ()


def files_of(ledger: Path) -> list[Path]:
    """The files of a ledger that exist, by name."""
    if ledger.suffix == ".jsonl":
        return [ledger] if ledger.exists() else []
    return sorted(ledger.glob("*.jsonl"))


def file_of(ledger: Path, reviewer: str) -> Path:
    """The file that a reviewer's decisions are added to."""
    return ledger if ledger.suffix == ".jsonl" else ledger / f"{reviewer}.jsonl"


def read(files: Iterable[Path]) -> Ledger:
    """Every decision of the files, in order.

    Raises:
        InputError: a file is missing, or a whole line is no decision; names the line.
    """
    decisions: list[Decision] = []
    warnings = []
    for path in files:
        if not path.is_file():
            raise InputError("no such file", path=path)
        with path.open("rb") as file:
            _lock(file.fileno(), fcntl.LOCK_SH)
            lines = file.read().split(b"\n")
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                decisions.append(_ADAPTER.validate_json(line))
            except ValidationError as error:
                if number == len(lines):
                    warnings.append(
                        f"{path}:{number}: the last line is cut short and does not count; "
                        "it was never confirmed to its reviewer"
                    )
                    continue
                first = error.errors()[0]
                key = ".".join(map(str, first["loc"])) or "the line"
                raise InputError(
                    f"not a decision: {key}: {first['msg']}", path=path, line=number
                ) from None
    return Ledger(decisions=tuple(decisions), warnings=tuple(warnings))


def append(path: Path, decision: Decision) -> str | None:
    """Add one decision; when this returns, it is on the disk. Says what was mended before, if any.

    Raises:
        OSError: it could not be written whole; the file is then as it was.
    """
    filled = {key: value for key, value in asdict(decision).items() if value}
    line = line_of(filled).encode() + b"\n"
    with _locked(path) as file:
        mended = _mended(file, path)
        size = os.fstat(file).st_size
        try:
            written = os.write(file, line)
            if written < len(line):
                raise OSError(f"only {written} of {len(line)} bytes could be written")
            os.fsync(file)
        except OSError:
            os.ftruncate(file, size)
            raise
    return mended


def mend(path: Path) -> str | None:
    """End the last line, or set aside what was cut short; says what was done, if anything was.

    The bytes set aside are on the disk, in `<ledger>.cut`, before they leave the ledger.
    """
    if not path.exists():
        return None
    with _locked(path) as file:
        return _mended(file, path)


def _mended(file: int, path: Path) -> str | None:
    data = path.read_bytes()
    start = data.rfind(b"\n") + 1
    tail = data[start:]
    if not tail:
        return None
    try:
        _ADAPTER.validate_json(tail)
    except ValidationError:
        aside = path.with_name(f"{path.name}.cut")
        with aside.open("ab") as cut:
            cut.write(tail + b"\n")
            cut.flush()
            os.fsync(cut.fileno())
        os.ftruncate(file, start)
        os.fsync(file)
        return f"{path}: the last line was cut short; its {len(tail)} bytes now lie in {aside}"
    os.write(file, b"\n")
    os.fsync(file)
    return f"{path}: the last line lacked its end and has it again"


def beginning(prompt: str) -> str:
    """The start of a prompt on one line."""
    line = " ".join(prompt.split())
    return line if len(line) <= EXCERPT_CHARS else f"{line[: EXCERPT_CHARS - 1]}…"


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The open file, while no other process may write to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _lock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _lock(file: int, kind: int) -> None:
    """Lock as far as the file system knows locks; some clusters' do not."""
    try:
        fcntl.flock(file, kind)
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK):
            raise
