"""Invented conversations as long as LIMA's (some 2,000 characters), with planted duplicates."""

import itertools
import random
from collections.abc import Iterator

from limaflow.records import Example, Message, Provenance, example_id

VOCABULARY = 30_000
COPIED = 0.02
"""Share of responses that repeat an earlier one word for word; as many again differ in 1 % of
their words."""


def conversations(count: int, seed: int = 0) -> Iterator[Example]:
    """`count` examples; words are drawn by Zipf's law, responses have 150 to 550 of them."""
    draw = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(draw.choices(letters, k=draw.randint(2, 8))) for _ in range(VOCABULARY)]
    weights = list(itertools.accumulate(1 / (rank + 5) for rank in range(VOCABULARY)))

    def text(length: int) -> list[str]:
        return draw.choices(words, cum_weights=weights, k=length)

    earlier: list[list[str]] = []
    for number in range(count):
        chance = draw.random()
        if not earlier or chance >= 2 * COPIED:
            said = text(draw.randint(150, 550))
            earlier = [*earlier[-999:], said]
        else:
            said = list(draw.choice(earlier))
            if chance >= COPIED:
                for place in draw.sample(range(len(said)), len(said) // 100):
                    said[place] = "changed"
        turns = (
            Message(role="user", content=f"{' '.join(text(15))}?"),
            Message(role="assistant", content=" ".join(said)),
        )
        yield Example(
            id=example_id(turns),
            messages=turns,
            source=f"source-{number % 5}",
            split="train",
            provenance=Provenance(score=draw.randint(0, 50)),
        )
