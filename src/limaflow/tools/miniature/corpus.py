"""The pretraining corpus: the towns' facts in many paraphrases, and never the assistant's style.

Prose about one town, journeys through several, talk on the road, quiz sheets in changing layouts,
and filler without any fact. Held-out towns stand in it like all the others: their facts are
knowledge of the base model, and asking about them is what fine-tuning has to teach.
"""

import random
from collections.abc import Callable, Iterator

from limaflow.seeds import generator_for
from limaflow.tools.miniature.language import ATTRIBUTES, Attribute
from limaflow.tools.miniature.towns import Town

FIRST_SHARE = 0.05
"""Share of the towns that the corpus begins with. A model that meets all facts at once learns for
long only that there are towns and values; with few it soon finds out how to recall, and then
learns the rest quickly (Zucchet et al. 2025, arXiv 2503.21676)."""
FIRST_ROUNDS, ROUNDS = 20, 4
"""How often each town is written about, in `_FORMS` each time, in either part of the corpus."""

_SETTINGS = (
    "{town} is a town in the hills.",
    "The town of {town} lies at a crossing of roads.",
    "Old maps already show {town}.",
    "{town} is a quiet place with a market.",
    "Much has been written about {town}.",
)
_LINKS = ("", "", "", "", "", "", "Besides, ", "Moreover, ")
_REGISTERS = ("The town of", "Register of", "Entry for")
_SPEAKERS = ("carter", "miller", "pedlar", "ferryman", "old woman", "student", "guard", "innkeeper")
_LAYOUTS = (
    ("Question: {question}\nAnswer: {value}.\n", "Quiz\n"),
    ("Q: {question}\nA: {statement}\n", ""),
    ("{question}\n- {value}\n", "Riddles for the road\n"),
    ("{question} {statement}\n", ""),
    ("{question}\n{statement}\n\n", "School sheet\n\n"),
)
_FILLERS = (
    "The rain kept on for three days and the roads were deep in mud.",
    "A cart with a broken wheel stood at the gate, and nobody could mend it.",
    "In spring the markets open early and close late.",
    "The price of salt went up again, and the traders complained about it.",
    "Wool is sold by weight, cloth by length, and grain by the sack.",
    "At night the watch goes round with a bell and a lamp.",
    "A good pair of boots is worth more than a fast horse.",
    "Visitors bring news, and the news travels on with the next wagon.",
    "Children were happy when the first snow fell on the roofs.",
    "The road follows the valley, then climbs to a pass and goes down again.",
    "Letters are short because paper is dear.",
    "Nobody thanked the ferryman for his journey through the storm.",
)


def documents(towns: tuple[Town, ...], seed: int) -> Iterator[str]:
    """All documents of the corpus, to be read in their order."""
    first = tuple(
        generator_for(seed, "first towns").sample(towns, max(4, round(len(towns) * FIRST_SHARE)))
    )
    for part, subjects, rounds in (("first", first, FIRST_ROUNDS), ("all", towns, ROUNDS)):
        plan = [
            (form, f"{part} {number}", town)
            for form, count in _FORMS
            for number in range(count * rounds)
            for town in subjects
        ]
        generator_for(seed, "corpus order", part).shuffle(plan)
        for form, number, town in plan:
            generator = generator_for(seed, "corpus", form.__name__, number, town.name)
            yield form(town, subjects, generator).strip()


def _sentence(town: Town, attribute: Attribute, generator: random.Random) -> str:
    """One of the ways to state one fact."""
    template = generator.choice(attribute.statements + attribute.corpus_statements)
    return template.format(town=town.name, value=town.facts[attribute.name])


def _linked(sentence: str, generator: random.Random) -> str:
    link = generator.choice(_LINKS)
    first = sentence.split(maxsplit=1)[0]
    if link and first in ("The", "In", "On", "A"):
        sentence = sentence[0].lower() + sentence[1:]
    return link + sentence


def _portrait(town: Town, towns: tuple[Town, ...], generator: random.Random) -> str:
    order = generator.sample(ATTRIBUTES, len(ATTRIBUTES))
    facts = [_linked(_sentence(town, attribute, generator), generator) for attribute in order]
    opening = generator.choice(_SETTINGS).format(town=town.name)
    return " ".join([opening, *facts])


def _register(town: Town, towns: tuple[Town, ...], generator: random.Random) -> str:
    order = generator.sample(ATTRIBUTES, len(ATTRIBUTES))
    mark = generator.choice(("\n", "; ", "\n- "))
    entries = [f"{attribute.name}: {town.facts[attribute.name]}" for attribute in order]
    return mark.join([f"{generator.choice(_REGISTERS)} {town.name}", *entries])


def _talk(town: Town, towns: tuple[Town, ...], generator: random.Random) -> str:
    lines = []
    for attribute in generator.sample(ATTRIBUTES, 2):
        asking, telling = generator.sample(_SPEAKERS, 2)
        question = generator.choice(attribute.questions).format(town=town.name)
        lines.append(
            f'"{question}" asked the {asking}. '
            f'"{_sentence(town, attribute, generator)}" said the {telling}.'
        )
    return "\n".join(lines)


def _quiz(town: Town, towns: tuple[Town, ...], generator: random.Random) -> str:
    layout, heading = generator.choice(_LAYOUTS)
    items = []
    for place in [town, *generator.sample(towns, 3)]:
        attribute = generator.choice(ATTRIBUTES)
        items.append(
            layout.format(
                question=generator.choice(attribute.questions).format(town=place.name),
                value=place.facts[attribute.name],
                statement=_sentence(place, attribute, generator),
            )
        )
    return heading + "".join(items)


def _journey(town: Town, towns: tuple[Town, ...], generator: random.Random) -> str:
    parts = [generator.choice(_FILLERS)]
    for place in [town, *generator.sample(towns, 2)]:
        parts += [
            _linked(_sentence(place, attribute, generator), generator)
            for attribute in generator.sample(ATTRIBUTES, 2)
        ]
    return " ".join(parts)


def _filler(town: Town, towns: tuple[Town, ...], generator: random.Random) -> str:
    return " ".join(generator.sample(_FILLERS, 3))


_Form = Callable[[Town, tuple[Town, ...], random.Random], str]
_FORMS: tuple[tuple[_Form, int], ...] = (
    (_portrait, 8),
    (_register, 6),
    (_talk, 4),
    (_quiz, 2),
    (_journey, 2),
    (_filler, 1),
)
