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
    items: tuple[Item, ...]
    hash: str


def words_of(packet: Packet) -> list[str]:
    """What can be chosen."""
    return [word for word, _ in packet.choices]


def titles(form: Form) -> tuple[str, ...]:
    """The heading above each answer of an item."""
    return ("First answer", "Second answer") if form == "pairwise" else ("Answer",)


def item_of(question: str, answers: tuple[str, ...]) -> Item:
    """An item with its hash."""
    return Item(question=question, answers=answers, hash=item_hash(question, answers))


def packet_of(annotator: str, instrument: Instrument, items: tuple[Item, ...]) -> Packet:
    """A packet with its hash."""
    packet = Packet(
        annotator=annotator,
        instrument=instrument.name,
        form=instrument.head.form,
        title=instrument.head.title,
        choices=tuple(instrument.labels().items()),
        instructions=instrument.guidance,
        template=instrument.hash,
        items=items,
        hash="",
    )
    return replace(packet, hash=packet_hash(packet))


def packet_hash(packet: Packet) -> str:
    """The page computes the same from what it is about to show."""
    hashes = [item.hash for item in packet.items]
    asked = (packet.instrument, packet.form, packet.title, packet.choices)
    about = (packet.annotator, *asked, packet.instructions, packet.template)
    return digest(*about, hashes, length=HASH_DIGITS)


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
