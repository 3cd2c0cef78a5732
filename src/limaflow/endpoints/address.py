"""Addresses of endpoints, written in one way, so that no answer is paid for under two."""

import os

import httpx2

OPENAI = "https://api.openai.com/v1"
"""Where the SDK goes by default."""


def address_of(base_url: str | None) -> str:
    """Where calls go that name this address, or none; "" is the SDK's own default."""
    address = canonical(base_url or os.environ.get("OPENAI_BASE_URL", ""))
    return "" if address == OPENAI else address


def canonical(base_url: str) -> str:
    """The address without a slash at its end, an own spelling of its host or a default port."""
    return str(httpx2.URL(base_url)).rstrip("/")


def same_origin(one: httpx2.URL, other: httpx2.URL) -> bool:
    """Whether two addresses are of one server: scheme, host and port."""
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)
