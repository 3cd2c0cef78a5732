"""Candidates of one shard, by the kind of its source."""

from collections import Counter
from collections.abc import Callable, Iterator

from limaflow.errors import InputError
from limaflow.records import Candidate
from limaflow.sources import (
    authored,
    natural_instructions,
    reddit,
    released,
    stackexchange,
    wikihow,
)
from limaflow.sources.candidates import Shard

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
"""Each yields candidates by rising id, and counts what is no candidate, with the reason."""


def candidates(kind: str, shard: Shard, passed_over: Counter[str]) -> Iterator[Candidate]:
    """The shard's candidates, by rising id; counts in `passed_over` what is no candidate.

    Raises:
        InputError: unknown kind, no or missing or broken raw files, two candidates of one id.
    """
    if kind not in READERS:
        raise InputError(f"--kind {kind}: unknown; known: {', '.join(READERS)}")
    if (kind == "reddit") != bool(shard.subreddit):
        raise InputError("--subreddit belongs to --kind reddit, and is needed there")
    for path in shard.files:
        if not path.is_file():
            raise InputError("no such file", path=path)
    before = ""
    for candidate in READERS[kind](shard, passed_over):
        if candidate.id <= before:
            raise InputError(f"two candidates have the id {candidate.id}", path=shard.files[0])
        before = candidate.id
        yield candidate
