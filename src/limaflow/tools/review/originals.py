"""What each example was made of: title, body and response as the source holds them.

Candidates are found by site and ids, which examples keep. Their files can be large, so they are
read piece by piece, and only a line that is wanted is parsed whole.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limaflow.curation.filtering import prompt_of
from limaflow.curation.rendering import rendered
from limaflow.jsonl import adapter_of
from limaflow.records import Candidate, Example

LINES_AT_ONCE = 500
KEY = re.compile(r'"provenance":\s*')
"""Quotation marks inside a text are escaped, so this begins no text but the key's value."""


@dataclass(frozen=True, kw_only=True)
class Original:
    """The candidate behind an example."""

    title: str
    """As it is, or would be, the prompt; "" where there is none. `body` likewise."""
    body: str
    markup: str
    found: dict[str, str] = field(default_factory=dict)
    """Title, body and response before any cleaning; what is empty is left out."""


class Originals:
    """The originals of some examples, as far as the files of candidates have been read."""

    def __init__(self, files: Sequence[Path], examples: Iterable[Example]) -> None:
        self._files = files
        self._found: dict[str, Original] = {}
        self._wanted: dict[tuple[str, tuple[str, ...]], list[Example]] = {}
        for example in examples:
            known = example.provenance
            self._wanted.setdefault((known.site, known.ids), []).append(example)
        self.all_read = not files
        self.problem = ""
        """Why the files could not be read to their end."""

    def of(self, id: str) -> Original | None:
        """The original of an example; None where none was found, or not yet (`all_read`)."""
        return self._found.get(id)

    def read(self) -> Iterator[None]:
        """Read all files; pauses every `LINES_AT_ONCE` lines."""
        for path in self._files:
            try:
                with path.open(encoding="utf-8") as lines:
                    for number, line in enumerate(lines, start=1):
                        self._take(line)
                        if number % LINES_AT_ONCE == 0:
                            yield
            except (ValueError, OSError) as error:
                first = str(error).splitlines()[0]
                self.problem = f"{path}: originals cannot be read on: {first}"
        self.all_read = True

    def _take(self, line: str) -> None:
        key = KEY.search(line)
        if not key:
            return
        provenance, _ = json.JSONDecoder().raw_decode(line, key.end())
        examples = self._wanted.get((provenance["site"], tuple(provenance["ids"])))
        if examples is None:
            return
        candidate: Candidate = adapter_of(Candidate).validate_json(line)
        original = original_of(candidate)
        for example in examples:
            if example.source == candidate.source and example.prompt in (
                original.title,
                original.body,
            ):
                self._found[example.id] = original


def original_of(candidate: Candidate) -> Original:
    """A candidate as the page shows it beside its example."""
    parts: dict[str, Any] = {
        "title": candidate.title,
        "body": candidate.body,
        "response": candidate.response,
    }
    return Original(
        title=prompt_of(candidate, 1, 0) if candidate.title else "",
        body=rendered(candidate.body, candidate.markup),
        markup=candidate.markup,
        found={name: text for name, text in parts.items() if text},
    )
