"""What an endpoint sent back, read strictly: the SDK builds its objects without checking them."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError, WrapValidator
from pydantic.functional_validators import ModelWrapValidatorHandler

NAME_LENGTH = 200
MOST_TOKENS = 10**9
"""No reply is as long; what says so is no count."""


class Usage(BaseModel):
    """How many tokens a call took, as the endpoint counted them."""

    prompt_tokens: int = Field(ge=0, le=MOST_TOKENS)
    completion_tokens: int = Field(ge=0, le=MOST_TOKENS)


class Message(BaseModel):
    """The reply; None where the endpoint withheld it."""

    content: str | None = None


class Choice(BaseModel):
    """One of the replies; we ask for one."""

    message: Message
    finish_reason: str | None = None


def _or_none(value: Any, read: ModelWrapValidatorHandler[Usage]) -> Usage | None:
    try:
        return read(value)
    except ValidationError:
        return None


class Completion(BaseModel):
    """What must be in a chat completion for us to read it; counts that make no sense are none."""

    model: str | None = None
    system_fingerprint: str | None = None
    choices: list[Choice] = Field(min_length=1)
    usage: Annotated[Usage | None, WrapValidator(_or_none)] = None

    @property
    def answered_by(self) -> str:
        """Model name and system fingerprint, fit to be printed."""
        named = f"{self.model or ''} {self.system_fingerprint or ''}".strip()
        return "".join(sign for sign in named if sign.isprintable())[:NAME_LENGTH]


def completion_in(body: bytes) -> Completion | None:
    """The chat completion in a response's body, if it is one."""
    try:
        return Completion.model_validate_json(body)
    except ValidationError:
        return None
