"""A system turn, lm-eval's place for a task's description, where a chat template has none."""

from collections.abc import Sequence
from typing import Any

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
