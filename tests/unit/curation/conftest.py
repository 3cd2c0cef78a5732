"""Small examples for the curation tests."""

from collections.abc import Callable
from typing import Any

import pytest

from limaflow.records import Candidate, Example, Message, Provenance, example_id


@pytest.fixture
def candidate() -> Callable[..., Candidate]:
    """Builds a candidate that every rule of the paper is content with, but for changes."""

    def build(**changes: Any) -> Candidate:
        fields: dict[str, Any] = {
            "id": "se/beer/1",
            "source": "se",
            "shard": "beer",
            "kind": "stackexchange",
            "title": "How is beer made from barley?",
            "body": "<p>Tell me: how is beer made from barley, and by whom was it found first?</p>",
            "response": "<p>" + "Malt is mashed and boiled. " * 60 + "</p>",
            "markup": "html",
            "prompt_score": 12,
            "response_score": 20,
            "stratum": "beer",
        }
        return Candidate(**{**fields, **changes})

    return build


@pytest.fixture
def example() -> Callable[..., Example]:
    """Builds an example from a prompt, a response, and other fields by name."""

    def build(
        prompt: str,
        response: str = "",
        *,
        score: float | None = None,
        prompt_score: float | None = None,
        **changes: Any,
    ) -> Example:
        messages: tuple[Message, ...] = (Message(role="user", content=prompt),)
        messages += (Message(role="assistant", content=response),) if response else ()
        fields: dict[str, Any] = {
            "id": example_id(messages),
            "messages": messages,
            "source": "se",
            "split": "train",
            "kind": "stackexchange",
            "stratum": "beer",
            "provenance": Provenance(score=score, prompt_score=prompt_score),
        }
        return Example(**{**fields, **changes})

    return build
