"""The judge's store: every answer that was paid for, found again by the content of its question.

One SQLite file for all experiments. Several processes may read and write it at once, and a killed
one leaves every answer it was given. The journal is SQLite's rollback journal, whose locks work on
a network file system that honours POSIX locks (NFSv4, Lustre with flock); its write-ahead log does
not. Where a cluster's file system has no working locks, give each node a store of its own.
"""

import asyncio
import contextlib
import dataclasses
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from limaflow.errors import InputError

Result = TypeVar("Result")
LOCK_WAIT_SECONDS = 120.0
FORMAT = 1
_TABLES = """
create table if not exists answers (
    key text primary key, judge text not null, model text not null, template text not null,
    reply text not null, answered_by text not null, prompt_tokens integer not null,
    completion_tokens integer not null, cost real not null,
    at text not null default current_timestamp
) without rowid;
create table if not exists spending (judge text primary key, cost real not null) without rowid;
"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of one question: a readable reply, or an `error`; errors are never stored."""

    reply: str = ""
    answered_by: str = ""
    """Model name and system fingerprint that the endpoint returned."""
    prompt_tokens: int = 0
    """Summed over all attempts, as are completion tokens and cost."""
    completion_tokens: int = 0
    cost: float = 0.0
    error: str | None = None

    def told(self, annotator: str, template: str) -> dict[str, Any]:
        """The fields of a `records.Judgment` that this answer fills."""
        return {"annotator": annotator, "template": template, **dataclasses.asdict(self)}


class Store:
    """An open store; a context manager."""

    def __init__(self, path: Path) -> None:
        """Open or create the store.

        Raises:
            InputError: the file is no store, or of another format.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(
            path, timeout=LOCK_WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            # The changes of a killed process survive without a sync; those of a power cut may not.
            self._connection.execute("pragma synchronous = normal")
            self._connection.execute("pragma journal_mode = truncate")
            with self._writing():
                (found,) = self._connection.execute("pragma user_version").fetchone()
                if found == 0:
                    for statement in _TABLES.split(";"):
                        self._connection.execute(statement)
                    self._connection.execute(f"pragma user_version = {FORMAT}")
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise InputError(f"cannot be used as judgment store: {error}", path=path) from None
        if found not in {0, FORMAT}:
            self._connection.close()
            raise InputError(f"a judgment store of format {found}, not {FORMAT}", path=path)

    def get(self, key: str) -> Answer | None:
        """The stored answer to the question with this key."""
        row = self._connection.execute(
            "select reply, answered_by, prompt_tokens, completion_tokens, cost"
            " from answers where key = ?",
            (key,),
        ).fetchone()
        if row is None:
            return None
        reply, answered_by, prompt_tokens, completion_tokens, cost = row
        return Answer(
            reply=reply,
            answered_by=answered_by,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            cost=cost,
        )

    def put(self, key: str, answer: Answer, *, judge: str, model: str, template: str) -> Answer:
        """Keep `answer` and return what the store now holds: the first of two writers wins."""
        if answer.error is not None:
            raise ValueError("an error is no answer")
        row = (key, judge, model, template, answer.reply, answer.answered_by)
        numbers = (answer.prompt_tokens, answer.completion_tokens, answer.cost)
        self._connection.execute(
            "insert or ignore into answers (key, judge, model, template, reply, answered_by,"
            " prompt_tokens, completion_tokens, cost) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, *numbers),
        )
        return self.get(key) or answer

    def reserve(self, judge: str, cost: float, budget: float | None) -> bool:
        """Count `cost` as spent by `judge`, unless this would pass `budget`; True if it was.

        Reservations of all processes count. Those of a killed process stay, since its calls may
        have been paid.
        """
        if not cost:
            return True
        with self._writing():
            if budget is not None and self.spent(judge) + cost > budget:
                return False
            self._connection.execute(
                "insert into spending values (?, ?)"
                " on conflict (judge) do update set cost = cost + excluded.cost",
                (judge, cost),
            )
        return True

    def settle(self, judge: str, reserved: float, paid: float) -> None:
        """Replace a reservation by what the call really cost."""
        if reserved != paid:
            self._connection.execute(
                "update spending set cost = max(0, cost + ?) where judge = ?",
                (paid - reserved, judge),
            )

    def spent(self, judge: str) -> float:
        """What `judge` has cost so far, reservations included."""
        row = self._connection.execute("select cost from spending where judge = ?", (judge,))
        return float((row.fetchone() or (0.0,))[0])

    def together(self, writes: Sequence[Callable[[], Any]]) -> list[Any]:
        """Run `writes` in one transaction and return their results."""
        with self._writing():
            return [write() for write in writes]

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction that holds the writer's lock from its start; within one, a part of it."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def close(self) -> None:
        """Close the file; every answer is already in it."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class GroupCommit:
    """Writes of many coroutines to one store, off the event loop.

    A commit waits for the disk, so writes that come in meanwhile share the next one. A write's
    result is there only once it is committed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self._committing: asyncio.Task[None] | None = None

    async def __call__(self, write: Callable[[], Result]) -> Result:
        """The result of `write`, a call of one of the store's methods, when it is committed."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((write, future))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit())
        return await future

    async def _commit(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            writes = [write for write, _ in batch]
            try:
                results = await asyncio.to_thread(self._store.together, writes)
            except sqlite3.Error as error:
                for _, future in batch:
                    future.set_exception(error)
                continue
            for (_, future), result in zip(batch, results, strict=True):
                if not future.cancelled():
                    future.set_result(result)
