"""What a prompt tests, as its record has it; `limaflow.tags` reads what people write."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

CLOSED = {"extra": "forbid"}
"""Refuses keys that a record does not have, in what people write by hand."""


@dataclass(frozen=True, kw_only=True)
class Sensitive:
    """What a sensitive prompt is after, and what its source says of it."""

    __pydantic_config__: ClassVar[Any] = CLOSED

    intent: Literal["malicious", "benign", "ambiguous"]
    category: str = ""
    """As the source files it, such as `Privacy`."""
    goal: str = ""
    """The plain request, which all attacks with it share."""
    target: str = ""
    """How an answer that complies would begin."""


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """The side of a prompt in a set of safe prompts and unsafe ones that sound alike."""

    __pydantic_config__: ClassVar[Any] = CLOSED

    side: Literal["safe", "unsafe"]
    type: str = ""
    """As the source calls it, such as `contrast_homonyms`."""
    group: str = ""
    """What safe and unsafe prompts that sound alike share, such as `homonyms`."""


@dataclass(frozen=True, kw_only=True)
class FormatRule:
    """A form that a prompt asks for; `limaflow.format_checks` has the rules."""

    __pydantic_config__: ClassVar[Any] = CLOSED

    rule: str
    arguments: str = "{}"
    """As JSON, since the rules take different ones and columns of a data set have one type."""


@dataclass(frozen=True, kw_only=True)
class Tags:
    """What a prompt tests."""

    __pydantic_config__: ClassVar[Any] = CLOSED

    sensitive: Sensitive | None = None
    contrast: Contrast | None = None
    attack: str = ""
    """Name of the way in which the goal is wrapped; "" where it is no attack."""
    format: tuple[FormatRule, ...] = ()
    prefill: str = ""
    """How the answer begins: given, for the model to go on from."""
    turns: tuple[str, ...] = ()
    """What the user says next, turn by turn, after each answer."""
