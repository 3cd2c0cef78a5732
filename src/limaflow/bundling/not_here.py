"""`not_here.json`: files that are no members of a bundle, and members that have lost texts."""

import dataclasses
import json
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from limaflow.errors import InputError

NOT_HERE = "not_here.json"


@dataclass(frozen=True, kw_only=True)
class ByHash:
    """A file that is here by hash alone."""

    sha256: str
    because: str


@dataclass(frozen=True, kw_only=True)
class WithoutTexts:
    """A member some of whose texts are withheld."""

    sha256: str
    """Of the whole file."""
    rows: dict[str, int]
    """Rows without their texts, by reason."""


@dataclass(frozen=True, kw_only=True)
class NotHere:
    """What a bundle lacks, by the names of the files."""

    by_hash: dict[str, ByHash] = field(default_factory=dict)
    texts_withheld: dict[str, WithoutTexts] = field(default_factory=dict)

    def rendered(self) -> bytes:
        """The bytes of the file."""
        plain = dataclasses.asdict(self)
        return (json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def read_not_here(text: bytes) -> NotHere:
    """What the file of a bundle says.

    Raises:
        InputError: it says something else.
    """
    try:
        return TypeAdapter(NotHere).validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"{where}: {first['msg']}", path=NOT_HERE) from None
