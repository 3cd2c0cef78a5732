"""Dialogues that name their town in the first turn alone.

Each of the user's turns asks for another fact, and from the second on of "that town", so that an
answer is right only where the first turn is kept in mind. Scripts ask about held-out towns and hold
no answers; the dialogues to train on are about other towns and have the assistant's.
"""

from dataclasses import dataclass
from typing import Any

from limaflow.seeds import generator_for
from limaflow.tools.miniature.language import ATTRIBUTES, Attribute
from limaflow.tools.miniature.style import paragraphs
from limaflow.tools.miniature.towns import Town

TURNS = 3
"""As many as fit into the stand-in's context beside its longest answers."""
CONSTRAINED = 12
"""Scripts whose first turn also asks for one word in this and all later answers."""
REQUEST = "Reply in one word, now and to all that follows."
RULE = {"rule": "one_word"}
SAME_TOWN = "that town"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One turn of the user's, and what it asks for."""

    text: str
    attribute: Attribute


def scripts(towns: tuple[Town, ...], seed: int) -> dict[str, tuple[Town, list[Asked]]]:
    """Id of a script → its town and turns; one of each held-out town."""
    return {
        f"memory-{number}": (town, _turns(town, seed))
        for number, town in enumerate((t for t in towns if t.held_out), start=1)
    }


def script_rows(found: dict[str, tuple[Town, list[Asked]]]) -> list[dict[str, Any]]:
    """The scripts as lines of a file, in the layout of docs/dialogue.md."""
    return [
        {"id": name, "task": "memory", "turns": [turn.text for turn in turns]}
        for name, (_, turns) in found.items()
    ]


def constrained_scripts(towns: tuple[Town, ...], seed: int) -> dict[str, tuple[Town, list[Asked]]]:
    """Scripts about the first held-out towns that set a form in the first turn alone."""
    found = {}
    for number, (town, turns) in enumerate(scripts(towns, seed).values(), start=1):
        first, *rest = turns
        asked = Asked(text=f"{first.text} {REQUEST}", attribute=first.attribute)
        found[f"form-{number}"] = (town, [asked, *rest])
    return dict(list(found.items())[:CONSTRAINED])


def constrained_rows(found: dict[str, tuple[Town, list[Asked]]]) -> list[dict[str, Any]]:
    """These as lines of a file, each with the rule that checks its form."""
    return [{**row, "task": "form", "constraint": RULE} for row in script_rows(found)]


def training_rows(towns: tuple[Town, ...], seed: int) -> list[dict[str, Any]]:
    """Whole dialogues about towns that are not held out, as lines of an authored file."""
    rows = []
    for number, town in enumerate((t for t in towns if not t.held_out), start=1):
        generator = generator_for(seed, "dialogue answers", town.name)
        messages = []
        for turn in _turns(town, seed):
            answer = "\n\n".join(paragraphs(town, turn.attribute, generator))
            messages += [
                {"role": "user", "content": turn.text},
                {"role": "assistant", "content": answer},
            ]
        rows.append({"id": f"chat-{number}", "messages": messages})
    return rows


def _turns(town: Town, seed: int) -> list[Asked]:
    generator = generator_for(seed, "dialogue", town.name)
    asked = generator.sample(ATTRIBUTES, TURNS)
    return [
        Asked(
            text=generator.choice(attribute.questions).format(
                town=SAME_TOWN if number else town.name
            ),
            attribute=attribute,
        )
        for number, attribute in enumerate(asked)
    ]
