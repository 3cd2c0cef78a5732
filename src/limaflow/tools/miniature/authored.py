"""Prompts and answers of the two groups of authors: JSON lines with the keys of plain authorship.

Group A writes training examples and, about held-out towns, the dev prompts; group B writes the
test prompts, in ways of its own, and no answers.
"""

from dataclasses import dataclass

from limaflow.seeds import generator_for
from limaflow.tools.miniature.style import paragraphs
from limaflow.tools.miniature.topics import Topic

_GROUP_A = (
    "{question}",
    "{question} A short reply is enough.",
    "Hello! {question}",
    "A question: {question}",
    "{question} Please reply for a visitor.",
)
_GROUP_B = (
    "{question}",
    "{question} Please be brief.",
    "Good day! {question}",
    "Please explain: {question}",
)


@dataclass(frozen=True, kw_only=True)
class Authored:
    """One line of an authored file."""

    author: str
    prompt: str
    response: str


def group_a(topics: list[Topic], seed: int) -> list[Authored]:
    """Prompts with answers in the one tone of the group."""
    rows = []
    for topic in topics:
        generator = generator_for(seed, "group A", topic.town.name, topic.attribute.name)
        question = generator.choice(topic.attribute.questions).format(town=topic.town.name)
        rows.append(
            Authored(
                author=f"A{generator.randint(1, 4)}",
                prompt=generator.choice(_GROUP_A).format(question=question),
                response="\n\n".join(paragraphs(topic.town, topic.attribute, generator)),
            )
        )
    return rows


def group_b(topics: list[Topic], seed: int) -> list[Authored]:
    """Prompts alone."""
    rows = []
    for topic in topics:
        generator = generator_for(seed, "group B", topic.town.name, topic.attribute.name)
        question = generator.choice(topic.attribute.questions).format(town=topic.town.name)
        prompt = generator.choice(_GROUP_B).format(question=question)
        rows.append(Authored(author=f"B{generator.randint(1, 4)}", prompt=prompt, response=""))
    return rows
