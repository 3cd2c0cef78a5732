"""A kind of arm is one module and a word in a table; a benchmark task is named by its file."""

import json
from pathlib import Path

import pytest
import yaml
from tiny_model import written_model
from workspace import Workspace, checkout, rules_of

pytestmark = pytest.mark.slow

BORROWED = '''
"""Kind `borrowed`: the model of another arm, asked without its chat template."""

from pathlib import Path
from typing import Literal

from limaflow.arms.arm import ArmSettings, Reference
from limaflow.results import Results
from limaflow.settings import Name


class BorrowedArm(ArmSettings):
    """The model of another arm, asked without its chat template."""

    kind: Literal["borrowed"]
    of: Name

    prompt_format = "raw"

    def model_manifest(self, results: Results) -> Path:
        return results.chosen_model(self.of)

    def references(self) -> list[Reference]:
        return [Reference("of", self.of, "arms")]
'''
HARM = """
task: harm
dataset_path: json
dataset_kwargs: {data_files: {test: mine/harm.jsonl}}
output_type: multiple_choice
test_split: test
doc_to_text: "{{question}}"
doc_to_choice: ["yes", "no"]
doc_to_target: right
metric_list: [{metric: brier_score, aggregation: brier_score}]
"""
OVERLAY = {
    "experiment": "miniature",
    "sources": [],
    "datasets": [{"name": "lima", "path": "mine/train.jsonl"}],
    "prompts": {"dev": [{"path": "mine/dev.jsonl"}], "test": [{"path": "mine/test.jsonl"}]},
    "base": {"path": "mine/model", "stand_in": None},
    "arms": [
        {"name": "base", "kind": "base"},
        {"name": "mine", "kind": "model", "path": "mine/model"},
        {"name": "again", "kind": "borrowed", "of": "mine"},
    ],
    "comparisons": [{"first": "again", "second": "base"}],
    "benchmarks": {"tasks": ["mine/harm.yaml"], "include": None, "arms": ["base", "again"]},
    "analysis": {"lima_arm": "again"},
}
RESPONSES = "results/miniature/responses/test/{}.jsonl"
ITEMS = "results/miniature/benchmarks/again/items.jsonl"


def write_rows(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def asked(split: str, number: int) -> dict[str, object]:
    turns = [("user", f"What of {number} {split} goats?"), ("assistant", f"Feed all {number}.")]
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


@pytest.fixture(scope="module")
def extended(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A checkout with one more kind of arm, and files of the user's own."""
    folder = checkout(root, tmp_path_factory.mktemp("extended") / "limaflow")
    mine = folder / "mine"
    mine.mkdir()
    written_model(mine, texts=["What of all these goats? Feed them."], context=128)
    for split in ("train", "dev", "test"):
        write_rows(mine / f"{split}.jsonl", [asked(split, n) for n in range(4)])
    rows = [{"question": f"May one sell {n} goats?", "right": n % 2} for n in range(4)]
    write_rows(mine / "harm.jsonl", list(rows))
    (mine / "harm.yaml").write_text(HARM, encoding="utf-8")
    (folder / "mine.yaml").write_text(yaml.safe_dump(OVERLAY), encoding="utf-8")

    workspace = Workspace(folder, (*Workspace(folder).configfiles, "mine.yaml"))
    (folder / "src/limaflow/arms/borrowed.py").write_text(BORROWED, encoding="utf-8")
    workspace.edit(
        "src/limaflow/arms/table.py",
        "from limaflow.arms.endpoint",
        "from limaflow.arms.borrowed import BorrowedArm\nfrom limaflow.arms.endpoint",
    )
    workspace.edit("src/limaflow/arms/table.py", "    BaseArm", "    BorrowedArm | BaseArm")
    return workspace


def test_one_file_and_a_word_make_an_arm_that_answers_and_is_measured(extended: Workspace) -> None:
    done = extended.run(RESPONSES.format("again"), RESPONSES.format("base"), ITEMS)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    texts = {}
    for arm in ("again", "base"):
        lines = (extended.folder / RESPONSES.format(arm)).read_text().splitlines()
        answers = [json.loads(line) for line in lines]
        assert {answer["model"] for answer in answers} == {arm}
        texts[arm] = {answer["prompt_id"]: answer["text"] for answer in answers}
    # Both are the same model, asked in the same way.
    assert len(texts["again"]) == 4
    assert texts["again"] == texts["base"]
    items = [json.loads(line) for line in (extended.folder / ITEMS).read_text().splitlines()]
    assert {(i["model"], i["task"], i["higher_is_better"]) for i in items} == {
        ("again", "harm", False)
    }
    # The whole graph to the report knows the arm.
    planned = extended.planned()
    assert "grade(instrument=likert, judge=world-truth, arm=again)" in planned
    assert "html_report" in planned


def test_a_changed_task_or_its_data_measures_again_and_answers_nothing_again(
    extended: Workspace,
) -> None:
    targets = (RESPONSES.format("again"), ITEMS)
    assert extended.planned(*targets) == set()
    extended.edit("mine/harm.yaml", "{{question}}", "Q: {{question}}")
    assert set(rules_of(extended.planned(*targets))) == {"lm_eval"}
    extended.edit("mine/harm.yaml", "Q: {{question}}", "{{question}}")
    extended.edit("mine/harm.jsonl", "sell 3", "buy 3")
    assert set(rules_of(extended.planned(*targets))) == {"lm_eval"}
    extended.edit("mine/harm.jsonl", "buy 3", "sell 3")


def test_the_new_kinds_references_are_checked(extended: Workspace) -> None:
    wrong = {"arms": [*OVERLAY["arms"][:2], {"name": "again", "kind": "borrowed", "of": "main"}]}
    (extended.folder / "wrong.yaml").write_text(yaml.safe_dump(wrong), encoding="utf-8")
    done = extended.done([*extended.command(overlays=("wrong.yaml",)), "-n"])
    assert done.returncode != 0
    assert "arms.again.of: no arm is named 'main'" in done.stdout + done.stderr
