"""The one way to an OpenAI-compatible endpoint: the SDK's client, with an end to every call."""

import asyncio
from typing import Any

import httpx2
import openai

RETRIES = 6
"""Repetitions of one call by the SDK: 0.5, 1, 2 … 8 s apart where the server names no time."""


class _WholeReplies(openai.DefaultAsyncHttpxClient):
    """Bounds the time of a whole reply; the SDK's own time-out starts anew with every byte."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send, or raise the time-out that makes the SDK try again."""
        try:
            async with asyncio.timeout(self._seconds):
                return await super().send(request, **options)
        except TimeoutError:
            raise httpx2.ReadTimeout("no whole reply in time", request=request) from None


def connected(
    base_url: str | None, key: str, *, timeout: float, retries: int = RETRIES
) -> openai.AsyncOpenAI:
    """A client of the endpoint; an async context manager.

    Calls are repeated on 408, 409, 429, 5xx, broken connections and time-outs, with exponential
    back-off or as the server's Retry-After says.

    Args:
        timeout: seconds that one whole reply may take.
    """
    return openai.AsyncOpenAI(
        api_key=key,
        base_url=base_url,
        max_retries=retries,
        timeout=timeout,
        http_client=_WholeReplies(timeout),
    )


def told(error: openai.OpenAIError, key: str) -> str:
    """An error's message on one line, without the key, should a server repeat it."""
    cause = f" ({error.__cause__})" if isinstance(error, openai.APIConnectionError) else ""
    return " ".join(f"{error}{cause}".replace(key, "***").split())[:500]
