"""Dialogues by script: each turn follows the arm's own answers, and a kill costs no turn."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from response_jobs import response_job

from limaflow.dialogue.hold import hold_here, write
from limaflow.dialogue.scripts import Script, read_scripts
from limaflow.dialogue.turns import place_of, turn_id
from limaflow.errors import InputError
from limaflow.generation.respond import ResponseJob
from limaflow.generation.settings import Decoding

DECODING = Decoding(top_p=0.9, temperature=0.7, repetition_penalty=1.2, max_tokens=8, samples=1)
SCRIPTS = [
    Script(id="a", turns=("Who sells bread in Arlo?", "And who paints?", "Why?")),
    Script(id="b", turns=("What does Benwick count?",)),
]


@pytest.fixture
def job(tiny_base: Path, tiny_examples: Path, tmp_path: Path) -> ResponseJob:
    return response_job(
        tiny_base,
        tiny_examples / "dev.jsonl",
        tmp_path / "unused.jsonl",
        shots=1,
        decoding=DECODING,
        samples=1,
    )


def test_each_turn_is_asked_after_the_arms_own_answers(job: ResponseJob, tmp_path: Path) -> None:
    held = hold_here(job, SCRIPTS, tmp_path / "turns")
    asked = {prompt.id: prompt for prompt in held.prompts}
    answered = {response.prompt_id: response.text for response in held.responses}
    assert asked.keys() == answered.keys() == {"a#1", "a#2", "a#3", "b#1"}
    assert [m.content for m in asked["a#3"].messages] == [
        "Who sells bread in Arlo?",
        answered["a#1"],
        "And who paints?",
        answered["a#2"],
        "Why?",
    ]


def test_in_context_arms_hold_dialogues_with_the_same_examples_before_every_turn(
    job: ResponseJob, tiny_examples: Path, tmp_path: Path
) -> None:
    shown = replace(job, style="in-context", examples=tiny_examples / "train.jsonl")
    held = hold_here(shown, SCRIPTS[:1], tmp_path / "turns")
    assert [p.id for p in held.prompts] == ["a#1", "a#2", "a#3"]


def test_a_dialogue_ends_where_the_context_has_no_room_and_that_is_said(
    job: ResponseJob, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = Script(id="long", turns=("Who?", "Somebody in Arlo feeds nine goats. " * 40, "Who?"))
    held = hold_here(job, [*SCRIPTS, long], tmp_path / "turns")
    assert held.cut == {"long": 2}
    assert [p.id for p in held.prompts if p.id.startswith("long")] == ["long#1"]
    write(held, tmp_path / "p.jsonl", tmp_path / "r.jsonl", tmp_path / "cut.json")
    assert json.loads((tmp_path / "cut.json").read_text()) == {"long": 2}
    assert "ended before turn 2" in capsys.readouterr().err


def test_what_is_begun_anew_answers_no_turn_twice(
    job: ResponseJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hold_here(job, SCRIPTS, tmp_path / "turns")

    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("limaflow.generation.local.load", never)
    assert hold_here(job, SCRIPTS, tmp_path / "turns") == first


def test_another_model_is_asked_anew(job: ResponseJob, tmp_path: Path) -> None:
    first = hold_here(job, SCRIPTS, tmp_path / "turns")
    other = hold_here(replace(job, seed=8), SCRIPTS, tmp_path / "turns")
    assert [r.text for r in first.responses] != [r.text for r in other.responses]


def test_turn_ids_are_read_back() -> None:
    assert place_of(turn_id("mt-bench-81#x", 12)) == ("mt-bench-81#x", 12)
    with pytest.raises(ValueError, match="no turn"):
        place_of("abc")


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_dialogues_of_mt_bench_are_read(shared_data: Path) -> None:
    scripts = read_scripts([shared_data / "multi-turn/mt-bench/question.jsonl"])
    assert len(scripts) == 80
    assert scripts[0].id == "question-100" and len(scripts[0].turns) == 2
    assert {script.task for script in scripts} >= {"writing", "coding"}


def test_other_layouts_give_the_users_turns_alone(tmp_path: Path) -> None:
    of_101 = {"task": "CM", "id": 1, "history": [{"user": "a", "bot": "x"}, {"user": "b"}]}
    live = {
        "id": "chat",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "x"},
            {"role": "user", "content": "b"},
        ],
    }
    found = read_scripts([lines(tmp_path / "f.jsonl", of_101, {**of_101, "task": "SI"}, live)])
    assert [s.id for s in found] == ["f-CM-1", "f-SI-1", "f-chat"]
    assert all(s.turns == ("a", "b") for s in found)
    assert found[2].system == "Be brief."


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": 1}, "no dialogue under"),
        ({"id": 1, "turns": []}, "no turns"),
        ({"id": 1, "turns": ["a", ""]}, "turn 2 is empty"),
        ({"id": 1, "history": [{"bot": "x"}]}, "turn 1 is empty"),
    ],
)
def test_a_row_without_a_dialogue_is_refused_with_its_line(
    row: object, said: str, tmp_path: Path
) -> None:
    path = lines(tmp_path / "f.jsonl", {"id": 0, "turns": ["a"]}, row)
    with pytest.raises(InputError, match=said) as error:
        read_scripts([path])
    assert ":2" in str(error.value)


def test_a_doubled_dialogue_is_refused(tmp_path: Path) -> None:
    path = lines(tmp_path / "f.jsonl", {"id": 0, "turns": ["a"]}, {"id": 0, "turns": ["b"]})
    with pytest.raises(InputError, match="stands twice"):
        read_scripts([path])


def test_a_form_that_a_script_states_goes_with_every_turn(job: ResponseJob, tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    row = {"id": 1, "turns": ["Who? In one line.", "Why?"], "constraint": {"rule": "one_word"}}
    file.write_text(json.dumps(row) + "\n")
    held = hold_here(job, read_scripts([file]), tmp_path / "turns")
    assert [[f.rule for f in p.tags.format] for p in held.prompts if p.tags] == [["one_word"]] * 2


@pytest.mark.parametrize("constraint", [{"rule": "one_wrd"}, {"rule": "words"}, "one word"])
def test_a_form_that_no_rule_checks_is_refused(constraint: object, tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text(json.dumps({"id": 1, "turns": ["Who?"], "constraint": constraint}) + "\n")
    with pytest.raises(InputError, match=r"own\.jsonl:1: constraint"):
        read_scripts([file])
