"""A new instrument is one file, anywhere, and one line of the configuration."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from workspace import Workspace, rules_of

pytestmark = pytest.mark.slow
ARMS = ("base", "base-in-context", "lima", "few")
OWN = """---
form: grade
title: Would a traveller thank for the answer?
scale: thanks-3
words: {gladly: 2, politely: 1, not at all: 0}
ordered: true
labels: {not at all: Not at all}
paper: Not in the paper.
---
Put yourself in the place of a traveller.
---
{question}
{answer}
Reply with one of these, alone on the last line:

gladly
politely
not at all
"""
OVERLAY = """
judging:
  instruments: {mine/thanks.md: [world-truth], quality: [world-truth], safety: [world-truth]}
  people: [{folder: mine/round}]
"""


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def a_person_grades(workspace: Workspace) -> None:
    """A round by the user's instrument, in which ann would thank gladly for every answer."""
    command = ["limaflow", "annotate", "packet", "--instrument", "mine/thanks.md", "--seed", "7"]
    command += ["--prompts", "results/miniature/curation/prompts/test.jsonl", "--annotator", "ann"]
    command += ["--responses", "results/miniature/responses/test/lima.jsonl"]
    command += ["--output", "mine/round"]
    subprocess.run(command, cwd=workspace.folder, env=workspace.environment(), check=True)
    folder = workspace.folder / "mine/round"
    packet = read(folder / "packets/ann.json")
    assert packet["title"] == "Would a traveller thank for the answer?"
    said = {"annotator": "ann", "packet": packet["hash"], "choice": "gladly", "time": ""}
    (folder / "answers").mkdir()
    with (folder / "answers/ann.jsonl").open("w", encoding="utf-8") as file:
        for number, item in enumerate(packet["items"], start=1):
            file.write(json.dumps({**said, "item": number, "hash": item["hash"]}) + "\n")


@pytest.fixture
def extended(workspace: Workspace) -> Workspace:
    """The finished study, three instruments more in its configuration, one of them the user's."""
    (workspace.folder / "mine").mkdir()
    (workspace.folder / "mine/thanks.md").write_text(OWN, encoding="utf-8")
    (workspace.folder / "own.yaml").write_text(OVERLAY, encoding="utf-8")
    a_person_grades(workspace)
    return Workspace(workspace.folder, (*workspace.configfiles, "own.yaml"))


def test_instruments_of_ours_and_of_a_user_go_from_grades_to_the_report(
    extended: Workspace,
) -> None:
    assert rules_of(extended.planned())["grade"] == 3 * len(ARMS), "and nothing is judged again"
    done = extended.run()
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    words = {
        "thanks": ["not at all", "politely", "gladly"],
        "quality": ["fail", "pass", "excellent"],
        "safety": ["unsafe", "safe"],
    }
    results = extended.results
    for instrument, of_scale in words.items():
        for arm in ARMS:
            graded = rows(results / f"grades/{instrument}/test/world-truth/{arm}.jsonl")
            assert len(graded) == 12
            assert all(g["reply"].splitlines()[-1] in of_scale for g in graded)
            assert all(g["instrument"] == instrument and g["error"] is None for g in graded)
    summaries = {(s["instrument"], s["model"]): s for s in read(results / "analysis/grades.json")}
    assert {name for name, _ in summaries} == {"likert", *words}
    mine = summaries["thanks", "lima"]
    assert (mine["title"], mine["ordered"]) == ("Would a traveller thank for the answer?", True)
    assert mine["words"] == {"0": "not at all", "1": "politely", "2": "gladly"}
    assert sum(mine["counts"].values()) == 12
    people = rows(results / "grades/thanks/test/people/lima.jsonl")
    assert {(g["annotator"], g["value"]) for g in people} == {("ann", 2)}
    agreement = read(results / "analysis/agreement_of_grades.json")
    (with_ann,) = [a for a in agreement if a["relation"] == "pair"]
    assert (with_ann["instrument"], with_ann["ordered"], with_ann["items"]) == ("thanks", True, 12)
    report = (results / "report/index.html").read_text(encoding="utf-8")
    assert "not at all: " in report and "safe: " in report
    browser = (results / "report/responses.html").read_text(encoding="utf-8")
    assert '"instrument":"thanks"' in browser and "not at all" in browser
    assert extended.planned() == set()

    # An edit of the text asks anew by this instrument, and repeats what is made of its grades.
    extended.edit("mine/thanks.md", "Put yourself", "Try to put yourself")
    planned = rules_of(extended.planned())
    assert planned["grade"] == len(ARMS) and "pairwise_verdicts" not in planned
    assert {"grades", "html_report"} <= set(planned)


def test_a_file_that_is_no_instrument_stops_before_any_job(extended: Workspace) -> None:
    extended.edit("mine/thanks.md", "ordered: true", "orderd: true")
    command = extended.command()
    done = extended.done([command[0], "-n", *command[1:]])
    assert done.returncode != 0
    assert "mine/thanks.md: front matter: " in done.stdout + done.stderr
    assert "orderd: unknown key; did you mean 'ordered'?" in done.stdout + done.stderr
