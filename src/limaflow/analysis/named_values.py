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


def texts(flag: str, words: Sequence[str]) -> dict[str, str]:
    """Name → its text; of several the last. Raises as `grouped`."""
    return {name: values[-1] for name, values in grouped(flag, words).items()}


def numbers(flag: str, words: Sequence[str]) -> dict[str, int]:
    """Name → its whole number.

    Raises:
        InputError: as `grouped`; a value is no whole number, or a name has several.
    """
    found = {}
    for name, values in grouped(flag, words).items():
        if len(values) != 1 or not values[0].isdecimal():
            raise InputError(f"{flag} {name}={','.join(values)}: not one whole number")
        found[name] = int(values[0])
    return found
