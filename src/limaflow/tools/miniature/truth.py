"""What is true in the miniature world, and what was spoiled in it on purpose: world.json."""

from dataclasses import dataclass
from typing import Literal

LABEL = "miniature"


@dataclass(frozen=True, kw_only=True)
class PromptTopic:
    """What a dev or test prompt asks."""

    split: Literal["dev", "test"]
    town: str
    attribute: str


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The whole truth of one world."""

    label: str
    seed: int
    values: dict[str, tuple[str, ...]]
    """Attribute → all values that any town has of it."""
    facts: dict[str, dict[str, str]]
    """Town → attribute → value."""
    held_out: tuple[str, ...]
    prompts: dict[str, PromptTopic]
    planted: dict[str, dict[str, tuple[str, ...]]]
    """File → trap → ids of what curation must catch there; a benchmark task → `contaminated` → its
    items that stand in a file."""
