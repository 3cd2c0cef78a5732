"""Reading what an endpoint sent back: a chat completion, its price, and whether its reply is one.

The SDK builds its objects without checking them, so the body is read here, strictly.
"""

from collections.abc import Callable

from pydantic import BaseModel, Field, ValidationError

from limaflow.config import Judge
from limaflow.judging.spending import Spending, cost
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


def read(body: bytes, judge: Judge, readable: Callable[[str], bool], bound: Spending) -> Answer:
    """The answer in a response body, with an error where it cannot be read.

    Args:
        readable: whether a reply has the form asked for.
        bound: what to assume where the body does not say how many tokens were used.
    """
    prompt_tokens, completion_tokens = bound.tokens - judge.max_tokens, judge.max_tokens
    try:
        completion = _Completion.model_validate_json(body)
    except ValidationError:
        return Answer(
            error=f"{UNREADABLE}: not a chat completion",
            reply=body[:2000].decode(errors="replace"),
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            cost=bound.cost,
        )
    choice = completion.choices[0]
    if completion.usage:
        prompt_tokens = completion.usage.prompt_tokens
        completion_tokens = completion.usage.completion_tokens
    reply = choice.message.content or ""
    error = None
    if choice.finish_reason == "length":
        error = f"{UNREADABLE}: cut off after {judge.max_tokens} tokens"
    elif not readable(reply):
        error = f"{UNREADABLE}: the last line is not one of the answers asked for"
    return Answer(
        reply=reply,
        answered_by=f"{completion.model} {completion.system_fingerprint or ''}".strip(),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost=cost(judge, prompt_tokens, completion_tokens),
        error=error,
    )
