"""Names of annotators and reviewers, as they stand in records and file names."""

import re

from limaflow.errors import InputError


def person(name: str, role: str) -> str:
    """`name`, fit to stand in a file's name.

    Raises:
        InputError: it holds anything but letters, digits and a few signs.
    """
    if not re.fullmatch(r"\w[\w.@+-]{0,63}", name):
        raise InputError(
            f"'{name}' is no {role}'s name", fix="letters, digits and . @ + - _, no space"
        )
    return name
