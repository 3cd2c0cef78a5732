"""Whether endpoints that a run will ask can be asked, looked at before it begins."""

import os
import socket
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit
from urllib.request import getproxies

from limaflow.endpoints.address import OPENAI
from limaflow.endpoints.connection import secrets_of
from limaflow.endpoints.settings import Endpoint
from limaflow.errors import InputError

PATIENCE_SECONDS = 3.0


def lacking(asked: Mapping[str, Endpoint]) -> list[str]:
    """A line for each that has no key, or lacks a secret header, in the environment.

    Args:
        asked: by whose endpoint it is, as messages say it.
    """
    lines = []
    for owner, endpoint in asked.items():
        try:
            secrets_of(endpoint, owner)
        except InputError as error:
            lines.append(str(error))
    return lines


def unreachable(asked: Mapping[str, Endpoint]) -> Iterator[str]:
    """A line for each at whose address nothing listens now; none where a proxy stands between."""
    for owner, endpoint in asked.items():
        url = urlsplit(endpoint.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI)
        if url.hostname is None or url.scheme in getproxies():
            continue
        port = url.port or {"http": 80}.get(url.scheme, 443)
        try:
            socket.create_connection((url.hostname, port), PATIENCE_SECONDS).close()
        except OSError as error:
            yield (
                f"{owner} is not reached now at {url.hostname}:{port} "
                f"({error.strerror or error}): its jobs will fail unless it is there by then"
            )
