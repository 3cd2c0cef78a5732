"""The store of paid answers under several writers."""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from limaflow.endpoints.settings import Budget
from limaflow.endpoints.spending import Spending
from limaflow.endpoints.store import _FORMATS, Answer, GroupCommit, Store
from limaflow.errors import InputError

WRITER = """
import sys
from pathlib import Path
from limaflow.endpoints.settings import Budget
from limaflow.endpoints.spending import Spending
from limaflow.endpoints.store import Answer, Store
with Store(Path(sys.argv[1])) as store:
    for i in range(80):
        store.reserve("run", Spending(2.0, 20), Budget())
        answer = Answer(reply=f"{sys.argv[2]} {i}", cost=1.0)
        store.put(f"shared {i}", answer, judge="judge", model="m", template="t")
        store.put(f"{sys.argv[2]} {i}", answer, judge="judge", model="m", template="t")
        store.settle("run", Spending(2.0, 20), Spending(1.0, 10))
"""


OLDER = """
create table answers (
    key text primary key, judge text not null, model text not null, template text not null,
    reply text not null, answered_by text not null, prompt_tokens integer not null,
    completion_tokens integer not null, cost real not null,
    at text not null default current_timestamp
) without rowid;
create table spending (judge text primary key, cost real not null) without rowid;
insert into answers values ('k', 'j', 'm', 't', 'first', 'm fp', 0, 0, 0.5, '2026-01-01');
pragma user_version = 1;
"""


def put(store: Store, key: str, reply: str) -> Answer:
    return store.put(key, Answer(reply=reply), judge="j", model="m", template="t")


def test_what_is_put_is_found_in_a_later_process(tmp_path: Path) -> None:
    answer = Answer(reply="first", answered_by="m fp", prompt_tokens=3, cost=0.5)
    with Store(tmp_path / "s") as store:
        store.put("k", answer, judge="j", model="m", template="t")
    with Store(tmp_path / "s") as store:
        assert store.get("k") == answer
        assert store.get("other") is None


def test_the_first_of_two_answers_to_one_question_stays(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        put(store, "k", "first")
        assert put(store, "k", "second").reply == "first"


def test_an_error_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store, pytest.raises(ValueError, match="no answer"):
        store.put("k", Answer(error="timed out"), judge="j", model="m", template="t")


@pytest.mark.slow
def test_many_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "s"), name])
        for name in "abcd"
    ]
    assert [writer.wait() for writer in writers] == [0] * len(writers)
    with Store(tmp_path / "s") as store:
        assert all(store.get(f"{kind} {i}") for kind in [*"abcd", "shared"] for i in range(80))
        assert store.spent("run") == Spending(80.0 * len(writers), 800 * len(writers))


@pytest.mark.parametrize(
    ("budget", "bound", "paid"),
    [
        (Budget(cost=10.0), Spending(cost=6.0, tokens=600), Spending(2.0, 200)),
        (Budget(tokens=1000), Spending(cost=6.0, tokens=600), Spending(2.0, 200)),
    ],
    ids=["money", "tokens"],
)
def test_a_reservation_that_would_pass_the_budget_is_refused(
    tmp_path: Path, budget: Budget, bound: Spending, paid: Spending
) -> None:
    with Store(tmp_path / "s") as store, Store(tmp_path / "s") as other:
        assert store.reserve("r", bound, budget)
        assert not other.reserve("r", bound, budget), "another process's reservation counts"
        assert other.reserve("another run", bound, budget)
        store.settle("r", bound, paid)
        assert other.reserve("r", bound, budget)
        assert (store.spent("r"), store.reserved("r")) == (paid, bound)


def test_answers_of_an_older_format_are_kept(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "s")
    connection.executescript(OLDER)
    connection.close()
    with Store(tmp_path / "s") as store:
        assert store.get("k") == Answer(reply="first", answered_by="m fp", cost=0.5)
        assert store.reserve("r", Spending(1.0, 10), Budget(cost=1.0))


def test_reservations_of_open_batches_are_told_apart_from_an_older_formats_spending(
    tmp_path: Path,
) -> None:
    connection = sqlite3.connect(tmp_path / "s")
    connection.executescript(";".join(_FORMATS[:2]))
    connection.execute("insert into spending values ('r', 5.0, 500), ('other', 1.0, 10)")
    for token in ("one", "two"):
        connection.execute(
            "insert into batches values (?, null, 'm', 'r', 1.5, 100, '[\"k\"]')", (token,)
        )
    connection.execute("pragma user_version = 2")
    connection.commit()
    connection.close()
    with Store(tmp_path / "s") as store:
        assert (store.spent("r"), store.reserved("r")) == (Spending(2.0, 300), Spending(3.0, 200))
        assert (store.spent("other"), store.reserved("other")) == (Spending(1.0, 10), Spending())
        for batch in store.open_batches("m"):
            store.close_batch(batch, Spending(0.5, 30))
        assert (store.spent("r"), store.reserved("r")) == (Spending(3.0, 360), Spending())


DYING = """
import os, sys
from pathlib import Path
from limaflow.endpoints.settings import Budget
from limaflow.endpoints.spending import Spending
from limaflow.endpoints.store import Batch, Store
store = Store(Path(sys.argv[1]))
store.reserve("r", Spending(1.0, 100), Budget())
store.reserve("r", Spending(2.0, 200), Budget(), batch="b")
store.keep_batch(
    Batch(token="b", id=None, model="m", run="r", reserved=Spending(2.0, 200), keys=("k",))
)
os._exit(9)
"""


def test_what_a_dead_process_held_is_released_and_no_living_ones_nor_a_batch(
    tmp_path: Path,
) -> None:
    died = subprocess.run([sys.executable, "-c", DYING, tmp_path / "s"], check=False)
    assert died.returncode == 9
    with Store(tmp_path / "s") as living, Store(tmp_path / "s") as store:
        living.reserve("r", Spending(4.0, 400), Budget())
        assert store.reserved("r") == Spending(7.0, 700)
        budget = Budget(cost=7.0)
        assert store.has_room_later("r", Spending(4.0, 1), budget), "the living one will settle"
        assert not store.has_room_later("r", Spending(5.0, 1), budget), "the dead one will not"
        assert store.release_dead("another") == {}
        assert store.release_dead() == {"r": Spending(1.0, 100)}
        assert store.reserved("r") == Spending(6.0, 600)
        living.settle("r", Spending(4.0, 400), Spending(3.0, 300))
        assert (store.spent("r"), store.reserved("r")) == (Spending(3.0, 300), Spending(2.0, 200))
    assert not (tmp_path / ".s.holders").exists(), "nothing is left beside it"


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("not a database " * 100)
    with pytest.raises(InputError, match="cannot be used as judgment store"):
        Store(tmp_path / "s")


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be used as judgment store"):
        Store(tmp_path)


def test_a_store_that_cannot_be_written_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("limaflow.endpoints.store.LOCK_WAIT_SECONDS", 0.1)
    with Store(tmp_path / "s") as store, contextlib.closing(sqlite3.connect(tmp_path / "s")) as by:
        put(store, "k", "first")
        by.execute("begin exclusive")
        with pytest.raises(InputError, match=r"cannot be written: database is locked"):
            store.reserve("r", Spending(1.0, 1), Budget())
        by.rollback()
        assert store.get("k")


def test_a_write_that_fails_does_not_leave_its_writer_waiting(tmp_path: Path) -> None:
    async def write(store: Store) -> None:
        await asyncio.wait_for(GroupCommit(store)(lambda: store.settle("r", *beyond)), 5)

    beyond = Spending(), Spending(0.0, 10**30)
    with Store(tmp_path / "s") as store:
        with pytest.raises(OverflowError):
            asyncio.run(write(store))
        assert put(store, "k", "first").reply == "first"


def test_a_store_of_another_format_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "s")
    connection.execute("pragma user_version = 9")
    connection.close()
    with pytest.raises(InputError, match="format 9"):
        Store(tmp_path / "s")
