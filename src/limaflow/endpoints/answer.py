"""The answer in what a judge's endpoint sent back, and what it cost."""

from collections.abc import Callable

from limaflow.endpoints.completion import completion_in
from limaflow.endpoints.settings import Judge
from limaflow.endpoints.spending import Spending, cost, reply_limit
from limaflow.endpoints.store import Answer

UNREADABLE = "unreadable"
"""How the error of a paid reply begins that may be asked for again."""


def read(body: bytes, judge: Judge, readable: Callable[[str], bool], bound: Spending) -> Answer:
    """The answer in a response body, with an error where it cannot be read.

    Args:
        readable: whether a reply has the form asked for.
        bound: what to assume where the body does not say how many tokens were used.
    """
    completion_tokens = reply_limit(judge, judge.max_tokens)
    prompt_tokens = bound.tokens - completion_tokens
    completion = completion_in(body)
    if completion is None:
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
        answered_by=completion.answered_by,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost=cost(judge, prompt_tokens, completion_tokens),
        error=error,
    )
