"""What every reader is told about the shard it reads, and the table that picks best answers."""

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limaflow.errors import InputError

BEST = "best response, kept with its prompt"
OTHER = "response that is not the best, or to no prompt"
"""Rows that readers count as passed over, so that all rows of a raw file are accounted for."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One shard of a source: raw files of one kind, read into one file of candidates."""

    source: str
    name: str
    files: tuple[Path, ...]
    scratch: Path
    """Existing folder for temporary files, as large as the raw text."""
    licence: str = ""
    subreddit: str = ""
    prompt_field: str = "prompt"
    response_field: str = "response"

    def id(self, native: str) -> str:
        """Identity of a candidate: where it stands in the raw source."""
        return f"{self.source}/{self.name}/{native}"


class BestResponses:
    """Prompts and the best response to each, joined on disk, in whatever order they come.

    Memory stays flat for dumps of any size. The best response has the highest score; then the one
    that the asker accepted, then the lowest number.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        database.execute("CREATE TABLE prompt (id TEXT PRIMARY KEY, accepted TEXT, row TEXT)")
        database.execute(
            "CREATE TABLE response (parent TEXT, id TEXT, number INTEGER, score INTEGER, row TEXT)"
        )

    def add_prompt(self, key: str, row: dict[str, Any], accepted: str | None = None) -> bool:
        """Store a prompt; False if one of that key is there already."""
        added = self._database.execute(
            "INSERT OR IGNORE INTO prompt VALUES (?, ?, ?)", (key, accepted, json.dumps(row))
        )
        return added.rowcount == 1

    def add_response(
        self, parent: str, key: str, number: int, score: int, row: dict[str, Any]
    ) -> None:
        """Store a response to the prompt `parent`; `number` orders responses by age."""
        self._database.execute(
            "INSERT INTO response VALUES (?, ?, ?, ?, ?)",
            (parent, key, number, score, json.dumps(row)),
        )

    def pairs(self) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
        """Each prompt's row, by key, with the row of its best response or None."""
        self._database.execute("CREATE INDEX by_parent ON response (parent)")
        joined = self._database.execute(
            "SELECT prompt.row, response.row FROM ("
            "  SELECT prompt.rowid AS asked, response.rowid AS answered, row_number() OVER ("
            "    PARTITION BY prompt.id"
            "    ORDER BY score DESC, response.id = accepted DESC, number) AS place"
            "  FROM prompt LEFT JOIN response ON parent = prompt.id)"
            " JOIN prompt ON prompt.rowid = asked LEFT JOIN response ON response.rowid = answered"
            " WHERE place = 1 ORDER BY prompt.id"
        )
        for prompt, response in joined:
            yield json.loads(prompt), None if response is None else json.loads(response)


@contextmanager
def best_responses(scratch: Path) -> Iterator[BestResponses]:
    """A table in a temporary file under `scratch`, gone when the block ends.

    Raises:
        InputError: the disk is full.
    """
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".pairs-") as folder:
        database = sqlite3.connect(Path(folder) / "pairs.sqlite", isolation_level=None)
        try:
            yield BestResponses(database)
        except sqlite3.OperationalError as error:
            raise InputError(f"temporary table of posts: {error}", path=scratch) from None
        finally:
            database.close()


def lossless(text: str) -> str:
    """`text` with lone surrogates replaced, which no UTF-8 file can hold."""
    return text.encode("utf-8", "replace").decode()
