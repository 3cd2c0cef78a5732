"""Secrets that must be in no bundle: the environment's keys, and passwords of addresses."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from limaflow.errors import InputError
from limaflow.recording.job import SECRET_NAME

ADDRESS = re.compile(rb"\b[a-z][a-z0-9+.-]{1,20}://[^/@\s\"'<>:]{1,200}:[^/@\s\"'<>]{1,200}@", re.I)
HIDDEN = "…".encode()
TOKENS = re.compile(rb"\b(sk-[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{30,})\b")
SHORTEST = 8
"""Characters of a value that is looked for: shorter ones stand in texts by chance."""


def refuse_secrets(
    members: Mapping[str, Path | bytes], environment: Mapping[str, str] = os.environ
) -> None:
    """See that no file holds a key, a token or a password.

    Responses of models and texts of sources may hold addresses with a colon and what looks like a
    key: these are looked for in what the study itself wrote, the environment's values everywhere.

    Raises:
        InputError: names the file; never what was found.
    """
    values = [
        value.encode()
        for name, value in environment.items()
        if SECRET_NAME.search(name) and len(value) >= SHORTEST and not Path(value).exists()
    ]
    for name, content in members.items():
        text = content if isinstance(content, bytes) else content.read_bytes()
        own = name.endswith((".json", ".yaml", ".yml"))
        if _holds(text, values) or (own and (_password(text) or TOKENS.search(text))):
            raise InputError(
                f"{name} holds what looks like a key or a password; nothing was packed",
                fix="let the configuration name the environment variable that holds it",
            )


def _holds(text: bytes, values: Iterable[bytes]) -> bool:
    return any(value in text for value in values)


def _password(text: bytes) -> bool:
    return any(HIDDEN not in found[0] for found in ADDRESS.finditer(text))
