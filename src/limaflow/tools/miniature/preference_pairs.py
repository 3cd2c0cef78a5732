"""Pairs of a better and a worse answer about the towns that training may ask about.

The better one is right and in the assistant's style; the worse one is in style and wrong, or right
and bare.
"""

from dataclasses import dataclass

from limaflow.seeds import generator_for
from limaflow.tools.miniature.language import ATTRIBUTES
from limaflow.tools.miniature.style import paragraphs
from limaflow.tools.miniature.towns import Town


@dataclass(frozen=True, kw_only=True)
class PreferencePair:
    """One line of preferences.jsonl, in TRL's keys."""

    prompt: str
    chosen: str
    rejected: str


def preference_pairs(towns: tuple[Town, ...], seed: int) -> list[PreferencePair]:
    """One pair for each fact of each town that is not held out."""
    pairs = []
    for town in (town for town in towns if not town.held_out):
        for attribute in ATTRIBUTES:
            generator = generator_for(seed, "preference", town.name, attribute.name)
            right = paragraphs(town, attribute, generator)
            value = town.facts[attribute.name]
            other = generator.choice([v for v in attribute.values if v != value])
            # The fact stands between opening and closing.
            wrong = [right[0], generator.choice(attribute.answers).format(value=other), right[2]]
            worse = generator.choice([wrong, [right[1]]])
            pairs.append(
                PreferencePair(
                    prompt=generator.choice(attribute.questions).format(town=town.name),
                    chosen="\n\n".join(right),
                    rejected="\n\n".join(worse),
                )
            )
    return pairs
