"""A whole conversation as one text, in which each turn is a block named after who speaks.

So an answer cannot end its own turn or begin another (`delimiters`): what looks like a turn inside
a block is more of that block's text.
"""

from collections.abc import Iterable
from typing import Literal, get_args

from limaflow.judging.delimiters import blocks_in, enclose
from limaflow.records import Message

Role = Literal["system", "user", "assistant"]
_ROLES: dict[str, Role] = {role: role for role in get_args(Role)}


def transcript(turns: Iterable[Message]) -> str:
    """The turns, in order."""
    return "\n\n".join(enclose(turn.role, turn.content) for turn in turns)


def turns_in(text: str) -> tuple[Message, ...]:
    """The turns of a transcript, as `transcript` was given them."""
    return tuple(
        Message(role=_ROLES[label], content=content)
        for label, content in blocks_in(text)
        if label in _ROLES
    )
