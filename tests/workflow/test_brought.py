"""A stage can start from files that the user brings."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from workspace import Workspace, rules_of

pytestmark = pytest.mark.slow


def rows(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


@pytest.fixture
def brought(workspace: Workspace) -> Workspace:
    """A workspace whose results are gone but for what a user would bring from elsewhere."""
    mine = workspace.folder / "mine"
    mine.mkdir()
    results = workspace.results
    frozen = results / "datasets/lima/frozen"
    for name in ("train", "dev", "test"):
        with (mine / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(
                json.dumps({"messages": row["messages"]}) + "\n"
                for row in rows(frozen / f"{name}.jsonl")
            )
    chosen = json.loads((results / "models/lima/chosen.json").read_text(encoding="utf-8"))
    shutil.copytree(results / "models/lima" / chosen["path"], mine / "model")
    with (mine / "recorded.jsonl").open("w", encoding="utf-8") as file:
        for row in rows(results / "responses/test/few.jsonl"):
            text = next(
                e["messages"][0]["content"]
                for e in rows(frozen / "test.jsonl")
                if e["id"] == row["prompt_id"]
            )
            file.write(json.dumps({"prompt": text, "response": row["text"]}) + "\n")
    with (mine / "verdicts.csv").open("w", encoding="utf-8") as file:
        file.write("question,left,right,won\n")
        for row in rows(results / "verdicts/world-truth/lima-vs-few.jsonl"):
            won = {"first": "L", "second": "R", "tie": "0"}[row["choice"]]
            file.write(f"{row['prompt_id']},{row['first']},{row['second']},{won}\n")
    verdicts = {
        "path": "mine/verdicts.csv",
        "columns": {"prompt_id": "question", "first": "left", "second": "right", "choice": "won"},
        "words": {"L": "first", "R": "second", 0: "tie"},
        "values": {"annotator": "somebody"},
    }
    overlay = {
        "sources": [],
        "datasets": [{"name": "lima", "path": "mine/train.jsonl"}],
        "prompts": {
            "dev": [{"path": "mine/dev.jsonl"}],
            "test": [{"path": "mine/test.jsonl"}],
        },
        "base": {"path": "mine/model", "stand_in": None},
        "arms": [
            {"name": "base", "kind": "base"},
            {"name": "lima", "kind": "model", "path": "mine/model"},
            {"name": "few", "kind": "recorded", "path": "mine/recorded.jsonl"},
        ],
        "comparisons": [
            {"first": "lima", "second": "base"},
            {"first": "lima", "second": "few", "verdicts": verdicts},
        ],
        "benchmarks": {"arms": ["base", "lima"]},
        "experiment": "brought",
    }
    (workspace.folder / "brought.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")
    return Workspace(workspace.folder, (*workspace.configfiles, "brought.yaml"))


def test_data_model_responses_and_verdicts_of_others_end_in_a_report(brought: Workspace) -> None:
    planned = rules_of(brought.planned())
    assert not {"fine_tune", "pretrain_stand_in", "extract", "filter", "sample"} & set(planned)
    assert {"adopt_dataset", "adopt_model", "adopt_responses", "import_verdicts"} <= set(planned)
    done = brought.run()
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    report = brought.folder / "results/brought/report/index.html"
    assert report.stat().st_size > 10_000
    recorded = list(rows(brought.folder / "results/brought/verdicts/recorded/lima-vs-few.jsonl"))
    assert {row["annotator"] for row in recorded} == {"somebody"}
    assert "somebody" in report.read_text(encoding="utf-8")
    assert brought.planned() == set()


def test_a_brought_file_that_is_missing_stops_a_finished_study_too(workspace: Workspace) -> None:
    overlay = workspace.folder / "missing.yaml"
    overlay.write_text(
        "datasets:\n  - {name: lima, path: nowhere.jsonl}\n  - {name: few, path: neither.jsonl}\n"
    )
    done = workspace.done(workspace.command(overlays=(overlay.name,)))
    assert done.returncode != 0
    assert "datasets.lima.path: nowhere.jsonl\n  datasets.few.path: neither.jsonl" in done.stderr
