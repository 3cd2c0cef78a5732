"""Rows of JSON lines, in the layouts that instruction data comes in, as conversations.

Read here: named fields (`prompt_field` and `response_field`, dotted paths such as
`instances.0.output`; several, separated by commas, are joined by an empty line), `messages` (TRL,
hub), `conversations` (a list of alternating utterances, GAIR/lima), `turns` (MT-bench: the first
turn is the prompt).
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from limaflow.errors import InputError, refuse
from limaflow.records import Message

MAX_LINE_BYTES = 64 * 1024 * 1024
"""No conversation is this long; a longer line is a broken or hostile file."""
MAX_ARRAY_BYTES = 1024**3
"""An array is read whole, in some ten times its size of memory."""


def json_rows(
    path: Path, bad: Callable[[InputError], None] = refuse
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line of a JSON-lines file; of an array, each entry's number.

    Args:
        bad: what to do with the error of a line that is no JSON object; the next line follows.

    Raises:
        InputError: the file is missing, or a line is too long, not UTF-8 or not a JSON object.
    """
    if not path.is_file():
        raise InputError("no such file", path=path)
    with path.open("rb") as file:
        if (
            path.suffix == ".json"
            and file.read(16).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
        ):
            yield from _entries(path)
            return
        file.seek(0)
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES), b""), start=1):
            if not line.strip():
                continue
            try:
                row = json_object(line, path, number)
            except InputError as error:
                bad(error)
                continue
            yield number, row


def _entries(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if path.stat().st_size > MAX_ARRAY_BYTES:
        raise InputError(f"array of over {MAX_ARRAY_BYTES} bytes", path=path, fix="use JSON lines")
    try:
        entries = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError("not UTF-8", path=path) from None
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error.msg}", path=path, line=error.lineno) from None
    except RecursionError:
        raise InputError("not JSON: nested too deep", path=path) from None
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise InputError(f"entry {number} is not a JSON object", path=path)
        yield number, entry


def json_object(line: bytes, path: Path, number: int) -> dict[str, Any]:
    """The JSON object that one line holds.

    Raises:
        InputError: the line is cut at its limit, not UTF-8 or not a JSON object.
    """
    if len(line) >= MAX_LINE_BYTES:
        raise InputError(f"line of over {MAX_LINE_BYTES} bytes", path=path, line=number)
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError("not UTF-8", path=path, line=number) from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", path=path, line=number) from None
    if not isinstance(row, dict):
        raise InputError("not a JSON object", path=path, line=number)
    return row


def conversation(
    row: dict[str, Any], prompt_field: str = "prompt", response_field: str = "response"
) -> tuple[Message, ...]:
    """The utterances of one row, stripped of outer space; the last one may be the user's.

    Raises:
        ValueError: says what the row lacks.
    """
    if prompt := _fields(row, prompt_field):
        return _alternating([prompt, *filter(None, [_fields(row, response_field)])])
    if "messages" in row:
        return _messages(row["messages"])
    if "conversations" in row:
        return _alternating(row["conversations"])
    if "turns" in row:
        return _alternating(row["turns"][:1] if isinstance(row["turns"], list) else row["turns"])
    keys = ", ".join(sorted(map(str, row))[:12])
    raise ValueError(f"no text under '{prompt_field}', nor messages; keys: {keys}")


def _fields(row: dict[str, Any], paths: str) -> str:
    """Texts at the comma-separated `paths`, joined by an empty line; absent ones are left out."""
    found = [_at(row, path.strip().split(".")) for path in paths.split(",")]
    return "\n\n".join(text.strip() for text in found if isinstance(text, str) and text.strip())


def _at(value: Any, steps: list[str]) -> Any:
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _alternating(texts: Any) -> tuple[Message, ...]:
    """Utterances that the user opens."""
    if not isinstance(texts, list) or not texts:
        raise ValueError("a conversation must be a list with at least one utterance")
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise ValueError("an utterance is empty or not text")
    return tuple(
        Message(role="assistant" if number % 2 else "user", content=text.strip())
        for number, text in enumerate(texts)
    )


def _messages(raw: Any) -> tuple[Message, ...]:
    if not isinstance(raw, list) or not all(isinstance(message, dict) for message in raw):
        raise ValueError("messages must be a list of objects with role and content")
    read = []
    for message in raw:
        role, content = message.get("role"), message.get("content")
        if role not in ("system", "user", "assistant"):
            raise ValueError(f"messages: unknown role {role!r}")
        if not isinstance(content, str) or not content.strip():
            raise ValueError(f"messages: the {role}'s content is empty or not text")
        read.append(Message(role=role, content=content.strip()))
    if not any(message.role == "user" for message in read):
        raise ValueError("messages: no user turn")
    return tuple(read)
