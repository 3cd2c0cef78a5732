"""A study of files that were made elsewhere, from `limaflow init own-files` to its report."""

import csv
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from limaflow.jsonl import read_records
from limaflow.records import Grade, Response, Verdict
from limaflow.tools.new_study.start import command, start


@pytest.fixture
def environment(root: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "OPENAI_API_KEY"}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**kept, "PATH": path, "PYTHONPATH": str(root / "src"), "HF_HUB_OFFLINE": "1"}


@pytest.mark.slow
def test_the_printed_command_ends_in_a_report(tmp_path: Path, environment: dict[str, str]) -> None:
    study = tmp_path / "study"
    start("own_files", study)
    done = subprocess.run(
        shlex.split(command(study)),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    results = study / "results/own-files"
    verdicts = list(read_records(results / "verdicts/recorded/ours-vs-theirs.jsonl", Verdict))
    assert {v.annotator for v in verdicts} == {"ann", "bob", "their-judge"}
    # Those of the judge came with the answers, which are ours to the letter.
    answers = {r.id for r in read_records(results / "responses/test/ours.jsonl", Response)}
    judged = [v for v in verdicts if v.annotator == "their-judge"]
    assert {v.first_response_id for v in judged} == answers
    grades = list(read_records(results / "grades/helpfulness/test/recorded/theirs.jsonl", Grade))
    assert {(g.scale, g.model) for g in grades} == {("1-to-10", "theirs")}
    with (results / "figures/tax.csv").open(encoding="utf-8") as file:
        assert any(row["task"] == "plant_quiz" for row in csv.DictReader(file))
    assert "helpfulness" in (results / "report/index.html").read_text(encoding="utf-8")
    assert not (results / "base").exists()


@pytest.mark.slow
def test_a_judge_without_its_key_is_told_before_anything_runs(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    study = tmp_path / "study"
    start("own_files", study)
    (study / "judge.yaml").write_text(
        "judges: [{name: gpt-4, model: gpt-4}]\njudging: {instruments: {likert: [gpt-4]}}\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [*shlex.split(command(study)), "judge.yaml"],
        cwd=study,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "judge 'gpt-4' needs its API key in the environment variable OPENAI_API_KEY" in (
        done.stdout + done.stderr
    )
    assert not (study / "results/own-files/curation").exists()
