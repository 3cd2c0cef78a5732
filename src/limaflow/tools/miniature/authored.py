"""Prompts and answers of the two groups of authors: JSON lines with the keys of plain authorship.

Group A writes training examples and, about held-out towns, the dev prompts; group B writes the
test prompts, in ways of its own, and no answers.
"""

from dataclasses import dataclass

from limaflow.seeds import generator_for
from limaflow.tools.miniature.material import Matter
from limaflow.tools.miniature.style import paragraphs

_GROUP_A = (
    "{asked}",
    "{asked} A short reply is enough.",
    "Hello! {asked}",
    "A question: {asked}",
    "{asked} Please reply for a visitor.",
)
_GROUP_B = (
    "{asked}",
    "{asked} Please be brief.",
    "Good day! {asked}",
    "Please explain: {asked}",
)


@dataclass(frozen=True, kw_only=True)
class Authored:
    """One line of an authored file."""

    author: str
    prompt: str
    response: str


def group_a(matters: list[Matter], seed: int) -> list[Authored]:
    """Prompts with answers in the one tone of the group."""
    rows = []
    for matter in matters:
        generator = generator_for(seed, "group A", matter.town.name, matter.attribute.name)
        asked = generator.choice(matter.attribute.asked).format(town=matter.town.name)
        rows.append(
            Authored(
                author=f"A{generator.randint(1, 4)}",
                prompt=generator.choice(_GROUP_A).format(asked=asked),
                response="\n\n".join(paragraphs(matter.town, matter.attribute, generator)),
            )
        )
    return rows


def group_b(matters: list[Matter], seed: int) -> list[Authored]:
    """Prompts alone."""
    rows = []
    for matter in matters:
        generator = generator_for(seed, "group B", matter.town.name, matter.attribute.name)
        asked = generator.choice(matter.attribute.asked).format(town=matter.town.name)
        prompt = generator.choice(_GROUP_B).format(asked=asked)
        rows.append(Authored(author=f"B{generator.randint(1, 4)}", prompt=prompt, response=""))
    return rows
