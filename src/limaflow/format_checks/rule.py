"""What a rule of form is: a check of one response, and the arguments that it takes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from limaflow.settings import Settings

Relation = Literal["less than", "at least", "exactly", "at most"]


class NotCheckable(Exception):
    """A response cannot be checked by a rule here; the message says why."""


class Nothing(Settings):
    """A rule without arguments."""


Given = TypeVar("Given", bound=Settings)


@dataclass(frozen=True, kw_only=True)
class Rule(Generic[Given]):
    """One form that can be checked; a new one is a function and a line in a table."""

    check: Callable[[str, Any], bool]
    """Whether a response that is not blank has the form; may raise NotCheckable."""
    arguments: type[Given]
    asks: str
    """What a response must be, in words."""


def holds(found: int, relation: Relation, wanted: int) -> bool:
    """Whether a count is as a relation wants it."""
    return {
        "less than": found < wanted,
        "at least": found >= wanted,
        "exactly": found == wanted,
        "at most": found <= wanted,
    }[relation]
