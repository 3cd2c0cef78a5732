"""From files of verdicts to claims, by the commands that the workflow runs."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from limaflow.cli import app
from limaflow.jsonl import write_records
from limaflow.records import Example, Message, Response, example_id

BOOTSTRAP = ["--bootstrap", "200", "--seed", "1"]
OPTIONS = [*BOOTSTRAP, "--confidence", "0.95"]


def run(*words: object) -> str:
    done = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    examples = []
    for n in range(40):
        messages = (Message(role="user", content=f"Question {n}?"),)
        examples.append(
            Example(id=example_id(messages), messages=messages, source="s", split="test")
        )
    write_records(tmp_path / "test.jsonl", examples)
    return tmp_path / "test.jsonl"


def ids(prompts: Path) -> list[str]:
    return [json.loads(line)["id"] for line in prompts.read_text(encoding="utf-8").splitlines()]


def judged(prompts: Path, asked: int, **said: Any) -> Path:
    """Verdicts by which LIMA wins every prompt, stored under a telling name."""
    rows = [
        {"prompt_id": name, "first": "lima", "second": "gpt-4", "choice": "first", **said}
        for name in ids(prompts)[:asked]
    ]
    theirs = prompts.with_name("verdicts.jsonl")
    theirs.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ours = prompts.with_name("lima-vs-gpt-4.jsonl")
    run("judge", "import", theirs, "--output", ours)
    summary = prompts.with_name("preferences.json")
    run("judge", "summarize", ours, *BOOTSTRAP, "--prompts", prompts, "--output", summary)
    return summary


def claims_of(preferences: Path, prompts: Path, *words: object) -> dict[str, dict[str, Any]]:
    output = prompts.with_name("claims.json")
    given = ["--preferences", preferences, "--prompts", prompts, "--lima", "lima", *words]
    run("analyze", "claims", *given, *OPTIONS, "--output", output)
    found = json.loads(output.read_text(encoding="utf-8"))["claims"]
    return {claim["id"]: claim for claim in found}


def test_a_programs_verdicts_under_a_telling_name_decide_nothing(prompts: Path) -> None:
    program = judged(prompts, 4, annotator="gpt-4")
    for words in ([], ["--stands-for", "gpt-4=gpt-4"]):
        found = claims_of(program, prompts, *words)
        assert {claim["verdict"] for claim in found.values()} == {"not tested here"}
    aside = found["baseline-gpt-4-humans"]["set_aside"]
    assert "the records name no kind of annotator" in aside[0]


def test_people_on_enough_prompts_count_where_the_configuration_says_who_is_gpt_4(
    prompts: Path,
) -> None:
    people = judged(prompts, 40, annotator="ann", annotator_kind="person")
    found = claims_of(people, prompts, "--stands-for", "gpt-4=gpt-4")
    assert found["baseline-gpt-4-humans"]["verdict"] == "undecided"
    assert "1 of the 2 people needed" in found["baseline-gpt-4-humans"]["reason"]
    assert found["baseline-gpt-4-gpt-4"]["verdict"] == "not tested here"
    assert "annotated by people" in found["baseline-gpt-4-gpt-4"]["set_aside"][0]


def test_an_endpoint_that_answers_under_another_name_is_not_the_baseline(prompts: Path) -> None:
    by = {"annotator": "judge", "answered_by": "gpt-4-0613 fp_1"}
    verdicts = judged(prompts, 40, **by)
    answers = prompts.with_name("gpt-4.jsonl")
    claimed = ("--stands-for", "gpt-4=gpt-4", "--responses", answers)
    for returned, tested in (("gpt-4o-mini fp_2", False), ("gpt-4-0314", True)):
        rows = [
            Response(
                prompt_id=name,
                model="gpt-4",
                sample=0,
                text="Yes.",
                tokens=2,
                finish_reason="stop",
                decoding={"answered_by": returned},
            )
            for name in ids(prompts)
        ]
        write_records(answers, rows)
        found = claims_of(verdicts, prompts, *claimed)["baseline-gpt-4-gpt-4"]
        assert (found["verdict"] != "not tested here") is tested


def test_other_prompts_than_those_of_the_experiment_are_set_aside(
    prompts: Path, tmp_path: Path
) -> None:
    verdicts = judged(prompts, 40, annotator="judge", answered_by="gpt-4-0613")
    others = tmp_path / "others.jsonl"
    others.write_text("".join(prompts.read_text().splitlines(keepends=True)[:39]))
    found = claims_of(verdicts, others, "--stands-for", "gpt-4=gpt-4")["baseline-gpt-4-gpt-4"]
    assert "judged on other prompts" in found["set_aside"][0]
