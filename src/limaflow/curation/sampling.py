"""Draws from a pool, source by source: strata first, then examples within a stratum.

How a kind of source is drawn stands with the kind (`limaflow.sources.kinds`). After LIMA §2.1-2.2;
p ∝ n^(1/τ) is the usual reading of "temperature", the paper gives no formula.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal

from pydantic import NonNegativeInt

from limaflow.errors import InputError
from limaflow.records import Drop, Example
from limaflow.seeds import generator_for, seed_for
from limaflow.sources.kinds import policy_of

Wanted = NonNegativeInt | Literal["all"]
"""How many examples of a source; "all" is as many as it has."""
Choose = Literal["lot", "longest", "shortest"]
"""How a source is drawn: stratum by stratum, by lot or score; or by the length of the response."""


def sampled(
    pool: Iterable[Example],
    wanted: Mapping[str, Wanted],
    temperature: float,
    reserve_share: float,
    seed: int,
    *,
    choose: Choose = "lot",
) -> tuple[list[Example], list[Example]]:
    """The sample and its reserve, each sorted by id.

    A sample of n examples is part of every larger sample from the same pool. The reserve holds the
    next examples of each stratum, `reserve_share` of the number drawn there, rounded up; where the
    length decides, the next of the whole source.

    Raises:
        InputError: a source has fewer examples than wanted.
    """
    by_source = of_sources(pool, wanted)
    chosen, reserve = [], []
    for source, asked in sorted(wanted.items()):
        number = len(by_source[source]) if asked == "all" else asked
        if choose != "lot":
            ordered = by_length(by_source[source], choose)
            chosen += ordered[:number]
            reserve += ordered[number : number + math.ceil(number * reserve_share)]
            continue
        drawn = draw(
            by_source[source], number, temperature=temperature, seed=seed, purpose="sample"
        )
        chosen += drawn
        taken = {example.id for example in drawn}
        spare = _strata([e for e in by_source[source] if e.id not in taken], seed)
        for stratum, count in _counts(drawn).items():
            reserve += spare.get(stratum, [])[: math.ceil(count * reserve_share)]
    return _by_id(chosen), _by_id(reserve)


def by_length(examples: Iterable[Example], choose: Choose) -> list[Example]:
    """Examples by the characters of their last response, equal ones by id.

    The longest first is the selection of Zhao et al. 2024 (arXiv 2402.04833), whose unit of length
    the record of the paper does not give.
    """
    sign = -1 if choose == "longest" else 1
    return sorted(examples, key=lambda e: (sign * len(e.response), e.id))


def undrawn(
    pool: Iterable[Example],
    wanted: Collection[str],
    sample: Iterable[Example],
    reserve: Iterable[Example],
) -> Iterator[Drop]:
    """The rest of the wanted sources, by the pool's order: in reserve, or not drawn at all."""
    chosen = {example.id for example in sample}
    spare = {example.id for example in reserve}
    for example in pool:
        if example.source in wanted and example.id not in chosen:
            yield Drop(
                id=example.id,
                source=example.source,
                step="sample",
                rule="in_reserve" if example.id in spare else "not_drawn",
                detail=example.stratum,
            )


def of_sources(pool: Iterable[Example], wanted: Mapping[str, Wanted]) -> dict[str, list[Example]]:
    """The examples of each wanted source.

    Raises:
        InputError: a source has fewer examples than wanted.
    """
    found: dict[str, list[Example]] = {source: [] for source in wanted}
    for example in pool:
        if example.source in found:
            found[example.source].append(example)
    for source, number in sorted(wanted.items()):
        if number == "all" and not found[source]:
            raise InputError(f"source '{source}': all examples wanted, none available")
        if number != "all" and len(found[source]) < number:
            raise InputError(
                f"source '{source}': {number} examples wanted, {len(found[source])} available",
                fix="want fewer, or loosen curation.filters; the funnel shows where they went",
            )
    return found


def draw(
    examples: list[Example],
    number: int,
    *,
    temperature: float,
    seed: int,
    purpose: str,
    best_first: bool | None = None,
) -> list[Example]:
    """`number` examples of one source without replacement, in the order drawn."""
    if not number:
        return []
    strata = _strata(examples, seed, best_first)
    generator = generator_for(seed, purpose, examples[0].source)
    spread = policy_of(examples[0].kind).strata
    if spread == "in rounds":
        names = sorted(strata)
        generator.shuffle(names)
        rounds = range(max(map(len, strata.values())))
        return [strata[n][turn] for turn in rounds for n in names if turn < len(strata[n])][:number]
    flatness = math.inf if spread == "even" else temperature
    left = {name: iter(members) for name, members in strata.items()}
    weights = _weights({name: len(strata[name]) for name in left}, flatness)
    drawn: list[Example] = []
    while len(drawn) < number:
        name = generator.choices(list(weights), list(weights.values()))[0]
        example = next(left[name], None)
        if example is None:
            del left[name]
            weights = _weights({name: len(strata[name]) for name in left}, flatness)
        else:
            drawn.append(example)
    return drawn


def _weights(sizes: Mapping[str, int], temperature: float) -> dict[str, float]:
    """n^(1/τ) of each stratum, as a part of the largest one's, which a small τ cannot overflow."""
    largest = max(sizes.values(), default=1)
    return {name: (size / largest) ** (1 / temperature) for name, size in sizes.items()}


def place_in_stratum(
    example: Example, seed: int, best_first: bool | None = None
) -> tuple[float, int, str]:
    """Sort key within a stratum: by prompt score or by lot; None takes what the kind declares."""
    if policy_of(example.kind).best_first if best_first is None else best_first:
        score = example.provenance.prompt_score
        return (math.inf if score is None else -score), 0, example.id
    return 0.0, seed_for(seed, "place in stratum", example.id), example.id


def _strata(
    examples: Iterable[Example], seed: int, best_first: bool | None = None
) -> dict[str, list[Example]]:
    """The examples of each stratum in the order in which they are taken, strata by name."""
    strata: dict[str, list[Example]] = defaultdict(list)
    for example in sorted(examples, key=lambda e: place_in_stratum(e, seed, best_first)):
        strata[example.stratum].append(example)
    return dict(sorted(strata.items()))


def _counts(examples: Iterable[Example]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for example in examples:
        counts[example.stratum] += 1
    return dict(sorted(counts.items()))


def _by_id(examples: list[Example]) -> list[Example]:
    return sorted(examples, key=lambda example: example.id)
