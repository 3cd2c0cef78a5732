"""Rows of JSON, in the layouts that instruction data comes in, as conversations.

Read here: named fields (`prompt_field` and `response_field`, dotted paths such as
`instances.0.output`; several, separated by commas, are joined by an empty line), and lists of turns
under `messages` (TRL, hub), `conversations` or `conversation`: `role` and `content`, `from` and
`value` (ShareGPT), or bare texts that alternate (GAIR/lima). Of `turns` (MT-bench) the first text
is the prompt.
"""

import json
import math
from typing import Any, Literal

from limaflow.records import Message

PROMPT_FIELD, RESPONSE_FIELD = "prompt", "response"
LISTS_OF_TURNS = ("messages", "conversations", "conversation")
ROLES: dict[str, Literal["system", "user", "assistant"]] = {
    "system": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bard": "assistant",
    "bing": "assistant",
    "model": "assistant",
    "bot": "assistant",
}
TEXT_PARTS = ("text", "input_text", "output_text")
"""Types of the parts of a content, in the APIs of chat models, that are text."""
AS_SOURCE = "as a source of kind authored, set "
KNOWN_LAYOUTS: tuple[tuple[set[str], str, str], ...] = (
    (
        {"instruction", "context", "response"},
        "Dolly's layout",
        f"{AS_SOURCE}prompt_field: instruction,context",
    ),
    (
        {"instruction", "output"},
        "Alpaca's layout",
        f"{AS_SOURCE}prompt_field: instruction,input and response_field: output",
    ),
    (
        {"question", "answer"},
        "a question with its answer",
        f"{AS_SOURCE}prompt_field: question and response_field: answer",
    ),
    (
        {"prompt", "completion"},
        "a prompt with its completion",
        f"{AS_SOURCE}response_field: completion",
    ),
    ({"chosen", "rejected"}, "two responses to choose from", "choose one of them"),
    (
        {"message_id", "parent_id"},
        "one message of an OpenAssistant tree",
        "join each path of a tree to a conversation",
    ),
    (
        {"Definition", "Instances"},
        "a task of Natural Instructions",
        "bring it as a source of kind natural-instructions",
    ),
    ({"text"}, "plain text alone", "a conversation has a prompt and a response"),
)
"""Keys of layouts that are not read, their names, and what to do with them; the first fits."""


def conversation(
    row: dict[str, Any], prompt_field: str = PROMPT_FIELD, response_field: str = RESPONSE_FIELD
) -> tuple[Message, ...]:
    """The utterances of one row, stripped of outer space; the last one may be the user's.

    Fields that are named come first, then prompt with response, lists of turns, a prompt alone.

    Raises:
        ValueError: says what the row lacks, and which layout it has if that is known.
    """
    prompt = _prompt(row, prompt_field)
    response = _response(row, response_field) if prompt else ""
    named = (prompt_field, response_field) != (PROMPT_FIELD, RESPONSE_FIELD)
    if not (prompt and (response or named)):
        for key in LISTS_OF_TURNS:
            if row.get(key) is not None:
                return _with_system(row.get("system"), _turns(row[key], key))
    if prompt:
        return _alternating([prompt, response] if response else [prompt], prompt_field)
    if (turns := row.get("turns")) is not None:
        return _turns(turns[:1] if isinstance(turns, list) else turns, "turns")
    known = known_layout(row)
    keys = ", ".join(sorted(map(str, row))[:12])
    raise ValueError(f"no text under '{prompt_field}', nor messages; {known or f'keys: {keys}'}")


def known_layout(row: dict[str, Any]) -> str:
    """Which of the layouts that are not read a row has, and what to do; "" if none is known."""
    for keys, name, fix in KNOWN_LAYOUTS:
        if row.keys() >= keys:
            return f"the row has {name}: {fix}"
    return ""


def _prompt(row: dict[str, Any], paths: str) -> str:
    """Values at the comma-separated `paths`, joined by an empty line; absent ones are left out."""
    values = list(_values(row, paths))
    for value in values:
        if isinstance(value, list) and any(isinstance(v, dict) and "role" in v for v in value):
            raise ValueError(
                f"'{paths}' is a list of turns: bring it with its response as messages"
            )
    return "\n\n".join(filter(None, map(_text, values)))


def _response(row: dict[str, Any], paths: str) -> str:
    values = list(_values(row, paths))
    # A list may be one response, or several of which one is meant.
    if any(isinstance(value, list | dict) for value in values):
        raise ValueError(f"'{paths}' holds no single value: name one, such as {paths}.0")
    return "\n\n".join(filter(None, map(_text, values)))


def _text(value: Any) -> str:
    """A value as it stands in a prompt: text as it is, numbers, lists and objects as JSON."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).strip()


def _values(row: dict[str, Any], paths: str) -> list[Any]:
    return [_at(row, path.strip().split(".")) for path in paths.split(",")]


def _at(value: Any, steps: list[str]) -> Any:
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _turns(raw: Any, key: str) -> tuple[Message, ...]:
    if not isinstance(raw, list) or not raw:
        raise ValueError(f"{key}: not a list with at least one turn")
    if all(isinstance(turn, dict) for turn in raw):
        return _with_roles(raw, key)
    return _alternating(raw, key)


def _with_system(system: Any, turns: tuple[Message, ...]) -> tuple[Message, ...]:
    """The turns after the system text that some files have beside them (FastChat)."""
    if not isinstance(system, str) or not system.strip() or turns[0].role == "system":
        return turns
    return (Message(role="system", content=system.strip()), *turns)


def _alternating(texts: list[Any], key: str) -> tuple[Message, ...]:
    """Utterances that the user opens."""
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise ValueError(f"{key}: a turn is empty or not text")
    return tuple(
        Message(role="assistant" if number % 2 else "user", content=text.strip())
        for number, text in enumerate(texts)
    )


def _with_roles(raw: list[dict[str, Any]], key: str) -> tuple[Message, ...]:
    read = []
    for turn in raw:
        named = turn.get("role", turn.get("from"))
        role = ROLES.get(named.strip().lower()) if isinstance(named, str) else None
        if role is None:
            raise ValueError(f"{key}: unknown role {named!r}; keys: {', '.join(sorted(turn)[:12])}")
        if turn.get("tool_calls"):
            raise ValueError(f"{key}: the {named}'s turn calls tools, which are not read")
        content = _content(turn.get("content", turn.get("value")), f"{key}: the {named}'s content")
        if role == "system" and not content:
            continue
        if not content:
            raise ValueError(f"{key}: the {named}'s content is empty")
        read.append(Message(role=role, content=content))
    spoken = [message.role for message in read if message.role != "system"]
    if not spoken or spoken != (["user", "assistant"] * len(spoken))[: len(spoken)]:
        raise ValueError(f"{key}: turns must alternate, the user first")
    if any(message.role == "system" for message in read[1:]):
        raise ValueError(f"{key}: a system turn must be the first")
    return tuple(read)


def _content(raw: Any, place: str) -> str:
    """The text of a content, which is text or a list of parts; "" where there is none."""
    parts = raw if isinstance(raw, list) else [raw]
    return "\n\n".join(filter(None, (_part(part, place) for part in parts)))


def _part(part: Any, place: str) -> str:
    if isinstance(part, dict):
        if part.get("type") not in TEXT_PARTS:
            raise ValueError(f"{place} has a part of type {part.get('type')!r}; only text is read")
        part = part.get("text")
    if part is not None and not isinstance(part, str):
        raise ValueError(f"{place} is not text")
    return (part or "").strip()
