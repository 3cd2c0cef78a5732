"""A system turn, lm-eval's place for a task's description: what stands before and behind it."""

from collections.abc import Sequence
from typing import Any

from limaflow.records import Message

Turns = Sequence[dict[str, str]]


def knows_system_turns(tokenizer: Any) -> bool:
    """Whether the chat template writes a system turn; some refuse one, others leave it out."""
    from jinja2 import TemplateError

    word = "7c1fsystem"
    turns = [{"role": "system", "content": word}, {"role": "user", "content": "?"}]
    try:
        return word in tokenizer.apply_chat_template(turns, tokenize=False)
    except TemplateError:
        return False


def in_first_turn(turns: Turns) -> list[dict[str, str]]:
    """The turns with the system's text at the head of the first user turn."""
    system = [turn["content"].rstrip("\n") for turn in turns if turn["role"] == "system"]
    rest = [dict(turn) for turn in turns if turn["role"] != "system"]
    if system and rest:
        rest[0]["content"] = "\n\n".join([*system, rest[0]["content"]])
    return rest


def with_shots(shots: Sequence[Message], turns: Turns) -> list[dict[str, str]]:
    """The turns with worked examples before them, behind a system turn."""
    head = sum(turn["role"] == "system" for turn in turns[:1])
    told = [{"role": shot.role, "content": shot.content} for shot in shots]
    return [*turns[:head], *told, *turns[head:]]
