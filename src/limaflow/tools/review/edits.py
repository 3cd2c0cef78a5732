"""An edit as it comes from a form, made a whole conversation again."""

from collections.abc import Sequence

from limaflow.records import Example, Message
from limaflow.tools.local_pages.requests import Refused


def edited(example: Example, messages: Sequence[Message]) -> tuple[Message, ...]:
    """The conversation after an edit: the same turns with new contents.

    Raises:
        Refused: turns were added or lost, or one is empty.
    """
    changed = tuple(Message(role=m.role, content=_clean(m.content)) for m in messages)
    if [m.role for m in changed] != [m.role for m in example.messages]:
        raise Refused("an edit must leave the turns of the conversation as they are")
    if not all(m.content for m in changed):
        raise Refused("neither prompt nor response may be empty; reject the example instead")
    untouched = [_clean(m.content) for m in example.messages]
    return example.messages if [m.content for m in changed] == untouched else changed


def _clean(text: str) -> str:
    """As a form returns a text: plain line ends, nothing that UTF-8 cannot say."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.encode("utf-8", "replace").decode().strip()
