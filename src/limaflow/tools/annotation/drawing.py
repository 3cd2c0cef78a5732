"""Who judges what: items drawn for each annotator, the order of the two answers drawn per item.

Everything follows from the seed, the annotators' names and the responses. Whoever knows the seed
can tell the orders, so a round whose annotators may look should take a seed of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from limaflow.annotators import person
from limaflow.dialogue.wholes import turn_responses
from limaflow.errors import InputError
from limaflow.judging.grading import graded
from limaflow.judging.instrument import Instrument, question_of
from limaflow.judging.pairwise import pairs
from limaflow.judging.rounds import Key, KeyItem, KeyPacket, TurnScale, responses_of, sealed
from limaflow.records import Example, Response
from limaflow.seeds import generator_for, seed_for
from limaflow.tools.annotation.attention import with_checks
from limaflow.tools.annotation.packet import Item, Packet, item_of, packet_of

Place = tuple[tuple[str, ...], str, int]
"""Models in the comparison's order, prompt id, sample: one item, whatever its order."""
Shown = tuple[Response, ...]
"""Responses to one prompt in the order in which they are shown."""


@dataclass(frozen=True, kw_only=True)
class Lots:
    """How many items are judged; None: all there are, and all by everyone."""

    items: int | None = None
    """In all."""
    shared: int | None = None
    """Items that every annotator judges; the rest is dealt out, each to one."""


def drawn(
    prompts: Sequence[Example],
    compared: Sequence[Sequence[Sequence[Response]]],
    annotators: Sequence[str],
    instrument: Instrument,
    *,
    lots: Lots,
    seed: int,
    turns: Instrument | None = None,
    checks: int = 0,
) -> tuple[list[Packet], Key]:
    """One packet for each annotator, and the key to all.

    Args:
        compared: the responses of two models each, or of one that is graded.
        turns: grades each turn of the responses, which are then whole dialogues.
        checks: items in each packet that check attention (`attention.py`).

    Raises:
        InputError: as `judging.pairwise.pairs` and `judging.grading.graded`; the same models stand
            twice, two annotators bear one name, more items are wanted than there are, or too few
            for each annotator to have one.
    """
    ways = [_ways(prompts, responses) for responses in compared]
    models = tuple(next(iter(found))[0] for found in ways)
    if len({frozenset(of) for of in models}) < len(models):
        raise InputError(f"the same models stand twice among {_listed(models)}")
    if len({person(name, "annotator").casefold() for name in annotators}) < len(annotators):
        raise InputError(f"an annotator stands twice among {', '.join(annotators)}")
    asked = {prompt.id: question_of(prompt) for prompt in prompts}
    orders = {place: shown for found in ways for place, shown in found.items()}
    packets, keys = [], []
    for annotator, places in zip(
        annotators,
        _dealt([list(found) for found in ways], len(annotators), lots, seed),
        strict=True,
    ):
        shown = [
            generator_for(seed, "annotation order", annotator, *_named(place)).choice(orders[place])
            for place in _shuffled(places, seed, "annotation places", annotator)
        ]
        laid = [
            _laid(asked[responses[0].prompt_id], responses, dialogues=turns is not None)
            for responses in shown
        ]
        if checks:
            laid = with_checks(laid, instrument.labels(), annotator, checks, seed)
        packet = packet_of(annotator, instrument, tuple(item for item, _ in laid), turns)
        packets.append(packet)
        items = tuple(keyed for _, keyed in laid)
        keys.append(KeyPacket(annotator=annotator, hash=packet.hash, items=items))
    key = Key(
        seed=seed,
        instrument=instrument.name,
        form=instrument.head.form,
        scale=instrument.head.scale,
        words=instrument.head.words,
        template=instrument.hash,
        comparisons=models,
        packets=tuple(keys),
        turns=TurnScale(
            instrument=turns.name,
            scale=turns.head.scale,
            words=turns.head.words,
            template=turns.hash,
        )
        if turns
        else None,
    )
    return packets, sealed(key)


def _ways(
    prompts: Sequence[Example], responses: Sequence[Sequence[Response]]
) -> dict[Place, tuple[Shown, ...]]:
    """Each item in every order in which it may be shown, that of `responses` first."""
    found: list[tuple[Shown, ...]]
    if len(responses) == 1:
        found = [(responses_of(one),) for one in graded(prompts, responses[0])]
    else:
        one, other = responses
        both = [responses_of(pair) for pair in pairs(prompts, one, other, orders="both", seed=0)]
        found = [*zip(both[::2], both[1::2], strict=True)]
    return {
        (tuple(r.model for r in ways[0]), ways[0][0].prompt_id, ways[0][0].sample): ways
        for ways in found
    }


def _dealt(
    comparisons: Sequence[list[Place]], annotators: int, lots: Lots, seed: int
) -> list[list[Place]]:
    """The places of each annotator; every comparison has an equal part in what is drawn."""
    shuffled = [_shuffled(places, seed, "annotation items") for places in comparisons]
    places = [place for row in zip_longest(*shuffled) for place in row if place is not None]
    wanted = len(places) if lots.items is None else lots.items
    if wanted > len(places):
        raise InputError(f"{wanted} items are wanted; there are {len(places)}")
    shared = wanted if lots.shared is None else min(lots.shared, wanted)
    common, rest = places[:shared], places[shared:wanted]
    if not common and len(rest) < annotators:
        raise InputError(f"{len(rest)} items are too few for {annotators} annotators")
    return [common + rest[number::annotators] for number in range(annotators)]


def _shuffled(places: Sequence[Place], seed: int, purpose: str, *names: str) -> list[Place]:
    """By lot on each place alone, so that a further item moves no other."""
    return sorted(places, key=lambda place: seed_for(seed, purpose, *names, *_named(place)))


def _named(place: Place) -> tuple[str | int, ...]:
    models, prompt_id, sample = place
    return (*models, prompt_id, sample)


def _laid(question: str, responses: Shown, *, dialogues: bool) -> tuple[Item, KeyItem]:
    """An item, and whose answers it shows."""
    item = item_of(question, tuple(response.text for response in responses))
    turns = [turn_responses(response) if dialogues else [] for response in responses]
    for response, found in zip(responses, turns, strict=True):
        if dialogues and response.text and not found:
            raise InputError(
                f"'{response.model}', {response.prompt_id}: is no whole dialogue",
                fix="`limaflow dialogue whole` makes files of them",
            )
    return item, KeyItem(
        hash=item.hash,
        prompt_id=responses[0].prompt_id,
        sample=responses[0].sample,
        models=tuple(response.model for response in responses),
        response_ids=tuple(response.id for response in responses),
        turn_ids=tuple(tuple(turn.id for turn in found) for found in turns) if dialogues else (),
    )


def _listed(models: Sequence[tuple[str, ...]]) -> str:
    return ", ".join("-vs-".join(of) for of in models)
