"""A source kind and a selection rule: each a new file, a line in a table, a line in a config.

The files are those that docs/extending-sources.md shows.
"""

import json
import re
from filecmp import dircmp
from pathlib import Path
from typing import Any

import pytest
import yaml
from workspace import TINY, Workspace, checkout

pytestmark = pytest.mark.slow

PACKAGE = Path("src/limaflow")
LETTERS = (
    ("Why does bread rise?", "Yeast eats sugar and gives off gas, which the dough holds."),
    ("How do bees find home?", "They learn landmarks, and steer by the sun on longer ways."),
    ("Who invented the wheel?", "NOBODY KNOWS! IT IS FAR OLDER THAN ANY WRITING ABOUT IT."),
    ("What is frost?", "Water from the air that freezes where a cold surface stops it."),
)
RAW = "\n\n".join(f"{question}\n{answer}" for question, answer in LETTERS) + "\n\nUnanswered?\n"


def documented(root: Path, name: str) -> str:
    """The code block of the documentation that begins with a comment naming this file."""
    text = (root / "docs/extending-sources.md").read_text(encoding="utf-8")
    [block] = [b for b in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if name in b[:200]]
    return str(block)


def add_source_kind(workspace: Workspace, root: Path) -> None:
    module = PACKAGE / "sources/kinds/letters.py"
    (workspace.folder / module).write_text(documented(root, str(module)))
    table = str(PACKAGE / "sources/kinds/__init__.py")
    workspace.edit(table, "    authored,\n", "    authored,\n    letters,\n")
    line = '    "wikihow": wikihow.READER,\n'
    workspace.edit(table, line, f'{line}    "letters": letters.READER,\n')


def add_selection_rule(workspace: Workspace, root: Path) -> None:
    module = PACKAGE / "curation/filters/capitals.py"
    (workspace.folder / module).write_text(documented(root, str(module)))
    table = str(PACKAGE / "curation/filters/__init__.py")
    workspace.edit(table, "    cross_reference,\n", "    capitals,\n    cross_reference,\n")
    line = '    "first_person": first_person.RULE,\n'
    workspace.edit(table, line, f'{line}    "capitals": capitals.RULE,\n')


def overlay(root: Path) -> dict[str, Any]:
    """What a user writes: the source, its block of rules, and how many of its examples to draw."""
    sources = yaml.safe_load((root / TINY[0]).read_text())["sources"]
    letters: dict[str, Any] = {"name": "letters", "kind": "letters", "separator": "\n\n"}
    letters["shards"] = {"all": [{"path": "letters.txt"}]}
    datasets = yaml.safe_load((root / TINY[1]).read_text())["datasets"]
    datasets[0]["examples"]["letters"] = 3
    rules = {"letters": {"max_capital_share": 0.5}}
    return {
        "sources": [*sources, letters],
        "curation": {"filters": rules},
        "datasets": datasets,
    }


def changed_files(before: Path, after: Path) -> set[str]:
    """New and changed files, folder by folder."""

    def of(compared: dircmp[str], folder: Path) -> set[str]:
        names = {*compared.diff_files, *compared.right_only} - {"__pycache__"}
        found = {str(folder / name) for name in names}
        return found.union(*(of(c, folder / name) for name, c in compared.subdirs.items()))

    return of(dircmp(before, after), Path())


def test_a_kind_and_a_rule_are_a_file_and_a_line_each_and_go_to_the_frozen_data_set(
    root: Path, tmp_path: Path
) -> None:
    workspace = Workspace(checkout(root, tmp_path / "limaflow"), (*TINY, "mine.yaml"))
    add_source_kind(workspace, root)
    add_selection_rule(workspace, root)
    assert changed_files(root / "src", workspace.folder / "src") == {
        "limaflow/sources/kinds/letters.py",
        "limaflow/sources/kinds/__init__.py",
        "limaflow/curation/filters/capitals.py",
        "limaflow/curation/filters/__init__.py",
    }
    assert not changed_files(root / "rules", workspace.folder / "rules")
    (workspace.folder / "mine.yaml").write_text(yaml.safe_dump(overlay(root)))
    (workspace.folder / "letters.txt").write_text(RAW)

    done = workspace.run("curate")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]

    rows = (workspace.results / "datasets/lima/frozen/train.jsonl").read_text().splitlines()
    drawn = [row for row in map(json.loads, rows) if row["source"] == "letters"]
    assert {row["messages"][0]["content"] for row in drawn} == {
        question for question, answer in LETTERS if not answer.isupper()
    }
    assert {row["kind"] for row in drawn} == {"letters"}
    steps = json.loads((workspace.results / "curation/funnel.json").read_text())["steps"]
    dropped = {s["step"]: s["dropped"] for s in steps if s["source"] == "letters"}
    assert dropped["extract"] == {"letter without an answer": 1}
    assert dropped["filter"] == {"capitals": 1}


def test_a_typo_in_an_option_of_the_new_kind_names_the_option(root: Path, tmp_path: Path) -> None:
    workspace = Workspace(checkout(root, tmp_path / "limaflow"), (*TINY, "mine.yaml"))
    add_source_kind(workspace, root)
    add_selection_rule(workspace, root)
    mine = overlay(root)
    mine["sources"][-1]["seperator"] = mine["sources"][-1].pop("separator")
    mine["curation"]["filters"]["letters"] = {"max_capitals_share": 0.5}
    (workspace.folder / "mine.yaml").write_text(yaml.safe_dump(mine))
    files = ("config.yaml", *workspace.configfiles)
    done = workspace.done(["limaflow", "config", "check", *files])
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "sources.letters.seperator: unknown key; did you mean 'separator'?" in said
    expected = "curation.filters.letters.max_capitals_share: unknown key; did you mean"
    assert f"{expected} 'max_capital_share'?" in said
