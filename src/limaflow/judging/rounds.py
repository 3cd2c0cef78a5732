"""The key: which answer of which packet is whose. It stays with the one who evaluates."""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from limaflow.errors import InputError
from limaflow.jsonl import read_json
from limaflow.judging.front_matter import Form
from limaflow.judging.grading import Graded
from limaflow.judging.instrument import Instrument
from limaflow.judging.pairwise import Pair, choice_of_value
from limaflow.records import Grade, Response, Verdict

Material = TypeVar("Material", Pair, Graded)
NAME = "key.json"
"""Beside the packets in their folder."""


@dataclass(frozen=True, kw_only=True)
class KeyItem:
    """Whose answers one item shows."""

    hash: str
    prompt_id: str
    sample: int
    models: tuple[str, ...]
    """In the order in which their answers are shown: two, or one that is graded."""
    response_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class KeyPacket:
    """One annotator's packet, its items in order."""

    annotator: str
    hash: str
    items: tuple[KeyItem, ...]


@dataclass(frozen=True, kw_only=True)
class Key:
    """All packets of one round of annotation."""

    format: Literal["limaflow annotation key 3"] = "limaflow annotation key 3"
    seed: int
    instrument: str
    form: Form
    scale: str
    words: dict[str, int]
    """What can be chosen, and its value."""
    template: str
    """Content hash of the instrument that all packets quote."""
    comparisons: tuple[tuple[str, ...], ...]
    """The pairs of models, each as it is to be reported, or the single models that are graded."""
    packets: tuple[KeyPacket, ...]

    def packet(self, hash: str) -> KeyPacket | None:
        """The packet with this hash."""
        return next((packet for packet in self.packets if packet.hash == hash), None)

    def items(self) -> Iterator[KeyItem]:
        """Every item of every packet."""
        for packet in self.packets:
            yield from packet.items

    def comparison(self, item: KeyItem) -> tuple[str, ...]:
        """The pair, or the single model, that an item belongs to."""
        return next(models for models in self.comparisons if set(models) == set(item.models))


def check_responses(key: Key, known: Set[str]) -> None:
    """See that the packets show the responses of these ids.

    Raises:
        InputError: some items show others.
    """
    items = list(key.items())
    stale = [item for item in items if not {*item.response_ids} <= known]
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


def judgment_of(item: KeyItem, chosen: str, annotator: str, key: Key) -> Verdict | Grade:
    """What a choice on an item says about the models."""
    about: dict[str, Any] = {
        "prompt_id": item.prompt_id,
        "sample": item.sample,
        "annotator": annotator,
        "annotator_kind": "person",
        "template": key.template,
    }
    value = key.words[chosen]
    if key.form != "pairwise":
        (model,), (response_id,) = item.models, item.response_ids
        return Grade(
            **about,
            model=model,
            response_id=response_id,
            instrument=key.instrument,
            scale=key.scale,
            value=value,
        )
    (first, second), (first_id, second_id) = item.models, item.response_ids
    return Verdict(
        **about,
        first=first,
        second=second,
        first_response_id=first_id,
        second_response_id=second_id,
        choice=choice_of_value(value),
    )


def read_key(path: Path) -> Key:
    """The key of a folder of packets, by its own path or the folder's.

    Raises:
        InputError: there is none, or it holds something else.
    """
    file = path if path.suffix == ".json" else path / NAME
    key = read_json(file, Key)
    compared = {frozenset(models) for models in key.comparisons}
    if any(frozenset(item.models) not in compared for item in key.items()):
        raise InputError("an item is of no comparison of this key", path=file)
    return key


def only(shown: Sequence[Material], key: Key, instrument: Instrument) -> list[Material]:
    """What a round's packets show, in whatever order, so that a model judges the same.

    Raises:
        InputError: people were asked by another template, or saw other responses, or none of these.
    """
    if instrument.hash != key.template:
        raise InputError("the key's packets quote another instrument", fix="give both the same")
    models = {frozenset(r.model for r in responses_of(one)) for one in shown}
    ids = [frozenset(r.id for r in responses_of(one)) for one in shown]
    wanted = {frozenset(i.response_ids) for i in key.items() if frozenset(i.models) in models}
    if not wanted or not wanted <= set(ids):
        raise InputError("the key's packets show other responses", fix="judge those of the packets")
    return [one for one, of in zip(shown, ids, strict=True) if of in wanted]


def responses_of(shown: Pair | Graded) -> tuple[Response, ...]:
    """The responses in the order in which they are shown."""
    return (shown.first, shown.second) if isinstance(shown, Pair) else (shown.response,)
