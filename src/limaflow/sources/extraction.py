"""Candidates of one shard, by the kind of its source."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from limaflow.errors import InputError
from limaflow.jsonl import replacing
from limaflow.records import Candidate
from limaflow.sources.kinds import (
    authored,
    natural_instructions,
    reddit,
    released,
    stackexchange,
    wikihow,
)
from limaflow.sources.shard import Shard, line_of

Reader = Callable[[Shard, Counter[str]], Iterator[Candidate]]
READERS: dict[str, Reader] = {
    "authored": authored.read,
    "messages": authored.read_messages,
    "natural-instructions": natural_instructions.read,
    "reddit": reddit.read,
    "released": released.read,
    "stackexchange": stackexchange.read,
    "wikihow": wikihow.read,
}
"""Each yields candidates in an order of its own, and counts what is none, with the reason."""


def candidates(kind: str, shard: Shard, passed_over: Counter[str]) -> Iterator[Candidate]:
    """The shard's candidates; counts in `passed_over` what is no candidate.

    Raises:
        InputError: unknown kind, no or missing or broken raw files, two candidates of one id.
    """
    _check(kind, shard)
    before = ""
    for candidate in READERS[kind](shard, passed_over):
        if candidate.id == before:
            raise InputError(f"two candidates have the id {candidate.id}", path=shard.files[0])
        before = candidate.id
        yield candidate


def extract(
    kind: str, shard: Shard, output: Path, passed_over: Counter[str], processes: int = 1
) -> int:
    """Write the shard's candidates as JSON lines and return their number.

    Raises:
        InputError: as `candidates`; nothing is left under the output's name then.
    """
    if kind == "stackexchange":
        _check(kind, shard)
        return stackexchange.write(shard, passed_over, output, processes)
    count = 0
    with replacing(output) as file:
        for count, candidate in enumerate(candidates(kind, shard, passed_over), start=1):  # noqa: B007
            file.buffer.write(line_of(candidate))
    return count


def _check(kind: str, shard: Shard) -> None:
    if kind not in READERS:
        raise InputError(f"--kind {kind}: unknown; known: {', '.join(READERS)}")
    if (kind == "reddit") != bool(shard.subreddit):
        raise InputError("--subreddit belongs to --kind reddit, and is needed there")
    for path in shard.files:
        if not path.is_file():
            raise InputError("no such file", path=path)
