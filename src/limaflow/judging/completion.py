"""Reading what an endpoint sent back: a chat completion, its price, and whether its reply is one.

The SDK builds its objects without checking them, so the body is read here, strictly.
"""

from collections.abc import Callable

from pydantic import BaseModel, Field, ValidationError

from limaflow.config import Judge
from limaflow.judging.store import Answer

UNREADABLE = "unreadable"
"""How the error of a paid reply begins that may be asked for again."""


class _Completion(BaseModel):
    """What must be in a chat completion for us to read it."""

    class Choice(BaseModel):
        class Message(BaseModel):
            content: str | None = None

        message: Message
        finish_reason: str | None = None

    class Usage(BaseModel):
        prompt_tokens: int = Field(ge=0)
        completion_tokens: int = Field(ge=0)

    model: str = ""
    system_fingerprint: str | None = None
    choices: list[Choice] = Field(min_length=1)
    usage: Usage | None = None


def read(body: bytes, judge: Judge, readable: Callable[[str], bool], bound: float) -> Answer:
    """The answer in a response body, with an error where it cannot be read.

    Args:
        readable: whether a reply has the form asked for.
        bound: the cost to assume where the body does not say how many tokens were used.
    """
    try:
        completion = _Completion.model_validate_json(body)
    except ValidationError:
        text = body[:2000].decode(errors="replace")
        return Answer(error=f"{UNREADABLE}: not a chat completion", reply=text, cost=bound)
    choice, usage = completion.choices[0], completion.usage
    reply = choice.message.content or ""
    error = None
    if choice.finish_reason == "length":
        error = f"{UNREADABLE}: cut off after {judge.max_tokens} tokens"
    elif not readable(reply):
        error = f"{UNREADABLE}: the last line is not one of the answers asked for"
    return Answer(
        reply=reply,
        answered_by=f"{completion.model} {completion.system_fingerprint or ''}".strip(),
        prompt_tokens=usage.prompt_tokens if usage else 0,
        completion_tokens=usage.completion_tokens if usage else 0,
        cost=cost(judge, usage.prompt_tokens, usage.completion_tokens) if usage else bound,
        error=error,
    )


def cost(judge: Judge, prompt_tokens: int, completion_tokens: int) -> float:
    """What a call costs, in the currency of the judge's prices."""
    return (
        prompt_tokens * judge.price_per_million_prompt_tokens
        + completion_tokens * judge.price_per_million_completion_tokens
    ) / 1e6
