"""Records of commands that are run for real, as processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.recording.changes import refuse_changed
from limaflow.recording.job import shown
from limaflow.recording.record import read_record, record_of
from limaflow.recording.verify import verify

LIMAFLOW = "import sys; from limaflow.cli import main; sys.exit(main())"
ROW = {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]}


def limaflow(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LIMAFLOW, *words]
    environment = os.environ | more
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def adopted(tmp_path: Path) -> Path:
    """A folder with a data set and the examples made of it."""
    (tmp_path / "data.jsonl").write_text(f"{json.dumps(ROW)}\n", encoding="utf-8")
    done = limaflow(tmp_path, "curate", "adopt", "--output", "made/rows.jsonl", "data.jsonl")
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_a_record_holds_inputs_command_code_and_machine(adopted: Path) -> None:
    record = read_record(adopted / "made" / "rows.jsonl")
    assert record is not None
    assert record.command == ("curate", "adopt", "--output", "made/rows.jsonl", "data.jsonl")
    assert list(record.inputs) == ["../data.jsonl"]
    assert record.inputs["../data.jsonl"].record is None
    assert record.code.source
    assert record.machine.cpus
    assert record.cost is None
    assert not record_of(adopted / "data.jsonl").exists()


def test_a_command_that_fails_leaves_the_record_of_what_it_did_not_touch(adopted: Path) -> None:
    before = record_of(adopted / "made" / "rows.jsonl").read_bytes()
    done = limaflow(adopted, "curate", "adopt", "--output", "made/rows.jsonl", "absent.jsonl")
    assert done.returncode == 1
    assert record_of(adopted / "made" / "rows.jsonl").read_bytes() == before


def test_what_is_made_of_a_recorded_file_names_its_record(adopted: Path) -> None:
    prompts, made = "made/rows.jsonl", "made/few.json"
    first = read_record(adopted / prompts)
    done = limaflow(
        adopted, "curate", "contamination", "--settings", '{"ngram_words": 13}',
        "--prompts", prompts, "--report", made, prompts,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = read_record(adopted / made)
    assert record is not None
    assert first is not None
    assert record.inputs["rows.jsonl"].record == first.digest
    (adopted / prompts).write_text("", encoding="utf-8")
    problems = {path.name: why for path, why in verify(adopted / "made").problems}
    assert problems.keys() == {"rows.jsonl"}
    limaflow(adopted, "curate", "adopt", "--output", prompts, "data.jsonl")
    assert verify(adopted / "made").problems == []


def test_keys_and_passwords_stay_out() -> None:
    words = ["judge", "--judge", '{"base_url": "https://me:hunter2@host/v1"}', "--key=abcd1234efgh"]
    assert shown(words, {"OPENAI_API_KEY": "abcd1234efgh", "HOME": "judge"}) == (
        *("judge", "--judge", '{"base_url": "https://…@host/v1"}', "--key=…"),
    )


def test_statistics_refuse_a_changed_file_until_it_is_accepted(adopted: Path) -> None:
    path = adopted / "made" / "rows.jsonl"
    words = ["judge", "summarize", "--output", "x.json", str(path)]
    refuse_changed(words)
    path.write_text(path.read_text("utf-8").replace("So.", "No."), encoding="utf-8")
    with pytest.raises(InputError, match=r"changed after `limaflow curate adopt` .* accept"):
        refuse_changed(words)
    refuse_changed(["generate", "respond", str(path)])
    done = limaflow(adopted, "records", "accept", "made/rows.jsonl")
    assert done.returncode == 0, done.stderr
    refuse_changed(words)
    record = read_record(path)
    assert record is not None
    assert record.accepted_in_place_of
    assert verify(adopted).accepted == [path]


def test_any_changed_byte_of_a_record_is_found(adopted: Path) -> None:
    place = record_of(adopted / "made" / "rows.jsonl")
    whole = place.read_bytes()
    for index in range(0, len(whole), 7):
        place.write_bytes(whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :])
        assert [path for path, _ in verify(adopted).problems] == [place], index


def test_verify_names_what_differs_and_fails(adopted: Path) -> None:
    right = limaflow(adopted, "records", "verify", "made")
    assert right.returncode == 0
    assert "1 files of 1 jobs are as they were made" in right.stdout
    (adopted / "made" / "rows.jsonl").unlink()
    (adopted / "made" / "other.txt").touch()
    wrong = limaflow(adopted, "records", "verify", "made")
    assert wrong.returncode == 1
    assert "rows.jsonl: is gone" in wrong.stdout
    assert "no job on record made 1 files: other.txt" in wrong.stdout
