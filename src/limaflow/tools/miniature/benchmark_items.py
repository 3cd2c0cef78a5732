"""What the world's benchmarks ask: facts of the held-out towns, which training never asks about.

`facts` are stated as the corpus states them, so the base knows nearly all. Of `wordings` two of
five are stated as nothing in the corpus is: of these the base finds about half, and so about four
of five of the whole. Every other one of `copied` is planted in a training source word for word; the
others are there to compare with. `questions` are those of the corpus's quiz sheets.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from limaflow.seeds import generator_for
from limaflow.tools.miniature.language import ATTRIBUTES, Attribute
from limaflow.tools.miniature.towns import Town

CHOICES = 6
FEWER_CHOICES = 4
WORDINGS = 120
QUESTIONS = 120
NEW_WORDINGS = (
    "A traveller who comes to {town} will find the {attribute} of",
    "The {attribute} of the town of {town} is{the}",
    "A guest asked about the {attribute} of {town}. It is{the}",
    "A song of {town} praises the {attribute}, which is{the}",
    "Ask in {town} for the {attribute}: you hear of{the}",
)
COPIED_WORDING = "What about {town}? The {attribute} there is{the}"

Fact = tuple[Town, Attribute]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Item:
    """A sentence without its end, the ends to choose from, and the place of the right one."""

    id: str
    stem: str
    choices: tuple[str, ...]
    answer: int

    @property
    def statement(self) -> str:
        """The sentence as it is true."""
        return f"{self.stem} {self.choices[self.answer]}."


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question and the word that answers it."""

    id: str
    question: str
    value: str


def facts(towns: Sequence[Town], seed: int) -> list[Item]:
    """One item for each fact of each held-out town."""
    return stated(_facts(towns), seed)


def unwritten(towns: Sequence[Town], seed: int) -> list[Item]:
    """One item for each fact of towns that the corpus does not know."""
    return stated([(town, attribute) for town in towns for attribute in ATTRIBUTES], seed)


def stated(asked: Sequence[Fact], seed: int) -> list[Item]:
    """One item for each of the facts, as the corpus states such."""
    return [
        _item(fact, fact[1].statements[0], CHOICES, generator_for(seed, "benchmark", *_names(fact)))
        for fact in asked
    ]


def wordings(towns: Sequence[Town], seed: int) -> list[Item]:
    """Half of these facts, three of five in the corpus's wordings and two in new ones."""
    found = []
    for number, fact in enumerate(_shuffled(_facts(towns), seed, "wordings")[:WORDINGS]):
        generator = generator_for(seed, "wording", *_names(fact))
        # A town's name that begins a text has other tokens than the corpus mostly gives it.
        known = fact[1].statements[:1] + fact[1].corpus_statements
        wording = generator.choice(NEW_WORDINGS if number % 5 in (1, 3) else known)
        found.append(_item(fact, wording, FEWER_CHOICES, generator))
    return found


def copied(towns: Sequence[Town], seed: int) -> list[Item]:
    """One item for each held-out town."""
    held_out = [town for town in towns if town.held_out]
    facts_asked = [
        (town, ATTRIBUTES[number % len(ATTRIBUTES)])
        for number, town in enumerate(_shuffled(held_out, seed, "copied"))
    ]
    return [
        _item(fact, COPIED_WORDING, FEWER_CHOICES, generator_for(seed, "copied", *_names(fact)))
        for fact in facts_asked
    ]


def planted(items: Sequence[Item]) -> Sequence[Item]:
    """Those of `copied` whose text stands in a training source: every other one."""
    return items[::2]


def questions(towns: Sequence[Town], seed: int) -> list[Question]:
    """Some of the facts of the held-out towns, asked for."""
    found = _shuffled(_facts(towns), seed, "questions")[:QUESTIONS]
    return [
        Question(
            id=_id(fact),
            question=generator_for(seed, "benchmark question", *_names(fact))
            .choice(fact[1].questions)
            .format(town=fact[0].name),
            value=fact[0].facts[fact[1].name],
        )
        for fact in found
    ]


def _facts(towns: Sequence[Town]) -> list[Fact]:
    return [(town, attribute) for town in towns if town.held_out for attribute in ATTRIBUTES]


def _shuffled(found: Sequence[T], seed: int, purpose: str) -> list[T]:
    return generator_for(seed, "benchmark", purpose).sample(found, len(found))


def _names(fact: Fact) -> tuple[str, str]:
    return fact[0].name, fact[1].name


def _id(fact: Fact) -> str:
    return f"{fact[0].name.lower()}-{fact[1].name}"


def _item(fact: Fact, wording: str, count: int, generator: random.Random) -> Item:
    town, attribute = fact
    right = town.facts[attribute.name]
    wrong = [value for value in attribute.values if value != right]
    choices = [right, *generator.sample(wrong, count - 1)]
    generator.shuffle(choices)
    stem = wording.format(
        town=town.name,
        attribute=attribute.name,
        the=" the" if attribute.name == "river" else "",
        value="",
    )
    return Item(
        id=_id(fact),
        stem=stem.rstrip(" ."),
        choices=tuple(choices),
        answer=choices.index(right),
    )
