"""The key: which answer of which packet is whose. It stays with the one who evaluates."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from limaflow.errors import InputError
from limaflow.jsonl import read_json
from limaflow.records import Choice, Verdict

NAME = "key.json"
"""Beside the packets in their folder."""


@dataclass(frozen=True, kw_only=True)
class KeyItem:
    """Whose answers one item shows."""

    hash: str
    prompt_id: str
    sample: int
    first: str
    """Model whose answer stands first; `second` likewise."""
    second: str
    first_response_id: str
    second_response_id: str


@dataclass(frozen=True, kw_only=True)
class KeyPacket:
    """One annotator's packet, its items in order."""

    annotator: str
    hash: str
    items: tuple[KeyItem, ...]


@dataclass(frozen=True, kw_only=True)
class Key:
    """All packets of one round of annotation."""

    format: Literal["limaflow annotation key 1"] = "limaflow annotation key 1"
    seed: int
    template: str
    """Content hash of the instrument that all packets quote."""
    comparisons: tuple[tuple[str, str], ...]
    """The pairs of models, each as it is to be reported."""
    packets: tuple[KeyPacket, ...]

    def packet(self, hash: str) -> KeyPacket | None:
        """The packet with this hash."""
        return next((packet for packet in self.packets if packet.hash == hash), None)

    def items(self) -> Iterator[KeyItem]:
        """Every item of every packet."""
        for packet in self.packets:
            yield from packet.items

    def comparison(self, item: KeyItem) -> tuple[str, str]:
        """The pair that an item belongs to."""
        return next(pair for pair in self.comparisons if set(pair) == {item.first, item.second})


def check_responses(key: Key, known: Set[str]) -> None:
    """See that the packets show the responses of these ids.

    Raises:
        InputError: some items show others.
    """
    items = list(key.items())
    stale = [i for i in items if not {i.first_response_id, i.second_response_id} <= known]
    if stale:
        raise InputError(
            f"{len(stale)} of {len(items)} items show other responses than the files given "
            f"(prompt {stale[0].prompt_id})",
            fix="they were made anew since: give the old ones, or begin a new round",
        )


def answer_files(paths: Iterable[Path]) -> list[Path]:
    """The files among `paths`, and those that came back in the folders among them, by name."""
    return [
        file
        for path in paths
        for file in (
            sorted(f for f in path.iterdir() if f.suffix in (".json", ".jsonl"))
            if path.is_dir()
            else [path]
        )
    ]


def verdict_of(item: KeyItem, choice: Choice, annotator: str, template: str) -> Verdict:
    """What a choice on an item says about the models."""
    return Verdict(
        prompt_id=item.prompt_id,
        sample=item.sample,
        annotator=annotator,
        first=item.first,
        second=item.second,
        first_response_id=item.first_response_id,
        second_response_id=item.second_response_id,
        choice=choice,
        template=template,
    )


def read_key(path: Path) -> Key:
    """The key of a folder of packets, by its own path or the folder's.

    Raises:
        InputError: there is none, or it holds something else.
    """
    file = path if path.suffix == ".json" else path / NAME
    key = read_json(file, Key)
    pairs = {frozenset(pair) for pair in key.comparisons}
    if any(frozenset((item.first, item.second)) not in pairs for item in key.items()):
        raise InputError("an item is of no comparison of this key", path=file)
    return key
