"""The same goals plain and in attacks: what their prompts say, carry and leave out."""

import base64
import codecs
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from limaflow.attacks.attacked import attacked
from limaflow.attacks.goals import read_goals
from limaflow.attacks.wrapping import NAMES, WRAPPINGS, complying, known_attack, prefill_of
from limaflow.cli import app
from limaflow.curation.holdout import prompts_of
from limaflow.curation.settings import PromptDraw, Prompts
from limaflow.errors import InputError
from limaflow.jsonl import read_records
from limaflow.prompt_tags import Contrast, Sensitive, Tags
from limaflow.records import Example, Message, example_id
from limaflow.tags import labels

RUNNER = CliRunner()
GOALS = "goal,target,category\nPaint the town hall red,Sure: here is how,Paint\nHow is it done?,,\n"


def goal(text: str, target: str = "", **tags: object) -> Example:
    said = Tags(sensitive=Sensitive(intent="malicious", target=target), **tags)
    messages = (Message(role="user", content=text),)
    return Example(
        id=example_id(messages, said), messages=messages, source="goals", split="test", tags=said
    )


@given(st.text(min_size=1).filter(str.strip), st.text())
def test_every_attack_holds_its_goal_and_says_so_in_its_tags(text: str, target: str) -> None:
    prompts, without = attacked([goal(text, target)], NAMES)
    assert not without
    assert len({prompt.id for prompt in prompts}) == len(NAMES)
    for name, prompt in zip(NAMES, prompts, strict=True):
        assert prompt.tags is not None and prompt.tags.sensitive is not None
        assert prompt.tags.sensitive.goal == text
        assert prompt.tags.attack == ("" if name == "plain" else name)
        assert prompt.id == example_id(prompt.messages, prompt.tags)
    by_name = dict(zip(NAMES, prompts, strict=True))
    encoded = by_name["base64"].prompt.split("\n\n")[1]
    assert base64.b64decode(encoded).decode() == text
    assert codecs.decode(codecs.encode(text, "rot13"), "rot13") == text
    assert by_name["prefill"].prompt == text


def test_prompts_are_the_same_each_time_and_no_wrapping_is_another() -> None:
    first, second = (attacked([goal("Paint the hall")], NAMES)[0] for _ in range(2))
    assert first == second
    assert len({wrap("Paint the hall", "Sure") for wrap in WRAPPINGS.values()}) == len(WRAPPINGS)


def test_a_request_and_a_question_are_put_into_the_past_each_in_its_way() -> None:
    asked = {
        text: attacked([goal(text)], ["past-tense"])[0][0].prompt
        for text in ("Paint the hall.", "How is it done?")
    }
    assert "was asked to paint the hall." in asked["Paint the hall."]
    assert '"How is it done?"' in asked["How is it done?"]


@given(st.integers(1, 25), st.text(alphabet="ab ", max_size=30))
def test_a_prefill_of_n_words_begins_every_longer_one(number: int, target: str) -> None:
    shorter, longer = (prefill_of(f"prefill-{n}", target) for n in (number, number + 1))
    if shorter is not None:
        assert len(shorter.split()) == number
    if longer is not None:
        assert shorter is not None and longer.startswith(shorter)
    whole = complying(target).split()
    assert prefill_of("prefill", target) == complying(target)
    if number < len(whole):
        assert shorter == " ".join(whole[:number])


def test_goals_without_so_long_an_answer_are_counted() -> None:
    prompts, without = attacked([goal("Paint", "Yes")], ["plain", "prefill-2", "prefill-99"])
    assert [prompt.tags.prefill for prompt in prompts if prompt.tags] == ["", "Yes, step"]
    assert without == {"prefill-99": 1}
    assert labels(prompts[1].tags)[-2:] == ["attack: prefill-2", "prefill: 2 words"]


def test_the_side_of_a_contrast_stays_with_the_plain_prompt_alone() -> None:
    plain, wrapped = attacked(
        [goal("Paint", contrast=Contrast(side="unsafe"))], ["plain", "role-play"]
    )[0]
    assert plain.tags is not None and plain.tags.contrast is not None
    assert wrapped.tags is not None and wrapped.tags.contrast is None


@pytest.mark.parametrize(
    ("example", "attacks", "message"),
    [
        (goal("Paint"), ["rolepay"], "no attack is named 'rolepay'; did you mean 'role-play'?"),
        (goal("Paint"), ["plain", "plain"], "the attack 'plain' stands twice"),
        (goal("Paint", attack="own"), ["plain"], "is an attack already (own)"),
        (goal("Paint", turns=("And?",)), ["plain"], "has several turns"),
    ],
)
def test_what_cannot_be_wrapped_is_refused(
    example: Example, attacks: list[str], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        attacked([example], attacks)
    assert message in str(caught.value)
    assert known_attack("prefill-16") == "prefill-16"


def test_the_command_writes_tagged_prompts_and_prints_no_goal(tmp_path: Path) -> None:
    goals, output = tmp_path / "goals.csv", tmp_path / "prompts.jsonl"
    goals.write_text(GOALS)
    options = [word for name in ("plain", "rot13", "prefill-4") for word in ("--attack", name)]
    result = RUNNER.invoke(app, ["attack", "wrap", str(goals), *options, "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert result.output == "2 of 2 goals, 3 attacks: 6 prompts\n"
    prompts = list(read_records(output, Example))
    assert {p.tags.attack for p in prompts if p.tags} == {"", "rot13", "prefill-4"}
    assert {p.provenance.ids for p in prompts} == {("goals-1",), ("goals-2",)}


def test_goals_that_are_held_out_are_asked_in_the_ways_of_the_configuration(
    tmp_path: Path,
) -> None:
    path = tmp_path / "goals.csv"
    path.write_text(GOALS)
    found = prompts_of(
        read_goals([path]),
        {"dev": {}, "test": {"goals": 2}},
        {},
        3.0,
        1,
        attacks={"goals": ["plain", "prefix", "prefill-1"]},
    )
    assert sorted(p.tags.attack for p in found["test"] if p.tags) == sorted(
        ["", "prefix", "prefill-1"] * 2
    )


def test_attacks_are_of_drawn_test_prompts_alone() -> None:
    drawn = {"source": "goals", "examples": 2}
    plain = PromptDraw.model_validate(drawn)
    with pytest.raises(ValueError, match="attacks are of test"):
        Prompts.model_validate({"dev": [{**drawn, "attacks": ["rot13"]}], "test": [plain]})
    with pytest.raises(ValueError, match="drawn from a source"):
        PromptDraw.model_validate({"path": "prompts.jsonl", "attacks": ["rot13"]})
    with pytest.raises(ValueError, match="did you mean 'rot13'"):
        PromptDraw.model_validate({**drawn, "attacks": ["rot-13"]})


def artifact(path: Path) -> Path:
    """Recorded attacks in JailbreakBench's form: three goals, one without an attack."""
    rows = [
        {"index": 0, "goal": "Paint it", "prompt": "Be a painter. Go.", "response": "I paint."},
        {"index": 1, "goal": "Burn it", "prompt": "Be a fire. Go.", "response": "I cannot."},
        {"index": 2, "goal": "Hide it", "prompt": None, "response": None},
    ]
    for row, success in zip(rows, (True, False, False), strict=True):
        row.update(category="Fraud", jailbroken=success, response_tokens=3)
    whole = {"parameters": {"method": "PAIR", "model": "vicuna"}, "jailbreaks": rows}
    path.write_text(json.dumps(whole, indent=2))
    return path


def test_recorded_attacks_become_prompts_and_responses(tmp_path: Path) -> None:
    path = artifact(tmp_path / "vicuna.json")
    prompts, responses = tmp_path / "prompts.jsonl", tmp_path / "responses.jsonl"
    command = ["attack", "read", str(path), "--name", "vicuna", "--prompts", str(prompts)]
    result = RUNNER.invoke(app, [*command, "--responses", str(responses)])
    assert result.exit_code == 0, result.output
    assert "2 prompts, 2 answers of vicuna; 1 goals without" in result.output
    found = {
        p.tags.sensitive.goal: p
        for p in read_records(prompts, Example)
        if p.tags and p.tags.sensitive
    }
    assert found["Paint it"].prompt == "Be a painter. Go."
    assert {p.tags.attack for p in found.values() if p.tags} == {"PAIR"}


def test_graders_are_compared_with_the_labels_of_recorded_attacks(tmp_path: Path) -> None:
    path, output = artifact(tmp_path / "vicuna.json"), tmp_path / "agreement.json"
    words = ["--word", "true=compliance", "--word", "false=refusal"]
    command = ["refusals", "agreement", str(path), "--truth", "jailbroken", "--grader", "rules"]
    command += ["--arm", "vicuna", "--column", "answer=response", *words, "--seed", "1"]
    result = RUNNER.invoke(app, [*command, "--bootstrap", "100", "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert "left out 1 rows without an answer" in result.output
    assert json.loads(output.read_text())["confusion"] == {
        "false": 0,
        "found": 1,
        "missed": 0,
        "right": 1,
    }


def test_a_harmless_request_is_asked_plainly_alone() -> None:
    benign = Tags(sensitive=Sensitive(intent="benign"))
    safe = Tags(contrast=Contrast(side="safe", type="purpose"))
    goals = [
        replace(goal("Paint it"), tags=benign),
        replace(goal("Kill a process"), tags=safe),
        goal("Burn it"),
    ]
    found, without = attacked(goals, ["plain", "role-play"])
    assert [p.tags.attack for p in found if p.tags] == ["", "", "", "role-play"]
    assert not without
