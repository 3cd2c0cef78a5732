"""Natural Instructions and authored rows, on the real files."""

import json
from collections import Counter
from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.sources.kinds import authored, messages, natural_instructions
from limaflow.sources.shard import ReadingOptions, Shard


def test_a_task_gives_definition_and_input_as_prompt_and_its_first_output(
    shared_data: Path, tmp_path: Path
) -> None:
    files = tuple(sorted((shared_data / "super-natural-instructions").glob("*.json")))
    shard = Shard(
        kind="natural-instructions",
        source="ni",
        name="tasks",
        files=files,
        scratch=tmp_path,
        options=ReadingOptions(),
    )
    found = list(natural_instructions.read(shard, Counter()))
    tasks = {path.stem: json.loads(path.read_text()) for path in files}
    assert len(found) == sum(len(task["Instances"]) for task in tasks.values()) == 354
    for candidate in found:
        task = tasks[candidate.stratum]
        assert candidate.title.startswith(task["Definition"][0].strip() + "\n\n")
        assert candidate.provenance.licence == task["Instance License"][0]
    assert [c.id for c in found] == sorted(c.id for c in found)


def test_a_task_in_files_of_its_splits_is_named_by_its_folder(
    shared_data: Path, tmp_path: Path
) -> None:
    names = ("task639_multi_woz_user_utterance_generation", "task1572_samsum_summary")
    for name in names:
        (tmp_path / name).mkdir()
        text = (shared_data / f"super-natural-instructions/{name}.json").read_text()
        (tmp_path / name / "dev.json").write_text(text)
    shard = Shard(
        kind="natural-instructions",
        source="ni",
        name="tasks",
        files=tuple(tmp_path / name / "dev.json" for name in names),
        scratch=tmp_path,
        options=ReadingOptions(),
    )
    found = Counter(c.stratum for c in natural_instructions.read(shard, Counter()))
    assert found == {names[0]: 18, names[1]: 20}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ('{"Instances": %s}' % ("9" * 5000), "a number of over 4300 digits"),
        ("[]", "no Definition"),
        ('{"Definition": ["d"]}', "Instances is no list"),
        ('{"Definition": ["d"], "Instances": [{"input": "i", "output": []}]}', r"Instances\.0"),
    ],
)
def test_a_file_that_is_no_task_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "task1.json"
    path.write_text(text)
    shard = Shard(
        kind="natural-instructions",
        source="ni",
        name="tasks",
        files=(path,),
        scratch=tmp_path,
        options=ReadingOptions(),
    )
    with pytest.raises(InputError, match=message):
        list(natural_instructions.read(shard, Counter()))


def test_dotted_fields_are_joined_and_empty_ones_left_out(
    shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "instructions/self-instruct-seed-tasks.jsonl"
    shard = Shard(
        kind="authored",
        source="seed",
        name="seed",
        files=(path,),
        scratch=tmp_path,
        options=authored.FieldOptions(
            prompt_field="instruction, instances.0.input", response_field="instances.0.output"
        ),
    )
    found = {c.provenance.ids[0]: c for c in authored.read(shard, Counter())}
    assert len(found) == 175
    assert found["seed_task_1"].title == (
        "What is the relation between the given pairs?\n\nNight : Day :: Right : Left"
    )
    assert found["seed_task_0"].title.endswith("700-1000 calories?")


def test_an_array_of_instructions_such_as_alpacas_is_read_like_lines(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Sort.", "input": "3 1 2", "output": "1 2 3"},
        {"instruction": "Name a tree.", "input": "", "output": "Oak."},
    ]
    path = tmp_path / "alpaca_data.json"
    path.write_text(json.dumps(rows, indent=4))
    shard = Shard(
        kind="authored",
        source="alpaca",
        name="all",
        files=(path,),
        scratch=tmp_path,
        options=authored.FieldOptions(prompt_field="instruction,input", response_field="output"),
    )
    found = list(authored.read(shard, Counter()))
    assert [(c.title, c.response) for c in found] == [
        ("Sort.\n\n3 1 2", "1 2 3"),
        ("Name a tree.", "Oak."),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [('[{"a": 1},\n3 4]', r"\.json:2: not JSON"), ("[1]", "entry 1 is not"), ("[" * 9**5, "JSON")],
)
def test_a_broken_array_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rows.json"
    path.write_text(text)
    shard = Shard(
        kind="authored",
        source="x",
        name="x",
        files=(path,),
        scratch=tmp_path,
        options=authored.FieldOptions(),
    )
    with pytest.raises(InputError, match=message):
        list(authored.read(shard, Counter()))


def test_the_first_turn_of_mt_bench_is_the_prompt(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "multi-turn/mt-bench/question.jsonl"
    shard = Shard(
        kind="authored",
        source="mt",
        name="mt",
        files=(path,),
        scratch=tmp_path,
        options=authored.FieldOptions(),
    )
    found = list(authored.read(shard, Counter()))
    assert len(found) == 80
    assert all(candidate.response == "" for candidate in found)


def test_a_dialogue_keeps_all_its_turns(tmp_path: Path) -> None:
    path = tmp_path / "lima.jsonl"
    path.write_text(json.dumps({"conversations": ["a", "b", "c", "d"], "source": "x"}))
    shard = Shard(
        kind="messages",
        source="lima",
        name="all",
        files=(path,),
        scratch=tmp_path,
        options=authored.FieldOptions(),
    )
    [candidate] = messages.READER.read(shard, Counter())
    assert [m.role for m in candidate.messages] == ["user", "assistant", "user", "assistant"]
    assert (candidate.title, candidate.response, candidate.kind) == ("a", "d", "messages")
