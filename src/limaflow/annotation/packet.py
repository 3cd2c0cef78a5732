"""The packet: what one annotator is given to judge, and nothing that tells whose answers they are.

The instructions are the part of the judge's own instrument that is fit for people, so that people
and models are asked the same. Which answer is whose stands in the key (`key.py`), which stays home.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from limaflow.errors import InputError
from limaflow.jsonl import read_json
from limaflow.people import person
from limaflow.records import Choice
from limaflow.seeds import digest

HASH_DIGITS = 64
CHOICES: dict[Choice, str] = {
    "first": "The first answer is significantly better",
    "second": "The second answer is significantly better",
    "tie": "Neither is significantly better",
}


@dataclass(frozen=True, kw_only=True)
class Item:
    """A question and two answers in the order in which they are shown; items are numbered from 1.

    Its hash covers the three texts.
    """

    question: str
    first: str
    second: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class Packet:
    """The items of one annotator; `hash` covers all the rest."""

    format: Literal["limaflow annotation packet 1"] = "limaflow annotation packet 1"
    annotator: str
    instructions: str
    """The instrument's part for people, as Markdown."""
    template: str
    """Content hash of the whole instrument."""
    items: tuple[Item, ...]
    hash: str


def item_of(question: str, first: str, second: str) -> Item:
    """An item with its hash."""
    return Item(
        question=question, first=first, second=second, hash=item_hash(question, first, second)
    )


def packet_of(annotator: str, instructions: str, template: str, items: tuple[Item, ...]) -> Packet:
    """A packet with its hash."""
    return Packet(
        annotator=annotator,
        instructions=instructions,
        template=template,
        items=items,
        hash=packet_hash(annotator, instructions, template, [item.hash for item in items]),
    )


def item_hash(question: str, first: str, second: str) -> str:
    """The page computes the same from what it is about to show."""
    return digest(question, first, second, length=HASH_DIGITS)


def packet_hash(annotator: str, instructions: str, template: str, items: list[str]) -> str:
    """Likewise; `items` are the items' hashes in order."""
    return digest(annotator, instructions, template, items, length=HASH_DIGITS)


def read_packet(path: Path) -> Packet:
    """A packet whose hashes are those of its contents.

    Raises:
        InputError: not a packet, or changed since it was made; names the item.
    """
    packet = read_json(path, Packet)
    person(packet.annotator, "annotator")
    for number, item in enumerate(packet.items, start=1):
        if item_hash(item.question, item.first, item.second) != item.hash:
            raise InputError(f"item {number} is not as it was made", path=path, fix=MAKE_AGAIN)
    hashes = [item.hash for item in packet.items]
    if packet_hash(packet.annotator, packet.instructions, packet.template, hashes) != packet.hash:
        raise InputError("the packet is not as it was made", path=path, fix=MAKE_AGAIN)
    return packet


MAKE_AGAIN = "take the file that `limaflow annotate packet` wrote"
