"""Everything that the user brings is looked for, and all that is missing is said at once."""

from pathlib import Path
from typing import Any

import pytest

from limaflow.config.brought_files import missing_files
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged


@pytest.fixture
def miniature(root: Path) -> dict[str, Any]:
    return merged([root / "config.yaml", root / "experiments/miniature.yaml"])


def test_what_the_run_makes_or_fetches_is_not_looked_for(
    miniature: dict[str, Any], root: Path
) -> None:
    raw = [{"url": "https://example.org/a.jsonl"}]
    fetched = {"name": "fetched", "kind": "authored", "shards": {"all": raw}}
    config = parse({**miniature, "sources": [*miniature["sources"], fetched]})
    assert missing_files(config, root) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"datasets": [{"name": "lima", "path": "no.jsonl"}]}, "datasets.lima.path: no.jsonl"),
        (
            {"prompts": {"dev": [{"path": "no.jsonl"}], "test": [{"path": "no.jsonl"}]}},
            "prompts.test.path: no.jsonl",
        ),
        ({"base": {"path": "/no/model", "stand_in": None}}, "base.path: /no/model"),
        (
            {"arms": [{"name": "lima", "kind": "model", "path": "./no"}]},
            "arms.lima.path: ./no",
        ),
        (
            {"arms": [{"name": "lima", "kind": "recorded", "path": "no.jsonl"}]},
            "arms.lima.path: no.jsonl",
        ),
        (
            {
                "datasets": [{"name": "lima", "path": "no.jsonl"}],
                "training": {"chat_template": "no.jinja"},
            },
            "arms.lima: training.chat_template (lima, base, or a file): no.jinja",
        ),
        (
            {"comparisons": [{"first": "lima", "second": "few", "verdicts": "no.csv"}]},
            "comparisons.lima-vs-few.verdicts: no.csv",
        ),
    ],
)
def test_what_is_missing_is_named_by_its_key(
    miniature: dict[str, Any], root: Path, change: dict[str, Any], line: str
) -> None:
    raw = {**miniature, **change}
    raw["training"] = {**miniature["training"], **change.get("training", {})}
    if "arms" in change:
        raw |= {"comparisons": [], "benchmarks": {**raw["benchmarks"], "arms": []}}
    if "datasets" in change:
        arms = [{"name": "lima", "kind": "tuned", "dataset": "lima"}]
        raw |= {"arms": arms, "comparisons": []}
        raw["benchmarks"] = {**raw["benchmarks"], "arms": []}
    assert line in missing_files(parse(raw), root)


def test_marks_and_lists_of_benchmark_items_are_looked_for(
    miniature: dict[str, Any], root: Path
) -> None:
    brought = {"human_grades": [{"path": "/no/marks.csv"}], "contaminated": ["/no/seen.csv"]}
    config = parse({**miniature, "benchmarks": {**miniature["benchmarks"], **brought}})
    assert missing_files(config, root) == [
        "benchmarks.human_grades: /no/marks.csv",
        "benchmarks.contaminated: /no/seen.csv",
    ]


def test_a_model_of_the_hub_is_no_folder(miniature: dict[str, Any], root: Path) -> None:
    config = parse({**miniature, "base": {"path": "huggyllama/llama-7b", "stand_in": None}})
    assert missing_files(config, root) == []
