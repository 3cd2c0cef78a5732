"""Endpoints and their budget in the configuration: who is asked, at what price, up to what sum."""

from typing import Any

from pydantic import Field

from limaflow.settings import Address, Name, Settings


class Endpoint(Settings):
    """A model that is reached through the OpenAI protocol, and what its tokens cost.

    `extra_body` goes into every request, over what we send; a null takes a parameter out.
    """

    model: str
    base_url: Address | None = None
    key_env: str = "OPENAI_API_KEY"
    extra_body: dict[str, Any] = {}
    concurrency: int = Field(default=8, ge=1)
    price_per_million_prompt_tokens: float = Field(default=0.0, ge=0)
    price_per_million_completion_tokens: float = Field(default=0.0, ge=0)


class Judge(Endpoint):
    """An LLM that annotates.

    `launcher` is a command put before the judge's own, which serves the endpoint while it runs.
    """

    name: Name
    launcher: list[str] = []
    batch: bool = False
    temperature: float = Field(default=0.0, ge=0)
    max_tokens: int = Field(default=1024, ge=1)
    attempts: int = Field(default=3, ge=1)
    timeout_seconds: float = Field(default=120.0, gt=0)
    tokenizer: str | None = None


class Budget(Settings):
    """What all judging jobs of a run may use up together; None is without bound."""

    cost: float | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)

    @property
    def unbounded(self) -> bool:
        return self.cost is None and self.tokens is None
