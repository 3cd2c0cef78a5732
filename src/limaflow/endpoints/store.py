"""The judge's store: every answer that was paid for, found again by the content of its question.

One SQLite file for all experiments. Several processes may read and write it at once, and a killed
one leaves every answer it was given. The journal is SQLite's rollback journal, whose locks work on
a network file system that honours POSIX locks (NFSv4, Lustre with flock); its write-ahead log does
not. Where a cluster's file system has no working locks, give each node a store of its own.
"""

import asyncio
import contextlib
import dataclasses
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from limaflow.endpoints.holders import Holders
from limaflow.endpoints.settings import Budget
from limaflow.endpoints.spending import Spending
from limaflow.errors import InputError
from limaflow.permissions import of_another_user
from limaflow.recording import cost as job_cost

Result = TypeVar("Result")
LOCK_WAIT_SECONDS = 120.0
_FORMATS = (
    """
create table answers (
    key text primary key, judge text not null, model text not null, template text not null,
    reply text not null, answered_by text not null, prompt_tokens integer not null,
    completion_tokens integer not null, cost real not null,
    at text not null default current_timestamp
) without rowid
""",
    """
drop table if exists spending;
create table spending (
    run text primary key, cost real not null, tokens integer not null
) without rowid;
create table batches (
    token text primary key, id text, model text not null, run text not null, cost real not null,
    tokens integer not null, keys text not null
) without rowid
""",
    """
create table reserved (
    run text primary key, cost real not null, tokens integer not null
) without rowid;
insert into reserved select run, sum(cost), sum(tokens) from batches group by run;
update spending set cost = max(0, spending.cost - reserved.cost),
    tokens = spending.tokens - reserved.tokens from reserved where spending.run = reserved.run
""",
    """
create table held (
    run text not null, holder text not null, cost real not null, tokens integer not null,
    primary key (run, holder)
) without rowid;
insert into held select run, token, cost, tokens from batches;
insert into held select r.run, '', max(0, r.cost - coalesce(sum(b.cost), 0)),
    r.tokens - coalesce(sum(b.tokens), 0)
    from reserved r left join batches b on b.run = r.run group by r.run;
drop table reserved;
alter table held rename to reserved
""",
)
"""What makes each format out of the one before it, from an empty file on."""
FORMAT = len(_FORMATS)


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

    @property
    def spending(self) -> Spending:
        """What its calls used up."""
        tokens = self.prompt_tokens + self.completion_tokens
        return Spending(self.cost, tokens, self.completion_tokens)

    def after(self, earlier: "Answer") -> "Answer":
        """This answer, with the tokens and the cost of an earlier attempt added."""
        return dataclasses.replace(
            self,
            prompt_tokens=earlier.prompt_tokens + self.prompt_tokens,
            completion_tokens=earlier.completion_tokens + self.completion_tokens,
            cost=earlier.cost + self.cost,
        )

    def judgment_fields(self, annotator: str, template: str) -> dict[str, Any]:
        """The fields of a `records.Judgment` that this answer fills."""
        return {"annotator": annotator, "template": template, **dataclasses.asdict(self)}


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Questions that are with a provider's batch API, so that a killed run finds them again."""

    token: str
    """Our name for it, which the provider keeps among the batch's metadata."""
    id: str | None = None
    """The provider's name for it; None until the provider has said that it has it."""
    model: str
    """Model and endpoint."""
    run: str
    reserved: Spending
    keys: tuple[str, ...]


class Store:
    """An open store; a context manager."""

    def __init__(self, path: Path) -> None:
        """Open or create the store.

        Raises:
            InputError: the file is no store, of another format, or another user's.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite would open it all the same, and fail at the first answer that was paid for.
        for place in (path.parent, path):
            if problem := of_another_user(place):
                raise problem
        self._path = path
        self._holders = Holders(path)
        try:
            self._connection = sqlite3.connect(
                path, timeout=LOCK_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
        except sqlite3.OperationalError as error:
            raise InputError(f"cannot be used as judgment store: {error}", path=path) from None
        try:
            # The changes of a killed process survive without a sync; those of a power cut may not.
            self._connection.execute("pragma synchronous = normal")
            self._connection.execute("pragma journal_mode = truncate")
            with self._transaction():
                (found,) = self._connection.execute("pragma user_version").fetchone()
                for statement in ";".join(_FORMATS[found:]).split(";"):
                    self._connection.execute(statement)
                if found < FORMAT:
                    self._connection.execute(f"pragma user_version = {FORMAT}")
        except (sqlite3.DatabaseError, InputError) as error:
            self._connection.close()
            if isinstance(error, InputError):
                raise
            raise InputError(f"cannot be used as judgment store: {error}", path=path) from None
        if found > FORMAT:
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

    def answered_by(self, judge: str, model: str) -> list[str]:
        """Who gave the stored answers of `judge`, each once, the newest last."""
        rows = self._connection.execute(
            "select answered_by from answers where judge = ? and model = ?"
            " group by answered_by order by max(at)",
            (judge, model),
        )
        return [name for (name,) in rows]

    def reserve(self, run: str, bound: Spending, budget: Budget, batch: str = "") -> bool:
        """Set `bound` aside for `run`, unless this would pass `budget`; True if it was.

        Reservations of all processes count. Those of a killed process stay, since its calls may
        have been paid, until `release_dead`.

        Args:
            batch: token of the batch that it is for; else it is this process's.
        """
        with self._transaction():
            if not (self.spent(run) + self.reserved(run) + bound).within(budget):
                return False
            self._add(run, batch or self._holders.own(), bound)
        return True

    def settle(self, run: str, reserved: Spending, paid: Spending, batch: str = "") -> None:
        """Replace a reservation by what the call really cost."""
        with self._transaction():
            self._add(run, batch or self._holders.own(), Spending() - reserved)
            self._connection.execute("delete from reserved where tokens <= 0 and run = ?", (run,))
            self._connection.execute(
                "insert into spending values (?, ?, ?) on conflict (run) do update"
                " set cost = max(0, cost + excluded.cost), tokens = tokens + excluded.tokens",
                (run, paid.cost, paid.tokens),
            )
        job_cost.add(paid.cost)

    def _add(self, run: str, holder: str, spending: Spending) -> None:
        self._connection.execute(
            "insert into reserved values (?, ?, ?, ?) on conflict (run, holder) do update"
            " set cost = max(0, cost + excluded.cost), tokens = tokens + excluded.tokens",
            (run, holder, spending.cost, spending.tokens),
        )

    def spent(self, run: str) -> Spending:
        """What the calls of `run` that came to an end have used up."""
        row = self._connection.execute("select cost, tokens from spending where run = ?", (run,))
        return Spending(*(row.fetchone() or ()))

    def reserved(self, run: str) -> Spending:
        """What its calls under way may use up, and those of killed processes may have."""
        return sum(self._reservations(run).values(), start=Spending())

    def _reservations(self, run: str) -> dict[str, Spending]:
        rows = self._connection.execute(
            "select holder, cost, tokens from reserved where run = ?", (run,)
        )
        return {holder: Spending(cost, tokens) for holder, cost, tokens in rows}

    def has_room_later(self, run: str, bound: Spending, budget: Budget) -> bool:
        """Whether `bound` may fit once other processes, which are at work, have settled theirs."""
        reservations = self._reservations(run)
        dead = (held for name, held in reservations.items() if not self._holders.alive(name))
        return (self.spent(run) + sum(dead, start=Spending()) + bound).within(budget)

    def release_dead(self, run: str | None = None) -> dict[str, Spending]:
        """Give back what ended processes had reserved, of one run or all; run → how much.

        Batches stay reserved: the provider may be at work on them, and a later run takes them in.
        """
        released: dict[str, Spending] = {}
        with self._transaction():
            rows = self._connection.execute(
                "select run, holder, cost, tokens from reserved"
                " where holder not in (select token from batches)"
            ).fetchall()
            for of_run, holder, cost, tokens in rows:
                if run in (None, of_run) and not self._holders.alive(holder):
                    self._connection.execute(
                        "delete from reserved where run = ? and holder = ?", (of_run, holder)
                    )
                    released[of_run] = released.get(of_run, Spending()) + Spending(cost, tokens)
        self._holders.forget_dead()
        return released

    def runs_with_reservations(self, run: str | None = None) -> list[str]:
        """The runs, or this one, for which something is reserved."""
        rows = self._connection.execute("select distinct run from reserved order by run")
        return [of_run for (of_run,) in rows if run in (None, of_run)]

    def wait_for(self, batch: Batch) -> None:
        """Let other processes know, as long as this store is open, that a batch is waited for."""
        self._holders.hold(batch.token)

    def open_batches(self, model: str) -> list[Batch]:
        """The batches of questions to `model` that were sent, or were about to be."""
        rows = self._connection.execute(
            "select token, id, model, run, cost, tokens, keys from batches where model = ?",
            (model,),
        )
        return [
            Batch(
                token=token,
                id=sent_as,
                model=model,
                run=run,
                reserved=Spending(cost, tokens),
                keys=tuple(json.loads(keys)),
            )
            for token, sent_as, model, run, cost, tokens, keys in rows
        ]

    def keep_batch(self, batch: Batch) -> None:
        """Write a batch down, or what has changed of it."""
        self._connection.execute(
            "insert or replace into batches values (?, ?, ?, ?, ?, ?, ?)",
            (
                *(batch.token, batch.id, batch.model, batch.run),
                *(batch.reserved.cost, batch.reserved.tokens, json.dumps(batch.keys)),
            ),
        )

    def close_batch(self, batch: Batch, paid: Spending) -> None:
        """Forget a batch and settle what it cost; nothing if another process has done so."""
        with self._transaction():
            gone = self._connection.execute("delete from batches where token = ?", (batch.token,))
            if gone.rowcount:
                self.settle(batch.run, batch.reserved, paid, batch.token)

    def together(self, writes: Sequence[Callable[[], Any]]) -> list[Any]:
        """Run `writes` in one transaction and return their results."""
        with self._transaction():
            return [write() for write in writes]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """A transaction that holds the writer's lock from its start; within one, a part of it."""
        if self._connection.in_transaction:
            yield
            return
        try:
            self._connection.execute("begin immediate")
            yield
            self._connection.execute("commit")
        except sqlite3.OperationalError as error:
            raise InputError(
                f"the judgment store cannot be written: {error}",
                path=self._path,
                fix="every answer that is in it stays; run again",
            ) from None
        finally:
            if self._connection.in_transaction:
                self._connection.execute("rollback")

    def close(self) -> None:
        """Close the file; every answer is already in it."""
        self._connection.close()
        self._holders.close()

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
            except Exception as error:  # whatever it is, the writers wait for it
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), result in zip(batch, results, strict=True):
                if not future.cancelled():
                    future.set_result(result)
