"""What people judged stands beside the model judges."""

import csv
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from workspace import Workspace

pytestmark = pytest.mark.slow
PEOPLE = ("ann", "bob")


def round_of(workspace: Workspace, folder: str, *options: str) -> None:
    """Draw packets, and answer each as a local server writes answers down: always the same."""
    command = ["limaflow", "annotate", "packet", "--seed", "7", "--output", folder, *options]
    command += ["--prompts", "results/miniature/curation/prompts/test.jsonl"]
    for person in PEOPLE:
        command += ["--annotator", person]
    subprocess.run(command, cwd=workspace.folder, env=workspace.environment(), check=True)


def answer(place: Path, choice: str) -> None:
    (place / "answers").mkdir()
    for person in PEOPLE:
        packet = json.loads((place / "packets" / f"{person}.json").read_text(encoding="utf-8"))
        said = {"annotator": person, "packet": packet["hash"], "choice": choice, "time": ""}
        with (place / "answers" / f"{person}.jsonl").open("w", encoding="utf-8") as file:
            for number, item in enumerate(packet["items"], start=1):
                file.write(json.dumps({**said, "item": number, "hash": item["hash"]}) + "\n")


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_rounds_of_pairs_and_of_grades_enter_tables_and_figures(workspace: Workspace) -> None:
    lima, base = (f"results/miniature/responses/test/{arm}.jsonl" for arm in ("lima", "base"))
    round_of(workspace, "pairs", "--first", lima, "--second", base)
    round_of(workspace, "quality", "--instrument", "quality", "--responses", lima)
    answer(workspace.folder / "pairs", "neither")
    answer(workspace.folder / "quality", "excellent")
    people = [{"folder": "pairs", "pool": False}, {"folder": "quality"}]
    overlay = yaml.safe_dump({"judging": {"people": people}})
    (workspace.folder / "people.yaml").write_text(overlay, encoding="utf-8")

    table, figure = "tables/preferences.csv", "figures/absolute.csv"
    agreement = "analysis/agreement_of_grades.json"
    targets = [f"results/miniature/{name}" for name in (table, figure, agreement)]
    done = workspace.run(*targets, overlays=("people.yaml",))

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    rows = [row for row in lines(workspace.results / table) if row["judge"] in PEOPLE]
    assert {row["judge"] for row in rows} == set(PEOPLE)
    assert all(float(row["tie"]) == 1 for row in rows)
    graded = [row for row in lines(workspace.results / figure) if row["origin"] == "measured"]
    assert [row["bar"] for row in graded] == [f"lima, {person}, 12 prompts" for person in PEOPLE]
    assert all(float(row["excellent"]) == 1 for row in graded)
    met = json.loads((workspace.results / agreement).read_text(encoding="utf-8"))
    (people,) = [row for row in met if row["relation"] == "pair"]
    assert (people["first"], people["second"], people["items"]) == (*PEOPLE, 12)
    assert people["agreement"]["estimate"] == 1 and people["alpha"] is None
