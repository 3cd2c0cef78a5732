"""`SHA256SUMS`, in the words of sha256sum, and what differs from it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Literal

from limaflow.errors import InputError

SUMS = "SHA256SUMS"
LINE = re.compile(r"([0-9a-f]{64})  (.+)")


@dataclass(frozen=True, order=True)
class Difference:
    """A file that is not what the list of sums says."""

    name: str
    how: Literal["changed", "missing", "added"]


def rendered_sums(hashes: Mapping[str, str]) -> str:
    """The list, by name."""
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes))


def read_sums(text: bytes) -> dict[str, str]:
    """The hashes of a list, by name.

    Raises:
        InputError: it is not, to the byte, a list as `rendered_sums` writes it.
    """
    try:
        lines = text.decode().split("\n")[:-1]
    except UnicodeDecodeError:
        lines = []
    found = [LINE.fullmatch(line) for line in lines]
    hashes = {match[2]: match[1] for match in found if match}
    if not hashes or rendered_sums(hashes).encode() != text:
        raise InputError("no list of sums as a bundle has it: it was changed", path=SUMS)
    return hashes


def differences(expected: Mapping[str, str], found: Mapping[str, str]) -> list[Difference]:
    """Every file that was changed, is missing, or was added, by name."""
    changed = [
        Difference(name, "changed" if name in found else "missing")
        for name, sha256 in expected.items()
        if found.get(name) != sha256
    ]
    return sorted(changed + [Difference(name, "added") for name in found if name not in expected])


def sha256_of_stream(file: BinaryIO) -> str:
    """Hex SHA-256 of what is left of a file."""
    hasher = hashlib.sha256()
    while block := file.read(1 << 20):
        hasher.update(block)
    return hasher.hexdigest()
