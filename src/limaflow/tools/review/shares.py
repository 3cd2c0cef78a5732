"""How the work is shared out between reviewers."""

import re
from dataclasses import dataclass

from limaflow.errors import InputError
from limaflow.seeds import seed_for


@dataclass(frozen=True, kw_only=True)
class Share:
    """The examples that one reviewer is given: one of equal parts, and an overlap all are given."""

    part: int = 1
    parts: int = 1
    overlap: float = 0.0

    def holds(self, id: str) -> bool:
        """Drawn by the id alone: reviewers need to agree on these numbers only."""
        drawn = seed_for(0, "share of review", id) / 2**63
        if drawn < self.overlap:
            return True
        return int((drawn - self.overlap) / (1 - self.overlap) * self.parts) == self.part - 1


def share_of(part: str, overlap: float) -> Share:
    """A share from the command line, such as `1/2`.

    Raises:
        InputError: not a part of a whole.
    """
    found = re.fullmatch(r"(\d{1,3})/(\d{1,3})", part)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(f"--part must be like 1/2, got {part}")
    return Share(part=int(found[1]), parts=int(found[2]), overlap=overlap)
