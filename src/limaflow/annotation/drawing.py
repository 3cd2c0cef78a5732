"""Who judges what: items drawn for each annotator, the order of the two answers drawn per item.

Everything follows from the seed, the annotators' names and the responses. Whoever knows the seed
can tell the orders, so a round whose annotators may look should take a seed of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from limaflow.annotation.key import Key, KeyItem, KeyPacket
from limaflow.annotation.packet import Packet, item_of, packet_of
from limaflow.errors import InputError
from limaflow.judging.instrument import Instrument, question_of
from limaflow.judging.pairwise import Pair, pairs
from limaflow.people import person
from limaflow.records import Example, Response
from limaflow.seeds import generator_for, seed_for

Place = tuple[str, str, str, int]
"""Models in the comparison's order, prompt id, sample: one pair, whatever its order."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two models' responses to the same prompts."""

    first: Sequence[Response]
    second: Sequence[Response]


@dataclass(frozen=True, kw_only=True)
class Lots:
    """How many pairs are judged; None: all there are, and all by everyone."""

    items: int | None = None
    """Pairs in all."""
    shared: int | None = None
    """Pairs that every annotator judges; the rest is dealt out, each pair to one."""


def drawn(
    prompts: Sequence[Example],
    comparisons: Sequence[Comparison],
    annotators: Sequence[str],
    instrument: Instrument,
    *,
    lots: Lots,
    seed: int,
) -> tuple[list[Packet], Key]:
    """One packet for each annotator, and the key to all.

    Raises:
        InputError: as `judging.pairwise.pairs`; two comparisons are of the same models, two
            annotators bear one name, more items are wanted than there are, or too few for each
            annotator to have one.
    """
    both = [_both_orders(prompts, comparison) for comparison in comparisons]
    models = tuple((c.first[0].model, c.second[0].model) for c in comparisons)
    if len({frozenset(pair) for pair in models}) < len(models):
        raise InputError(f"a comparison stands twice among {_listed(models)}")
    if len({person(name, "annotator").casefold() for name in annotators}) < len(annotators):
        raise InputError(f"an annotator stands twice among {', '.join(annotators)}")
    orders = {place: pair for found in both for place, pair in found.items()}
    packets, keys = [], []
    for annotator, places in zip(
        annotators,
        _dealt([list(found) for found in both], len(annotators), lots, seed),
        strict=True,
    ):
        shown = [
            generator_for(seed, "annotation order", annotator, *place).choice(orders[place])
            for place in _shuffled(places, seed, "annotation places", annotator)
        ]
        packet = packet_of(
            annotator,
            instrument.guidance,
            instrument.hash,
            tuple(
                item_of(question_of(pair.prompt), pair.first.text, pair.second.text)
                for pair in shown
            ),
        )
        items = tuple(
            _key_item(item.hash, pair) for item, pair in zip(packet.items, shown, strict=True)
        )
        packets.append(packet)
        keys.append(KeyPacket(annotator=annotator, hash=packet.hash, items=items))
    key = Key(seed=seed, template=instrument.hash, comparisons=models, packets=tuple(keys))
    return packets, key


def only(shown: Sequence[Pair], key: Key, instrument: Instrument) -> list[Pair]:
    """The pairs that a round's packets show, in whatever order, so that a model judges the same.

    Raises:
        InputError: people were asked by another template, or saw other responses, or none of these.
    """
    if instrument.hash != key.template:
        raise InputError("the key's packets quote another template", fix="give both the same")
    models = {frozenset((pair.first.model, pair.second.model)) for pair in shown}
    wanted = {
        frozenset((item.first_response_id, item.second_response_id))
        for item in key.items()
        if frozenset((item.first, item.second)) in models
    }
    found = [pair for pair in shown if frozenset((pair.first.id, pair.second.id)) in wanted]
    if not wanted or wanted - {frozenset((pair.first.id, pair.second.id)) for pair in found}:
        raise InputError("the key's packets show other responses", fix="judge those of the packets")
    return found


def _both_orders(
    prompts: Sequence[Example], comparison: Comparison
) -> dict[Place, tuple[Pair, Pair]]:
    shown = pairs(prompts, comparison.first, comparison.second, orders="both", seed=0)
    return {
        (straight.first.model, straight.second.model, straight.prompt.id, straight.first.sample): (
            straight,
            swapped,
        )
        for straight, swapped in zip(shown[::2], shown[1::2], strict=True)
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
    return sorted(places, key=lambda place: seed_for(seed, purpose, *names, *place))


def _key_item(hash: str, pair: Pair) -> KeyItem:
    return KeyItem(
        hash=hash,
        prompt_id=pair.prompt.id,
        sample=pair.first.sample,
        first=pair.first.model,
        second=pair.second.model,
        first_response_id=pair.first.id,
        second_response_id=pair.second.id,
    )


def _listed(models: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{first}-vs-{second}" for first, second in models)
