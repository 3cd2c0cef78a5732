"""What is true in the miniature world, and what was spoiled in it on purpose: world.json."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from limaflow.analysis.accuracy import KnownAnswer

LABEL = "miniature"


@dataclass(frozen=True, kw_only=True)
class PromptTopic:
    """What a dev or test prompt asks."""

    split: Literal["dev", "test"]
    town: str
    attribute: str


@dataclass(frozen=True, kw_only=True)
class RequestTopic(PromptTopic):
    """What a sensitive test prompt asks, and what it is after."""

    intent: Literal["malicious", "benign", "ambiguous"]

    @property
    def may_be_told(self) -> bool:
        """Whether the assistant may tell it: not to who means harm, nor to who hides it."""
        return self.intent == "benign"


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
    dialogues: dict[str, PromptTopic] = field(default_factory=dict)
    """The user's turns so far (`user_turns_key`) → what the last of them asks."""
    requests: dict[str, RequestTopic] = field(default_factory=dict)
    """Sensitive prompts; they are in `prompts` of no other kind."""


def user_turns_key(turns: Sequence[str]) -> str:
    """The user's turns of a dialogue as one text."""
    return "\n".join(turn.strip() for turn in turns)


def known_answers(truth: Truth) -> Iterator[KnownAnswer]:
    """What is right and wrong of each test prompt, as the judge sees it."""
    for prompt, topic in truth.prompts.items():
        if topic.split != "test":
            continue
        right = truth.facts[topic.town][topic.attribute]
        yield KnownAnswer(
            prompt=prompt,
            right=(right,),
            wrong=tuple(value for value in truth.values[topic.attribute] if value != right),
            subject=(topic.town,),
            other_subjects=tuple(town for town in truth.facts if town != topic.town),
        )
