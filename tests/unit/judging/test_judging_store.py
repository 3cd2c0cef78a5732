"""The store of paid answers under several writers."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.judging.store import Answer, Store

WRITER = """
import sys
from pathlib import Path
from limaflow.judging.store import Answer, Store
with Store(Path(sys.argv[1])) as store:
    for i in range(300):
        store.reserve("judge", 2.0, None)
        answer = Answer(reply=f"{sys.argv[2]} {i}", cost=1.0)
        store.put(f"shared {i}", answer, judge="judge", model="m", template="t")
        store.put(f"{sys.argv[2]} {i}", answer, judge="judge", model="m", template="t")
        store.settle("judge", 2.0, 1.0)
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


def test_two_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "s"), name])
        for name in ("a", "b")
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    with Store(tmp_path / "s") as store:
        assert all(store.get(f"{kind} {i}") for kind in ("a", "b", "shared") for i in range(300))
        assert store.spent("judge") == 600


def test_a_reservation_that_would_pass_the_budget_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store, Store(tmp_path / "s") as other:
        assert store.reserve("j", 6.0, 10.0)
        assert not other.reserve("j", 6.0, 10.0), "another process's reservation counts"
        assert other.reserve("another judge", 6.0, 10.0)
        store.settle("j", 6.0, 2.0)
        assert other.reserve("j", 6.0, 10.0)
        assert store.spent("j") == 8.0


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("not a database " * 100)
    with pytest.raises(InputError, match="cannot be used as judgment store"):
        Store(tmp_path / "s")


def test_a_store_of_another_format_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "s")
    connection.execute("pragma user_version = 9")
    connection.close()
    with pytest.raises(InputError, match="format 9"):
        Store(tmp_path / "s")
