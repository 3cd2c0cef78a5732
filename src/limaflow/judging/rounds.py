"""The key: which answer of which packet is whose. It stays with the one who evaluates."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from limaflow.errors import InputError
from limaflow.jsonl import read_json
from limaflow.judging.front_matter import Form
from limaflow.judging.grading import Graded
from limaflow.judging.instrument import Instrument, question_of
from limaflow.judging.pairwise import Pair, choice_of_value
from limaflow.records import Example, Grade, Response, Verdict
from limaflow.seeds import digest

Material = TypeVar("Material", Pair, Graded)
NAME = "key.json"
"""Beside the packets in their folder."""
KIND = "limaflow annotation key"
HASH_DIGITS = 64


@dataclass(frozen=True, kw_only=True)
class KeyItem:
    """Whose answers one item shows."""

    hash: str
    prompt_id: str
    sample: int
    models: tuple[str, ...]
    """In the order in which their answers are shown: two, or one that is graded."""
    response_ids: tuple[str, ...]
    turn_ids: tuple[tuple[str, ...], ...] = ()
    """Of whole dialogues: the responses that are the assistant's turns, of each answer."""
    check: str = ""
    """What must be chosen, of an item that checks attention and is no judgment; else ""."""


@dataclass(frozen=True, kw_only=True)
class TurnScale:
    """By what each of the assistant's turns of a dialogue is graded."""

    instrument: str
    scale: str
    words: dict[str, int]
    template: str


@dataclass(frozen=True, kw_only=True)
class KeyPacket:
    """One annotator's packet, its items in order."""

    annotator: str
    hash: str
    items: tuple[KeyItem, ...]


@dataclass(frozen=True, kw_only=True)
class Key:
    """All packets of one round of annotation; `hash` covers all the rest."""

    format: Literal["limaflow annotation key 4"] = "limaflow annotation key 4"
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
    turns: TurnScale | None = None
    """Where answers are whole dialogues whose turns are graded."""
    hash: str = ""

    def packet(self, hash: str) -> KeyPacket | None:
        """The packet with this hash."""
        return next((packet for packet in self.packets if packet.hash == hash), None)

    def items(self) -> Iterator[KeyItem]:
        """Every item of every packet, but for those that check attention."""
        for packet in self.packets:
            yield from (item for item in packet.items if not item.check)

    def comparison(self, item: KeyItem) -> tuple[str, ...]:
        """The pair, or the single model, that an item belongs to."""
        return next(models for models in self.comparisons if set(models) == set(item.models))


def sealed(key: Key) -> Key:
    """The key with the hash of its contents."""
    return replace(key, hash=_hash_of(key))


def item_hash(question: str, answers: Sequence[str]) -> str:
    """Of all texts of an item; the page computes the same from what it is about to show."""
    return digest(question, *answers, length=HASH_DIGITS)


def check_shown(
    key: Key, responses: Iterable[Response], prompts: Iterable[Example] | None = None
) -> None:
    """See that the packets show these responses, each under the model that the key names.

    With `prompts` the hash of every item is computed again, which tells the order of its answers.

    Raises:
        InputError: some items show others.
    """
    items = list(key.items())
    stale = _stale(items, responses, prompts)
    if stale:
        given = "responses" if prompts is None else "responses or prompts"
        raise InputError(
            f"{len(stale)} of {len(items)} items show other {given} than the files given "
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
        InputError: there is none, it holds something else, or it was changed since it was made.
    """
    file = path if path.suffix == ".json" else path / NAME
    format = read_json(file, dict[str, Any]).get("format")
    if isinstance(format, str) and format.startswith(KIND) and format != Key.format:
        raise InputError(
            f"is a {format}, of another version; this one reads {Key.format}",
            path=file,
            fix="give the round's `limaflow annotate packet` command again with another --output: "
            "the same responses and seed make the same packets, and a key that can be read",
        )
    key = read_json(file, Key)
    if key.hash != _hash_of(key):
        raise InputError(
            "the key is not as it was made",
            path=file,
            fix="take the file that `limaflow annotate packet` wrote",
        )
    return key


def _hash_of(key: Key) -> str:
    held = asdict(replace(key, hash=""))
    # What a round has no use for is not in its hash, so that keys made before it existed hold.
    if key.turns is None:
        del held["turns"]
    for packet in held["packets"]:
        for item in packet["items"]:
            for name in ("turn_ids", "check"):
                if not item[name]:
                    del item[name]
    return digest(held, length=HASH_DIGITS)


def _stale(
    items: Iterable[KeyItem], responses: Iterable[Response], prompts: Iterable[Example] | None
) -> list[KeyItem]:
    """The items that show other texts, or texts of other models, than these."""
    by_id = {response.id: response for response in responses}
    asked = None if prompts is None else {prompt.id: question_of(prompt) for prompt in prompts}
    return [item for item in items if not _shows(item, by_id, asked)]


def _shows(item: KeyItem, by_id: Mapping[str, Response], asked: Mapping[str, str] | None) -> bool:
    shown = [by_id[id] for id in item.response_ids if id in by_id]
    of = [(response.model, response.prompt_id, response.sample) for response in shown]
    if of != [(model, item.prompt_id, item.sample) for model in item.models]:
        return False
    if asked is None:
        return True
    question = asked.get(item.prompt_id)
    return question is not None and item.hash == item_hash(question, [r.text for r in shown])


def only(shown: Sequence[Material], key: Key, instrument: Instrument) -> list[Material]:
    """What a round's packets show, in whatever order, so that a model judges the same.

    Raises:
        InputError: people were asked by another template, or saw other responses, or none of these.
    """
    if instrument.hash != key.template:
        raise InputError("the key's packets quote another instrument", fix="give both the same")
    models = {frozenset(r.model for r in responses_of(one)) for one in shown}
    items = [item for item in key.items() if frozenset(item.models) in models]
    responses = [response for one in shown for response in responses_of(one)]
    if not items or _stale(items, responses, [one.prompt for one in shown]):
        raise InputError("the key's packets show other responses", fix="judge those of the packets")
    wanted = {frozenset(item.response_ids) for item in items}
    return [one for one in shown if frozenset(r.id for r in responses_of(one)) in wanted]


def responses_of(shown: Pair | Graded) -> tuple[Response, ...]:
    """The responses in the order in which they are shown."""
    return (shown.first, shown.second) if isinstance(shown, Pair) else (shown.response,)
