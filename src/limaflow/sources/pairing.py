"""Prompts and the best response to each, joined on disk, in whatever order they come."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from heapq import merge
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from limaflow.errors import InputError

WINDOW_CHARS = 64 * 1024 * 1024
"""Text held in memory before it goes to disk."""
POST_CHARS = 500
"""What a post takes besides its text."""
CACHE_KIB = 64 * 1024
HIGHEST = 2**63 - 1


class Post(NamedTuple):
    """A question, an answer, a submission or a comment, as far as a candidate needs it."""

    number: int
    """Identity among prompts, or among the responses to a prompt; rises with time."""
    other: int | None
    """Of a prompt, the response that its author accepted; of a response, its prompt."""
    score: int
    title: str
    text: str
    author: str
    licence: str = ""
    link: str = ""


COLUMNS = ", ".join(Post._fields)
INSERT = "INSERT OR IGNORE INTO {} VALUES (" + ", ".join("?" for _ in Post._fields) + ")"
SELECT = f"SELECT {COLUMNS} FROM {{}} WHERE {{}} BETWEEN ? AND ? ORDER BY {{}}"


class PostTable:
    """Prompts and responses on their way to disk.

    Memory stays flat for dumps of any size: what comes is held in a window, from which a prompt's
    best responses alone go on.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._prompts: dict[int, Post] = {}
        self._responses: dict[int, list[Post]] = {}
        self._chars = 0
        self.twice: list[int] = []
        """Numbers of prompts that came again; the first one of a number stays."""
        for statement in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            f"PRAGMA cache_size = -{CACHE_KIB}",
            "BEGIN",
            "CREATE TABLE prompt (number INTEGER PRIMARY KEY, {})".format(
                ", ".join(Post._fields[1:])
            ),
            f"CREATE TABLE response ({COLUMNS})",
        ):
            database.execute(statement)

    def add_prompt(self, post: Post) -> None:
        """Store a prompt."""
        if post.number in self._prompts:
            self.twice.append(post.number)
        else:
            self._prompts[post.number] = post
            self._hold(post)

    def add_response(self, post: Post) -> None:
        """Store a response to the prompt of the number `post.other`."""
        assert post.other is not None
        best = self._responses.get(post.other)
        if best is None or post.score > best[0].score:
            self._responses[post.other] = [post]
        elif post.score == best[0].score:
            best.append(post)
        else:
            return
        self._hold(post)

    def close(self) -> None:
        """Bring all to disk."""
        self._to_disk()
        self._database.execute("CREATE INDEX by_prompt ON response (other, number)")
        self._database.execute("COMMIT")

    def _hold(self, post: Post) -> None:
        self._chars += len(post.text) + POST_CHARS
        if self._chars > WINDOW_CHARS:
            self._to_disk()

    def _to_disk(self) -> None:
        self.twice += self._already_there()
        self._database.executemany(INSERT.format("prompt"), self._prompts.values())
        self._database.executemany(
            INSERT.format("response"), chain.from_iterable(self._responses.values())
        )
        self._prompts, self._responses, self._chars = {}, {}, 0

    def _already_there(self) -> list[int]:
        """Numbers of the window's prompts that an earlier window had."""
        (last,) = self._database.execute("SELECT max(number) FROM prompt").fetchone()
        known = "SELECT 1 FROM prompt WHERE number = ?"
        return [
            number
            for number in self._prompts
            if last is not None
            and number <= last
            and self._database.execute(known, (number,)).fetchone()
        ]


@contextmanager
def post_table(path: Path) -> Iterator[PostTable]:
    """A new table in the file `path`, complete when the block ends.

    Raises:
        InputError: the disk is full.
    """
    with (
        _database_errors_named(path),
        closing(sqlite3.connect(path, isolation_level=None)) as database,
    ):
        table = PostTable(database)
        yield table
        table.close()


def pairs(
    tables: Sequence[Path], low: int = -HIGHEST, high: int = HIGHEST
) -> Iterator[tuple[Post, Post | None]]:
    """Each prompt of a number from `low` to `high`, by number, with its best response or None.

    That has the highest score; then it is the one that the prompt's author accepted, then the one
    with the lowest number. A number that several tables have comes several times.

    Raises:
        InputError: a table cannot be read.
    """
    with ExitStack() as stack:
        stack.enter_context(_database_errors_named(tables[0]))
        opened = [stack.enter_context(closing(sqlite3.connect(path))) for path in tables]
        responses = _merged(opened, "response", "other", low, high)
        response = next(responses, None)
        for prompt in _merged(opened, "prompt", "number", low, high):
            while response is not None and response.other < prompt.number:  # type: ignore[operator]
                response = next(responses, None)
            best = None
            while response is not None and response.other == prompt.number:
                if best is None or _rank(response, prompt) < _rank(best, prompt):
                    best = response
                response = next(responses, None)
            yield prompt, best


def ranges(tables: Iterable[Path], parts: int) -> list[tuple[int, int]]:
    """Ranges of prompts' numbers that cut the tables into some `parts` alike."""
    found = []
    for path in tables:
        with closing(sqlite3.connect(path)) as database:
            found += database.execute("SELECT min(number), max(number) FROM prompt").fetchall()
    ends = [end for pair in found for end in pair if end is not None]
    low, high = min(ends, default=0), max(ends, default=0)
    cuts = [low + (high - low) * part // parts for part in range(1, parts)]
    return list(zip([-HIGHEST, *(cut + 1 for cut in cuts)], [*cuts, HIGHEST], strict=True))


def _rank(response: Post, prompt: Post) -> tuple[int, bool, int]:
    return -response.score, response.number != prompt.other, response.number


def _merged(
    opened: Sequence[sqlite3.Connection], table: str, key: str, low: int, high: int
) -> Iterator[Post]:
    query = SELECT.format(table, key, key)
    streams = [map(Post._make, one.execute(query, (low, high))) for one in opened]
    return streams[0] if len(streams) == 1 else merge(*streams, key=attrgetter(key))


@contextmanager
def _database_errors_named(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise InputError(
            f"temporary table of posts: {error}", path=path, fix="is there room on the disk?"
        ) from None
