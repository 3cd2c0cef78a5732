"""Tasks that lie outside, named by the path of their YAML; and metrics of which less is better."""

import json
from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.lm_evaluation.evaluate import EvaluationSettings, evaluate
from limaflow.lm_evaluation.item_texts import item_texts
from limaflow.lm_evaluation.metrics import METRICS, brier, metric_of, preference
from limaflow.lm_evaluation.task_files import files_of_task, task_name

SETTINGS = EvaluationSettings(few_shot=None, limit=None, batch=8, precision="fp32", seed=0)
TASK = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
output_type: multiple_choice
test_split: test
doc_to_text: "{{{{question}}}}"
doc_to_choice: ["yes", "no", "perhaps"]
doc_to_target: right
{more}
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "harm.jsonl"
    path.parent.mkdir()
    rows = [{"question": f"May one sell {n} goats?", "right": n % 3} for n in range(6)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def written(path: Path, data: Path, more: str = "", name: str = "") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(TASK.format(name=name or path.stem, data=data, more=more))
    return path


def test_a_task_named_by_path_is_run_under_the_name_that_its_file_gives(
    tiny_base: Path, data: Path, tmp_path: Path
) -> None:
    path = written(tmp_path / "mine" / "harm_task.yaml", data)
    results, items = evaluate(tiny_base, "base", [str(path)], None, SETTINGS)
    assert {item.task for item in items} == {"harm_task"}
    assert results["scores"]["harm_task"]["metric"] == "acc_norm,none"
    assert results["scores"]["harm_task"]["higher_is_better"] is True
    assert [text.item_id for text in item_texts([str(path)], None, None)] == sorted(
        item.item_id for item in items
    )


def test_all_that_a_task_file_names_is_what_it_depends_on(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    one = written(folder / "one.yaml", data, "include: _shared.yaml")
    (folder / "_shared.yaml").write_text("process_docs: !function readers.only_short\n")
    (folder / "readers.py").write_text("def only_short(docs): return docs\n")
    written(folder / "two.yaml", tmp_path / "nowhere.jsonl")
    written(folder / "another.yaml", data)
    group = folder / "both.yaml"
    group.write_text("group: harm\ntask: [one, two]\n")
    assert task_name(group) == "harm"
    assert task_name(one) == "one"
    named = {str(path.relative_to(tmp_path)) for path in files_of_task(group)}
    assert named == {
        *("mine/both.yaml", "mine/one.yaml", "mine/two.yaml", "mine/_shared.yaml"),
        *("mine/readers.py", "data/harm.jsonl"),
    }


def test_what_cannot_be_the_task_meant_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.yaml: no such benchmark task"):
        task_name(tmp_path / "gone.yaml")
    (tmp_path / "empty.yaml").write_text("dataset_path: json\n")
    with pytest.raises(InputError, match="neither `task` nor `group`"):
        task_name(tmp_path / "empty.yaml")
    (tmp_path / "torn.yaml").write_text("task: [\n")
    with pytest.raises(InputError, match=r"torn\.yaml: not a benchmark task"):
        files_of_task(tmp_path / "torn.yaml")
    first, second = (written(tmp_path / n / "a.yaml", data, name="harm") for n in ("one", "two"))
    with pytest.raises(InputError, match="two of the benchmark tasks are named 'harm'"):
        list(item_texts([str(first), str(second)], None, None))
    other = written(tmp_path / "two" / "b.yaml", data, name="harm")
    with pytest.raises(InputError, match=r"b\.yaml: its task 'harm' is defined in .*a\.yaml too"):
        list(item_texts([str(other)], None, None))


def test_of_a_metric_where_less_is_better_results_and_items_say_so(
    tiny_base: Path, data: Path, tmp_path: Path
) -> None:
    metric = "metric_list: [{metric: brier_score, aggregation: brier_score}]"
    path = written(tmp_path / "calibrated.yaml", data, metric)
    results, items = evaluate(tiny_base, "base", [str(path)], None, SETTINGS)
    score = results["scores"]["calibrated"]
    assert (score["metric"], score["higher_is_better"]) == ("brier_score,none", False)
    assert score["scale"] == (0, 2)
    assert {item.higher_is_better for item in items} == {False}
    assert sum(item.value for item in items) / 6 == pytest.approx(score["value"])
    assert 0 < score["value"] < 2


def test_what_a_task_says_of_its_metrics_direction_counts(
    tiny_base: Path, data: Path, tmp_path: Path
) -> None:
    metric = "metric_list: [{metric: acc, aggregation: mean, higher_is_better: false}]"
    path = written(tmp_path / "fooled.yaml", data, metric)
    _, items = evaluate(tiny_base, "base", [str(path)], None, SETTINGS)
    assert {item.higher_is_better for item in items} == {False}


def test_the_table_gives_order_reader_and_direction() -> None:
    assert sorted(["f1,none", "rouge,none", "acc,none", "acc_norm,none"], key=preference) == [
        *("acc_norm,none", "acc,none", "f1,none", "rouge,none")
    ]
    assert metric_of("acc,none") is METRICS["acc"]
    assert metric_of("rouge,none").higher_is_better
    assert brier((1, [0.25, 0.5, 0.25])) == (0.375, 1.0)
    assert brier("no pair") is None
