"""The ledger: append-only, shared, and whole after any kill."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from limaflow.curation.ledger import Decision, append, file_of, files_of, read
from limaflow.errors import InputError
from limaflow.journal import prepare
from limaflow.records import Message

KEEP = Decision(id="a" * 16, decision="keep", reviewer="ann", prompt="How?", time="2026-01-01")
REJECT = Decision(id="b" * 16, decision="reject", reviewer="ann", reason="dull")
CUT = '{"decision": "keep", "id": "cccc'


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "lima.review.jsonl"


def test_what_is_added_is_read_again_in_order(ledger: Path) -> None:
    edit = Decision(
        id="c" * 16,
        decision="edit",
        reviewer="ann",
        messages=(Message(role="user", content="q\n“ü”"), Message(role="assistant", content="a")),
    )
    for decision in (KEEP, REJECT, edit):
        append(ledger, decision)
    assert read([ledger]).decisions == (KEEP, REJECT, edit)


def test_lines_hold_only_what_is_said(ledger: Path) -> None:
    append(ledger, REJECT)
    assert json.loads(ledger.read_text()) == {
        "decision": "reject",
        "id": "b" * 16,
        "reason": "dull",
        "reviewer": "ann",
    }


def test_adding_never_changes_what_stands(ledger: Path) -> None:
    append(ledger, KEEP)
    before = ledger.read_bytes()
    append(ledger, REJECT)
    assert ledger.read_bytes().startswith(before)


def test_a_line_cut_short_is_warned_of_and_does_not_count(ledger: Path) -> None:
    append(ledger, KEEP)
    with ledger.open("a") as file:
        file.write(CUT)
    found = read([ledger])
    assert found.decisions == (KEEP,)
    assert "lima.review.jsonl:2: the last line is cut short" in found.warnings[0]


@pytest.mark.parametrize(
    "step", [lambda path: prepare(path, Decision), lambda path: append(path, REJECT)]
)
def test_a_line_cut_short_is_set_aside_not_lost(
    ledger: Path, step: Callable[[Path], str | None]
) -> None:
    append(ledger, KEEP)
    whole = ledger.read_bytes()
    with ledger.open("a") as file:
        file.write(CUT)
    assert "cut short" in (step(ledger) or "")
    assert ledger.read_bytes().startswith(whole)
    assert CUT not in ledger.read_text()
    assert ledger.with_name("lima.review.jsonl.cut").read_text() == CUT + "\n"
    assert read([ledger]).warnings == ()


def test_a_whole_line_without_its_end_counts(ledger: Path) -> None:
    append(ledger, KEEP)
    ledger.write_bytes(ledger.read_bytes().rstrip())
    assert read([ledger]).decisions == (KEEP,)
    append(ledger, REJECT)
    assert read([ledger]).decisions == (KEEP, REJECT)


def test_a_broken_line_in_the_middle_is_an_error_with_its_place(ledger: Path) -> None:
    ledger.write_text(CUT + "\n")
    append(ledger, KEEP)
    with pytest.raises(InputError, match=r"lima\.review\.jsonl:1: not a valid Decision"):
        read([ledger])


def test_a_full_disk_leaves_the_ledger_as_it_was(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(ledger, KEEP)
    before = ledger.read_bytes()
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:9]))
    with pytest.raises(OSError, match="only 9 of"):
        append(ledger, REJECT)
    assert ledger.read_bytes() == before


def test_several_processes_write_whole_lines(ledger: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from limaflow.curation.ledger import *\n"
        "for n in range(50): append(Path(sys.argv[1]),"
        " Decision(id=f'{n:016}', decision='keep', reviewer=sys.argv[2], reason='x' * 5000))"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(ledger), name])
        for name in ("ann", "bob", "cy")
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    decisions = read([ledger]).decisions
    assert len(decisions) == 150
    mine = [d.id for d in decisions if d.reviewer == "bob"]
    assert mine == sorted(mine)


def test_a_ledger_is_a_file_or_a_folder_with_one_a_reviewer(tmp_path: Path) -> None:
    folder = tmp_path / "lima.review"
    assert files_of(folder) == []
    for name in ("bob", "ann"):
        append(file_of(folder, name), KEEP)
    assert files_of(folder) == [folder / "ann.jsonl", folder / "bob.jsonl"]
    shared = tmp_path / "shared.jsonl"
    assert file_of(shared, "ann") == file_of(shared, "bob") == shared
    assert files_of(shared) == []
