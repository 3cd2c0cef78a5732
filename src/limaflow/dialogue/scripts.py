"""Scripts: the user's turns of a dialogue, to which a model gives its own answers one by one.

A file holds one script a row, in one of four layouts: `turns` with `question_id` (MT-Bench,
arXiv 2306.05685), `history` of `user` and `bot` (MT-Bench-101, arXiv 2402.14762), `messages` or
another list of turns (a live chat as the paper's ten), or `id` and `turns` (one's own). What
another assistant answered is left out: an arm answers for itself. A `constraint` is a form that the
first turn asks of all answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limaflow.conversations import LISTS_OF_TURNS, conversation
from limaflow.errors import InputError
from limaflow.foreign_json import json_rows
from limaflow.format_checks.catalogue import checked_tags
from limaflow.prompt_tags import FormatRule
from limaflow.seeds import digest

ID_KEYS = ("id", "question_id", "conversation_id")
TASK_KEYS = ("task", "category")


@dataclass(frozen=True, kw_only=True)
class Script:
    """The user's turns of one dialogue, in order."""

    id: str
    turns: tuple[str, ...]
    task: str = ""
    """What the dialogue tests, in the file's own word; "" if it names nothing."""
    system: str = ""
    """What stands before the first turn."""
    constraint: FormatRule | None = None
    """The form that the first turn asks of every answer."""


def read_scripts(paths: Sequence[Path]) -> list[Script]:
    """The scripts of several files, sorted by id; that of a file's row is `<file>-<id>`.

    Raises:
        InputError: a file is missing or empty, a row holds no user turns, or two have one id.
    """
    found: dict[str, Script] = {}
    for path in paths:
        count = 0
        for line, row in json_rows(path):
            try:
                script = _script(row, path.stem)
            except ValueError as error:
                raise InputError(str(error), path=path, line=line) from None
            if script.id in found:
                raise InputError(f"the script '{script.id}' stands twice", path=path, line=line)
            found[script.id] = script
            count += 1
        if not count:
            raise InputError("no dialogues", path=path)
    return [found[name] for name in sorted(found)]


def _script(row: dict[str, Any], stem: str) -> Script:
    turns, system = _user_turns(row)
    named = next((str(row[key]) for key in ID_KEYS if row.get(key) not in (None, "")), None)
    task = next((str(row[key]) for key in TASK_KEYS if row.get(key)), "")
    # MT-Bench-101 counts the dialogues of each task anew.
    of_task = f"{task}-" if "history" in row and task else ""
    own = f"{of_task}{named}" if named else digest(list(turns))
    return Script(
        id=f"{stem}-{own}", turns=turns, task=task, system=system, constraint=_constraint(row)
    )


def _constraint(row: dict[str, Any]) -> FormatRule | None:
    """The form under `constraint`, as prompts have theirs under `tags.format`.

    Raises:
        ValueError: no rule checks it, or not with these arguments.
    """
    given = row.get("constraint")
    if given is None:
        return None
    try:
        tags = checked_tags({"tags": {"format": [given]}})
    except ValueError as error:
        raise ValueError(f"constraint: {error}") from None
    return tags.format[0] if tags else None


def _user_turns(row: dict[str, Any]) -> tuple[tuple[str, ...], str]:
    """The user's turns, and the system text.

    Raises:
        ValueError: there are none, or one is empty or not text.
    """
    if (history := row.get("history")) is not None:
        if not isinstance(history, list) or not all(isinstance(t, dict) for t in history):
            raise ValueError("history: not a list of turns with 'user'")
        return _texts([turn.get("user") for turn in history], "history"), ""
    if any(row.get(key) is not None for key in LISTS_OF_TURNS):
        messages = conversation(row)
        system = next((m.content for m in messages if m.role == "system"), "")
        return tuple(m.content for m in messages if m.role == "user"), system
    if (turns := row.get("turns")) is not None:
        if not isinstance(turns, list):
            raise ValueError("turns: not a list of texts")
        return _texts(turns, "turns"), ""
    keys = ", ".join(sorted(map(str, row))[:12])
    raise ValueError(f"no dialogue under 'turns', 'messages' or 'history'; keys: {keys}")


def _texts(values: Sequence[Any], key: str) -> tuple[str, ...]:
    if not values:
        raise ValueError(f"{key}: no turns")
    for number, value in enumerate(values, start=1):
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"{key}: the user's turn {number} is empty or not text")
    return tuple(value.strip() for value in values)
