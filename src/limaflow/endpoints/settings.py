"""Endpoints and their budget in the configuration: who is asked, at what price, up to what sum."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from limaflow.settings import Address, Name, Settings

REPLY_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""Names under which endpoints take the limit of a reply."""
REPLY_COUNTS = ("n", "best_of")
"""Names under which they take how many replies are made to one request."""
FORBIDDEN = ("model", "messages", "input", "stream")
"""What `extra_body` may not replace: another model would be asked than the records name, another
text, or one that comes in pieces."""
SECRET = re.compile(r"authorization|cookie|key|token|secret|password", re.IGNORECASE)
Header = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
HeaderText = Annotated[str, Field(pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$")]


class Endpoint(Settings):
    """A model that is reached through the OpenAI protocol, and what its tokens cost.

    `extra_body` goes into every request, over what we send; a null takes a parameter out.
    `headers` go with it too; those of `headers_env` hold what an environment variable does.
    """

    model: str
    base_url: Address | None = None
    api: Literal["chat", "responses"] = "chat"
    key_env: str = "OPENAI_API_KEY"
    headers: dict[Header, HeaderText] = {}
    headers_env: dict[Header, str] = {}
    extra_body: dict[str, Any] = {}
    concurrency: int = Field(default=8, ge=1)
    price_per_million_prompt_tokens: float = Field(default=0.0, ge=0)
    price_per_million_completion_tokens: float = Field(default=0.0, ge=0)

    @field_validator("headers")
    @classmethod
    def _no_secrets(cls, headers: dict[str, str]) -> dict[str, str]:
        if secret := [name for name in headers if SECRET.search(name)]:
            raise ValueError(
                f"'{secret[0]}' looks like a secret, which stands in no file and on no command "
                "line; name the environment variable that holds it in headers_env"
            )
        return headers

    @field_validator("extra_body")
    @classmethod
    def _of_known_size(cls, body: dict[str, Any]) -> dict[str, Any]:
        """Bounds of cost are computed from these."""
        for name in body.keys() & {*REPLY_LIMITS, *REPLY_COUNTS}:
            value = body[name]
            if value is not None and (type(value) is not int or value < 1):
                raise ValueError(f"{name} must be a whole number from 1, or null")
        if replaced := sorted(body.keys() & set(FORBIDDEN)):
            raise ValueError(f"{replaced[0]} cannot be replaced by extra_body")
        return body


class Judge(Endpoint):
    """An LLM that annotates.

    `launcher` is a command put before the judge's own, which serves the endpoint while it runs.
    `structured` asks for a JSON object whose last field is one of the instrument's words.
    """

    name: Name
    launcher: list[str] = []
    batch: bool = False
    structured: bool = False
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
