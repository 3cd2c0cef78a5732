"""The one way to an OpenAI-compatible endpoint: the SDK's client, with an end to every call."""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import openai

from limaflow.endpoints.settings import Endpoint
from limaflow.errors import InputError

RETRIES = 6
"""Repetitions of one call by the SDK: 0.5, 1, 2 … 8 s apart where the server names no time."""
STORM_SECONDS = 900.0
"""How long one request waits while the server keeps saying 429; the SDK itself gives up sooner."""
STORM_PAUSE_SECONDS = 8.0
MOST_BYTES = 16 * 2**20
"""Of one reply: what goes on beyond is cut off, and then reads as no completion."""


class _WholeReplies(openai.DefaultAsyncHttpxClient):
    """Bounds the time of a whole reply; the SDK's own time-out starts anew with every byte.

    And its size, as it comes: a compressed one could grow beyond any bound, so none is asked for.
    """

    def __init__(self, seconds: float, most_bytes: int) -> None:
        super().__init__(
            headers={"Accept-Encoding": "identity"}, event_hooks={"response": [self._bound]}
        )
        self._seconds = seconds
        self._most_bytes = most_bytes

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send, or raise the time-out that makes the SDK try again."""
        try:
            async with asyncio.timeout(self._seconds):
                return await super().send(request, **options)
        except TimeoutError:
            raise httpx2.ReadTimeout("no whole reply in time", request=request) from None

    async def _bound(self, response: httpx2.Response) -> None:
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.headers.pop("Content-Encoding", None)
        response.stream = _Beginning(response.stream, self._most_bytes)


class _Beginning(httpx2.AsyncByteStream):
    """The first bytes of a body."""

    def __init__(self, body: httpx2.AsyncByteStream, most_bytes: int) -> None:
        self._body = body
        self._left = most_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._body:
            yield part[: self._left]
            self._left -= len(part)
            if self._left <= 0:
                return

    async def aclose(self) -> None:
        await self._body.aclose()


def key_in(variable: str, owner: str) -> str:
    """The API key in an environment variable; `owner` says whose, for the error.

    Raises:
        InputError: it is not set, or holds what no key does.
    """
    key = os.environ.get(variable, "").strip()
    if not key:
        raise InputError(
            f"{owner} needs its API key in the environment variable {variable}, which is not set"
        )
    if not (key.isascii() and key.isprintable()):
        raise InputError(
            f"{owner}: the environment variable {variable} holds no API key, but several lines or "
            "characters that no key has"
        )
    return key


def connected(
    base_url: str | None,
    key: str,
    *,
    timeout: float,
    retries: int = RETRIES,
    most_bytes: int = MOST_BYTES,
) -> openai.AsyncOpenAI:
    """A client of the endpoint; an async context manager.

    Calls are repeated on 408, 409, 429, 5xx, broken connections and time-outs, with exponential
    back-off or as the server's Retry-After says.

    Args:
        timeout: seconds that one whole reply may take.
        most_bytes: of one reply that are read.
    """
    return openai.AsyncOpenAI(
        api_key=key,
        base_url=base_url,
        max_retries=retries,
        timeout=timeout,
        http_client=_WholeReplies(timeout, most_bytes),
    )


def request(
    endpoint: Endpoint, messages: Sequence[Mapping[str, str]], **parameters: Any
) -> dict[str, Any]:
    """The body of a chat-completion request; the endpoint's `extra_body` has the last word."""
    given = {**parameters, **endpoint.extra_body}
    known = {name: value for name, value in given.items() if value is not None}
    return {"model": endpoint.model, "messages": [dict(turn) for turn in messages], **known}


async def complete(
    connection: openai.AsyncOpenAI, body: Mapping[str, Any], *, going: Callable[[], bool]
) -> bytes:
    """What the endpoint sent back for a request.

    Waits where the SDK gives up, as long as the server says 429 or names a time to come back.

    Args:
        going: whether an answer is still wanted; asked before every wait.

    Raises:
        openai.OpenAIError: the call failed for good.
    """
    started = time.monotonic()
    parameters = {name: body[name] for name in body.keys() - {"model", "messages"}}
    while True:
        try:
            response = await connection.chat.completions.with_raw_response.create(
                model=body["model"], messages=body["messages"], extra_body=parameters
            )
        except (openai.RateLimitError, openai.InternalServerError) as error:
            pause = _pause(error)
            if pause is None or time.monotonic() + pause - started > STORM_SECONDS:
                raise
            until = time.monotonic() + pause
            while (left := until - time.monotonic()) > 0:
                if not going():
                    raise
                await asyncio.sleep(min(left, 1.0))
        else:
            return response.content


def _pause(error: openai.APIStatusError) -> float | None:
    """Seconds to wait before asking again, or None if that is of no use.

    With up to a tenth more than the server asks for, so that not all come at once.
    """
    headers = error.response.headers
    if refused(error) or headers.get("x-should-retry") == "false":
        return None
    asked = headers.get("retry-after")
    if asked is None and not isinstance(error, openai.RateLimitError):
        return None
    # In this order a NaN is one second.
    return max(1.0, _seconds(asked or "")) * random.uniform(1.0, 1.1)


def _seconds(retry_after: str) -> float:
    """What a Retry-After header asks for: a number of seconds, or a date."""
    with contextlib.suppress(ValueError):
        return float(retry_after)
    with contextlib.suppress(ValueError):
        return parsedate_to_datetime(retry_after).timestamp() - time.time()
    return STORM_PAUSE_SECONDS


def refused(error: openai.OpenAIError) -> bool:
    """Whether every request would meet this error: a wrong key, no such model, no money left."""
    return isinstance(
        error, openai.AuthenticationError | openai.PermissionDeniedError | openai.NotFoundError
    ) or (isinstance(error, openai.RateLimitError) and error.code == "insufficient_quota")


def error_text(error: openai.OpenAIError, key: str) -> str:
    """An error's message on one line, without the key, should a server repeat it."""
    cause = f" ({error.__cause__})" if isinstance(error, openai.APIConnectionError) else ""
    return " ".join(f"{error}{cause}".replace(key, "***").split())[:500]
