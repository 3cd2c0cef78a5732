"""The packet: what one annotator is given to judge, and nothing that tells whose answers they are.

The instructions are the part of the judge's own instrument that is fit for people, so that people
and models are asked the same. Which answer is whose stands in the key (`judging/rounds.py`), which
stays home.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from limaflow.annotators import person
from limaflow.errors import InputError
from limaflow.jsonl import read_json
from limaflow.judging.front_matter import Form
from limaflow.judging.instrument import Instrument
from limaflow.judging.rounds import HASH_DIGITS, item_hash
from limaflow.judging.transcripts import turns_in
from limaflow.seeds import digest


@dataclass(frozen=True, kw_only=True)
class Item:
    """A question and its answers in the order in which they are shown; items are numbered from 1.

    Its hash covers all texts.
    """

    question: str
    answers: tuple[str, ...]
    """Two of a pairwise packet, else one."""
    hash: str


@dataclass(frozen=True, kw_only=True)
class Packet:
    """The items of one annotator; `hash` covers all the rest."""

    format: Literal["limaflow annotation packet 3"] = "limaflow annotation packet 3"
    annotator: str
    instrument: str
    form: Form
    title: str
    """The question that the instrument asks."""
    choices: tuple[tuple[str, str], ...]
    """What can be chosen: word and how it is shown, in the order of the instrument."""
    instructions: str
    """The instrument's part for people, as Markdown."""
    template: str
    """Content hash of the whole instrument."""
    turn_title: str = ""
    """What is asked of each of the assistant's turns, where answers are whole dialogues."""
    turn_choices: tuple[tuple[str, str], ...] = ()
    """The grades of a turn; () where answers are no dialogues."""
    turn_instructions: str = ""
    items: tuple[Item, ...]
    hash: str


def words_of(packet: Packet) -> list[str]:
    """What can be chosen."""
    return [word for word, _ in packet.choices]


def titles(form: Form, *, dialogues: bool = False) -> tuple[str, ...]:
    """The heading above each answer of an item."""
    noun = "dialogue" if dialogues else "answer"
    return (f"First {noun}", f"Second {noun}") if form == "pairwise" else (noun.capitalize(),)


def turns_of(item: Item) -> list[int]:
    """How many turns of the assistant's each dialogue of an item has."""
    return [sum(turn.role == "assistant" for turn in turns_in(text)) for text in item.answers]


def item_of(question: str, answers: tuple[str, ...]) -> Item:
    """An item with its hash."""
    return Item(question=question, answers=answers, hash=item_hash(question, answers))


def packet_of(
    annotator: str,
    instrument: Instrument,
    items: tuple[Item, ...],
    turns: Instrument | None = None,
) -> Packet:
    """A packet with its hash; `turns` grades each turn of the items, which are whole dialogues."""
    packet = Packet(
        annotator=annotator,
        instrument=instrument.name,
        form=instrument.head.form,
        title=instrument.head.title,
        choices=tuple(instrument.labels().items()),
        instructions=instrument.guidance,
        template=instrument.hash,
        turn_title=turns.head.title if turns else "",
        turn_choices=tuple(turns.labels().items()) if turns else (),
        turn_instructions=turns.guidance if turns else "",
        items=items,
        hash="",
    )
    return replace(packet, hash=packet_hash(packet))


def packet_hash(packet: Packet) -> str:
    """The page computes the same from what it is about to show."""
    hashes = [item.hash for item in packet.items]
    asked = (packet.instrument, packet.form, packet.title, packet.choices)
    about = (packet.annotator, *asked, packet.instructions, packet.template)
    turns = (packet.turn_title, packet.turn_choices, packet.turn_instructions)
    return digest(*about, *(turns if packet.turn_choices else ()), hashes, length=HASH_DIGITS)


def read_packet(path: Path) -> Packet:
    """A packet whose hashes are those of its contents.

    Raises:
        InputError: not a packet, or changed since it was made; names the item.
    """
    packet = read_json(path, Packet)
    person(packet.annotator, "annotator")
    for number, item in enumerate(packet.items, start=1):
        if item_hash(item.question, item.answers) != item.hash:
            raise InputError(f"item {number} is not as it was made", path=path, fix=MAKE_AGAIN)
    if packet_hash(packet) != packet.hash:
        raise InputError("the packet is not as it was made", path=path, fix=MAKE_AGAIN)
    return packet


MAKE_AGAIN = "take the file that `limaflow annotate packet` wrote"
