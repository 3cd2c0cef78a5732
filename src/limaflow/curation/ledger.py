"""The ledger: what reviewers decided, as append-only JSON lines that git keeps.

A ledger is a file (`….jsonl`) that all reviewers share, or a folder with one file a reviewer. Lines
are only ever added (`limaflow.journal`).
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from limaflow import journal
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
    found = [journal.read(path, Decision) for path in files]
    return Ledger(
        decisions=tuple(decision for decisions, _ in found for decision in decisions),
        warnings=tuple(warning for _, warning in found if warning),
    )


def append(path: Path, decision: Decision) -> str | None:
    """Add one decision; when this returns, it is on the disk. Says what was mended before, if any.

    Raises:
        OSError: it could not be written whole; the file is then as it was.
    """
    filled = {key: value for key, value in asdict(decision).items() if value}
    return journal.append(path, filled, Decision)


def beginning(prompt: str) -> str:
    """The start of a prompt on one line."""
    line = " ".join(prompt.split())
    return line if len(line) <= EXCERPT_CHARS else f"{line[: EXCERPT_CHARS - 1]}…"
