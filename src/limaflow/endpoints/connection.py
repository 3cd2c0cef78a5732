"""The one way to an OpenAI-compatible endpoint: the SDK's client, with an end to every call."""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import openai

from limaflow.endpoints.address import same_origin
from limaflow.endpoints.completion import Failure, completion_in
from limaflow.endpoints.request import PATHS
from limaflow.endpoints.settings import Endpoint
from limaflow.errors import InputError

RETRIES = 6
"""Repetitions of one call by the SDK: 0.5, 1, 2 … 8 s apart where the server names no time."""
STORM_SECONDS = 900.0
"""How long one request waits while the server keeps saying 429; the SDK itself gives up sooner."""
STORM_PAUSE_SECONDS = 8.0
FILTERED = ("content_filter", "content_policy_violation")
"""Codes of an error 400 by which providers say that a filter withheld the reply."""
SHORTEST_SECRET = 4
"""Of what is hidden in texts: servers of one's own get keys like `x`, which stand in words."""
MOST_REDIRECTS = 3
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
        """Send, or raise the time-out that makes the SDK try again.

        A redirect is followed to the same server only, so that no other one gets key and texts;
        any other, and one too many, comes back as it is and ends the call.
        """
        options["follow_redirects"] = False
        try:
            async with asyncio.timeout(self._seconds):
                response = await super().send(request, **options)
                for _ in range(MOST_REDIRECTS):
                    following = response.next_request
                    if (
                        following is None
                        or following.method != request.method
                        or not same_origin(following.url, request.url)
                    ):
                        break
                    await response.aclose()
                    response = await super().send(following, **options)
                return response
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


@dataclass(frozen=True)
class Secrets:
    """What goes to an endpoint and nowhere else."""

    key: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def hidden_in(self, text: str) -> str:
        """A text without them, should a server repeat them."""
        for secret in sorted({self.key, *self.headers.values()}, key=len, reverse=True):
            if len(secret) >= SHORTEST_SECRET:
                text = text.replace(secret, "***")
        return text


def secrets_of(endpoint: Endpoint, owner: str) -> Secrets:
    """The API key and the secret headers of an endpoint; `owner` says whose, for the error.

    Raises:
        InputError: one is not set, or holds what no key does.
    """
    headers = {
        name: _from_environment(variable, owner, f"the header {name}")
        for name, variable in endpoint.headers_env.items()
    }
    return Secrets(_from_environment(endpoint.key_env, owner, "its API key"), headers)


def _from_environment(variable: str, owner: str, what: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise InputError(
            f"{owner} needs {what} in the environment variable {variable}, which is not set"
        )
    if not (value.isascii() and value.isprintable()):
        raise InputError(
            f"{owner}: the environment variable {variable} holds no API key, but several lines or "
            "characters that no key has"
        )
    return value


def connected(
    endpoint: Endpoint,
    secrets: Secrets,
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
        api_key=secrets.key,
        base_url=endpoint.base_url,
        default_headers={**endpoint.headers, **secrets.headers},
        max_retries=retries,
        timeout=timeout,
        http_client=_WholeReplies(timeout, most_bytes),
    )


async def complete(
    connection: openai.AsyncOpenAI,
    endpoint: Endpoint,
    body: Mapping[str, Any],
    *,
    going: Callable[[], bool],
) -> bytes:
    """What the endpoint sent back for a request.

    Waits where the SDK gives up, as long as the server says 429 or names a time to come back; and
    repeats a call whose reply of status 200 is an error that may pass.

    Args:
        going: whether an answer is still wanted; asked before every wait.

    Raises:
        openai.OpenAIError: the call failed for good.
    """
    started = time.monotonic()
    failures = 0
    while True:
        try:
            response = await connection.post(
                PATHS[endpoint.api], cast_to=httpx2.Response, body=dict(body)
            )
        except (openai.RateLimitError, openai.InternalServerError) as error:
            pause = _pause(error)
            if pause is None or time.monotonic() + pause - started > STORM_SECONDS:
                raise
            if not await _waited(pause, going):
                raise
            continue
        content = response.content
        if failures == RETRIES or not _may_pass(content):
            return content
        failures += 1
        if not await _waited(min(0.25 * 2**failures, STORM_PAUSE_SECONDS), going):
            return content


def _may_pass(content: bytes) -> bool:
    """Whether a body of status 200 is an error that another call may not meet."""
    # Replies are many and such errors few, so that most are not read twice.
    if b'"error"' not in content[:1000]:
        return False
    found = completion_in(content)
    return isinstance(found, Failure) and found.passing


async def _waited(seconds: float, going: Callable[[], bool]) -> bool:
    """Wait; False as soon as no answer is wanted any more."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if not going():
            return False
        await asyncio.sleep(min(left, 1.0))
    return True


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


def withheld(error: openai.OpenAIError) -> bool:
    """Whether a content filter stopped the request itself, as Azure's does."""
    return isinstance(error, openai.BadRequestError) and error.code in FILTERED


def _redirected(error: openai.OpenAIError) -> str | None:
    """Status and aim of a redirect that was not followed."""
    if not isinstance(error, openai.APIStatusError) or not error.response.is_redirect:
        return None
    response = error.response
    return f"{response.status_code}, a redirect to {response.headers.get('location')}"


def error_text(error: openai.OpenAIError, secrets: Secrets) -> str:
    """An error's message on one line, without a secret that a server may have repeated."""
    text = str(error)
    if redirected := _redirected(error):
        text = (
            f"it answered with {redirected}; at most {MOST_REDIRECTS} redirects to the same server "
            "are followed, so that no other one gets the key and the texts"
        )
    elif isinstance(error, openai.APIConnectionError):
        text = f"{error} ({error.__cause__})"
    return " ".join(secrets.hidden_in(text).split())[:500]
