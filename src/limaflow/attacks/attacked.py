"""Prompts of goals: each of them plain and in attacks, as examples with tags."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from limaflow.attacks.wrapping import PLAIN, WRAPPINGS, complying, known_attack, prefill_of
from limaflow.errors import InputError
from limaflow.prompt_tags import Sensitive, Tags
from limaflow.records import Example, Message, example_id
from limaflow.tags import is_harmless


def attacked(
    goals: Iterable[Example], attacks: Sequence[str]
) -> tuple[list[Example], Counter[str]]:
    """The prompts of all goals by all attacks, and how often an attack had none for a goal.

    A prompt keeps source, stratum, category and id of its goal (`provenance.ids`), and has the goal
    itself in `tags.sensitive.goal`; the side of a contrast stays with the plain prompt alone. The
    plain prompt keeps its id. A harmless request has its plain prompt alone: there is nothing that
    an attack could get from it.

    Raises:
        InputError: an attack stands twice or is not known, or a goal is an attack already or has
            more turns than one.
    """
    _check(attacks)
    found, without = [], Counter[str]()
    for goal in goals:
        text = _goal_text(goal)
        for attack in [PLAIN] if is_harmless(goal.tags) else attacks:
            if (prompt := _by(attack, goal, text)) is None:
                without[attack] += 1
            else:
                found.append(prompt)
    return found, without


def _check(attacks: Sequence[str]) -> None:
    if twice := [name for name, count in Counter(attacks).items() if count > 1]:
        raise InputError(f"the attack '{twice[0]}' stands twice")
    for name in attacks:
        try:
            known_attack(name)
        except ValueError as error:
            raise InputError(str(error)) from None


def _goal_text(goal: Example) -> str:
    tags = goal.tags or Tags()
    if tags.attack or tags.prefill:
        raise InputError(
            f"prompt {goal.id} is an attack already ({tags.attack or 'prefill'})",
            fix="wrap plain goals",
        )
    if len(goal.messages) != 1 or tags.turns:
        raise InputError(f"prompt {goal.id} has several turns, and a goal is one request")
    return goal.prompt


def _by(attack: str, goal: Example, text: str) -> Example | None:
    """The goal's prompt by one attack; None where its target has too few words."""
    tags = goal.tags or Tags()
    said = tags.sensitive or Sensitive(intent="malicious")
    given = prefill_of(attack, said.target)
    if given is None:
        return None
    sensitive = replace(said, goal=said.goal or text)
    if attack == PLAIN:
        return replace(goal, tags=replace(tags, sensitive=sensitive))
    wrap = WRAPPINGS.get(attack, WRAPPINGS[PLAIN])
    messages = (Message(role="user", content=wrap(text, complying(said.target))),)
    wrapped = replace(tags, sensitive=sensitive, contrast=None, attack=attack, prefill=given)
    return replace(goal, id=example_id(messages, wrapped), messages=messages, tags=wrapped)
