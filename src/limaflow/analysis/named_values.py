"""NAME=VALUE words of a command line."""

from collections.abc import Sequence

from limaflow.errors import InputError


def grouped(flag: str, words: Sequence[str]) -> dict[str, list[str]]:
    """Name → its values, in order.

    Raises:
        InputError: a word is not NAME=VALUE.
    """
    found: dict[str, list[str]] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise InputError(f"{flag} {word}: not of the form NAME=VALUE")
        found.setdefault(name, []).append(value)
    return found
