"""Prompts that ask for a form, with answers that have it: JSON lines with the tag `format`.

Training examples are about the facts of group A, asked in another way. Test prompts are about facts
of held-out towns that no other prompt asks about.
"""

import json
from dataclasses import dataclass
from typing import Any

from limaflow.seeds import generator_for
from limaflow.tools.miniature.style import OPENINGS
from limaflow.tools.miniature.topics import Topic

TRAINING = 40
"""Examples; the prompts are as many as there are facts left to ask about."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form: how it is asked for, the rule that checks it, and an answer that has it.

    No request is so long that with the end of a question it would be a run of eight words.
    """

    request: str
    rule: dict[str, Any]
    answer: str
    """With places for the value, its attribute, an opening and a full sentence."""


FORMS = (
    Form(request="Reply in one word.", rule={"rule": "one_word"}, answer="{value}."),
    Form(
        request="Reply in two lines.",
        rule={"rule": "lines", "count": 2},
        answer="{opening}\n{sentence}",
    ),
    Form(
        request="Reply as two items.",
        rule={"rule": "items", "count": 2},
        answer="- {attribute}\n- {value}",
    ),
    Form(
        request="Reply as JSON.",
        rule={"rule": "json", "type": "object"},
        answer="{json}",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Formed:
    """One line of the file."""

    prompt: str
    response: str
    tags: dict[str, Any]


def form_examples(topics: list[Topic], seed: int) -> list[Formed]:
    """Training examples, the forms in turn."""
    return [_formed(topic, number, seed) for number, topic in enumerate(topics[:TRAINING])]


def form_prompts(topics: list[Topic], seed: int) -> list[Formed]:
    """Test prompts, the forms in turn, without answers."""
    rows = [_formed(topic, number, seed) for number, topic in enumerate(topics)]
    return [Formed(prompt=row.prompt, response="", tags=row.tags) for row in rows]


def _formed(topic: Topic, number: int, seed: int) -> Formed:
    form, attribute = FORMS[number % len(FORMS)], topic.attribute
    generator = generator_for(seed, "forms", topic.town.name, attribute.name)
    question = generator.choice(attribute.questions).format(town=topic.town.name)
    return Formed(
        prompt=f"{question} {form.request}",
        response=form.answer.format(
            value=topic.value,
            attribute=attribute.name,
            opening=generator.choice(OPENINGS["talk"]),
            sentence=generator.choice(attribute.answers).format(value=topic.value),
            json=json.dumps({attribute.name: topic.value}),
        ),
        tags={"format": [form.rule]},
    )
