"""Texts that others may not be given: their hashes and lengths take their place.

Ids, scores, finish reasons, right or wrong, and numbers of tokens stay; so does whatever a model or
a judge wrote itself, unless the configuration names the arm.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from limaflow.config.experiment import Config
from limaflow.sources.kinds import policy_of

Row = dict[str, Any]
MARK = b"[withheld: "
"""How what stands in the place of a text begins."""


@dataclass(frozen=True)
class Withheld:
    """Whose texts stay out, each with the reason."""

    sources: dict[str, str] = field(default_factory=dict)
    arms: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, str] = field(default_factory=dict)

    def reason(self, row: Row) -> str:
        """Why a row's texts stay out; "" where they do not."""
        models = [str(row.get(key, "")).partition("@")[0] for key in ("model", "first", "second")]
        return (
            self.sources.get(str(row.get("source", "")), "")
            or next((self.arms[model] for model in models if model in self.arms), "")
            or self.tasks.get(str(row.get("task", "")), "")
        )


def withheld_by(config: Config, *, with_texts: bool = False) -> Withheld:
    """What a study may not hand on: gated sources, kinds whose terms forbid it, what it names.

    An invented world is nobody's. `with_texts` hands on all but what the configuration names.
    """
    named = config.bundle.withhold
    asked = "named in bundle.withhold"
    sources = {}
    if not (with_texts or config.bundle.with_texts or config.miniature):
        for source in config.sources:
            files = [file for shard in source.shards.values() for file in shard]
            if any(file.token_env for file in files):
                sources[source.name] = "a gated source"
            elif terms := policy_of(source.kind).not_redistributed:
                sources[source.name] = terms
    return Withheld(
        sources | dict.fromkeys(named.sources, asked),
        dict.fromkeys(named.arms, asked),
        dict.fromkeys(named.tasks, asked),
    )


def without_texts(lines: bytes, withheld: Withheld) -> tuple[bytes, dict[str, int]]:
    """JSON lines with the texts of withheld rows replaced, and the rows by reason.

    Lines that need no change keep their bytes.
    """
    counts: dict[str, int] = {}
    kept = []
    for line in lines.splitlines(keepends=True):
        row = json.loads(line) if line.strip() else None
        reason = withheld.reason(row) if isinstance(row, dict) else ""
        if row is None or not reason:
            kept.append(line)
            continue
        counts[reason] = counts.get(reason, 0) + 1
        changed = json.dumps(_replaced(row), ensure_ascii=False, sort_keys=True)
        kept.append(changed.encode() + b"\n")
    return b"".join(kept), counts


def stand_in(text: str) -> str:
    """What stands in the place of a text: its length in characters and words, and its SHA-256."""
    sha256 = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"[withheld: {len(text)} characters, {len(text.split())} words, sha256 {sha256}]"


OF_EXAMPLES = ("content", "title", "turns", "goal", "target", "matched", "turn")
OF_ANSWERS = ("text", "first_text", "second_text", "texts", "instead", "reply", "answer")
OF_ITEMS = ("question", "right_answers")
NAMES_OF_TEXTS = frozenset({*OF_EXAMPLES, *OF_ANSWERS, *OF_ITEMS})
NAMES_OF_PEOPLE = frozenset({"authors", "urls"})
"""Who wrote it, and addresses, which often spell out the title."""


def _replaced(row: Row) -> Row:
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:
    if name in NAMES_OF_PEOPLE and isinstance(value, list):
        return []
    if name in NAMES_OF_TEXTS:
        return _texts(value, stand_in)
    if isinstance(value, dict):
        return _replaced(value)
    if isinstance(value, list):
        return [_value("", item) for item in value]
    return value


def _texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value) if value else value
    if isinstance(value, list):
        return [_texts(item, change) for item in value]
    return value
