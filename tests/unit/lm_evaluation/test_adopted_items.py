"""Results by item of others become our items, and an unread answer is no wrong answer."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from limaflow.cli import app
from limaflow.errors import InputError
from limaflow.jsonl import read_json, read_records
from limaflow.lm_evaluation.adopted_items import adopted
from limaflow.lm_evaluation.readings import reading_of
from limaflow.lm_evaluation.settings import Benchmarks, ItemLayout
from limaflow.records import BenchmarkItem

GSM8K = "benchmarks/parity/gsm8k-example-solutions.csv"
MMLU_PRO = "benchmarks/parity/mmlu-pro-mistral-7b-v0.2.csv"


def written(folder: Path, text: str, name: str = "items.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def items_of(path: Path, layout: ItemLayout) -> list[BenchmarkItem]:
    return adopted([(path, layout)], "lima")[1]


@pytest.mark.parametrize(
    ("model", "accuracy"),
    [
        ("6b_finetuning", 0.217),
        ("6b_verification", 0.390),
        ("175b_finetuning", 0.347),
        ("175b_verification", 0.563),
    ],
)
def test_gsm8k_solutions_have_the_accuracy_that_their_authors_publish(
    shared_data: Path, model: str, accuracy: float
) -> None:
    layout = ItemLayout(task="gsm8k", columns={"score": model})
    results, items = adopted([(shared_data / GSM8K, layout)], model)
    assert results["scores"]["gsm8k"]["value"] == pytest.approx(accuracy, abs=5e-4)
    assert len(items) == 1319
    assert results["scores"]["gsm8k"]["scale"] == (0, 1)


def test_an_empty_answer_counts_as_unread(shared_data: Path) -> None:
    for model, unread in (("base", 1334), ("tuned", 2237)):
        layout = ItemLayout(
            task="mmlu_pro",
            columns={
                "item": "question_id",
                "right": "answer",
                "answer": f"{model}_choice",
                "choices": "options",
            },
        )
        results, items = adopted([(shared_data / MMLU_PRO, layout)], model)
        assert results["scores"]["mmlu_pro"]["unread_items"] == unread
        assert sum(item.unread for item in items) == unread
        assert not any(item.value for item in items if item.unread)


def sample(**changed: object) -> dict[str, object]:
    """A row of lm-eval's samples of a generated answer."""
    row = {
        "doc_id": 3,
        "doc": {"question": "2 + 2?"},
        "target": "4",
        "arguments": {"gen_args_0": {"arg_0": "2 + 2?", "arg_1": {"until": ["Q:"]}}},
        "resps": [["It is #### 4"]],
        "filtered_resps": ["4"],
        "filter": "strict-match",
        "metrics": ["exact_match"],
        "doc_hash": "d" * 64,
        "prompt_hash": "p" * 64,
        "exact_match": 1.0,
    }
    return row | changed


def test_lm_evals_own_samples_are_read_by_filter(tmp_path: Path) -> None:
    rows = [
        sample(),
        sample(filter="flexible-extract"),
        sample(doc_id=4, filtered_resps=["[invalid]"], exact_match=0.0),
        sample(doc_id=4, filter="flexible-extract", filtered_resps=["5"], exact_match=0.0),
    ]
    path = written(
        tmp_path,
        "".join(json.dumps(row) + "\n" for row in rows),
        "samples_gsm8k_2026-11-01T10-00-00.123456.jsonl",
    )
    strict = items_of(path, ItemLayout(metric="exact_match,strict-match"))
    assert [(i.task, i.value, i.unread, i.answer, i.reply) for i in strict] == [
        ("gsm8k", 1, False, "4", "It is #### 4"),
        ("gsm8k", 0, True, None, "It is #### 4"),
    ]
    assert strict[0].prompt == "p" * 64
    flexible = items_of(path, ItemLayout(metric="exact_match,flexible-extract"))
    assert [i.unread for i in flexible] == [False, False]


def test_choices_have_probabilities() -> None:
    found = reading_of(
        sample(
            target="1",
            resps=[[["-2.0", "False"]], [["-1.0", "True"]]],
            filtered_resps=[["-2.0", "False"], ["-1.0", "True"]],
            metrics=["acc"],
        )
    )
    assert found.choices == 2
    assert found.answer == "1"
    assert found.right_probability == found.confidence == pytest.approx(0.7311, abs=1e-4)
    assert not found.unread
    assert found.reply is None


def test_the_right_choice_may_be_named_by_its_text() -> None:
    found = reading_of(
        sample(
            target="no",
            arguments=[("Is it?", " yes"), ("Is it?", " no")],
            resps=[[(-1.0, True)], [(-3.0, False)]],
            filtered_resps=[(-1.0, True), (-3.0, False)],
            metrics=["acc"],
        )
    )
    assert found.right_probability == pytest.approx(0.1192, abs=1e-4)
    assert found.confidence == pytest.approx(0.8808, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "layout", "message"),
    [
        ("item,score\na,1\na,0\n", {"task": "t"}, r"items\.csv:3: task 't': item a stands twice"),
        ("item,score\na,1\nb,maybe\n", {"task": "t"}, r"items\.csv:3: 'maybe' is no score"),
        ("item,score\na,nan\n", {"task": "t"}, r"items\.csv:2: 'nan' is no score"),
        ("item,score\na,1\n", {}, r"items\.csv:2: of which task\?"),
        ("id,score\na,1\n", {"task": "t"}, r"items\.csv:2: has no item"),
        ("item,points\na,1\n", {"task": "t"}, "neither a column score nor right and answer"),
        (
            "item,points\na,1\n",
            {"task": "t", "columns": {"score": "pionts"}},
            "has no column 'pionts'; did you mean 'points'",
        ),
        (
            "item,right,answer,choices\na,A,B,four\n",
            {"task": "t"},
            r"items\.csv:2: 'four' is no number of choices",
        ),
        ("item,score\n", {"task": "t"}, "holds no items"),
    ],
)
def test_what_cannot_be_read_names_file_and_line(
    tmp_path: Path, text: str, layout: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        items_of(written(tmp_path, text), ItemLayout.model_validate(layout))


def test_the_command_writes_items_and_results(tmp_path: Path) -> None:
    path = written(tmp_path, "id,task,ok\n1,a,true\n2,a,false\n1,b,true\n")
    result = CliRunner().invoke(
        app,
        [
            *("benchmark", "adopt", str(path), "--name", "lima"),
            *("--column", "item=id", "--column", "score=ok"),
            *("--results", str(tmp_path / "r.json"), "--items", str(tmp_path / "i.jsonl")),
        ],
    )
    assert result.exit_code == 0, result.output
    assert "lima: a: score 0.5000 of 2 items" in result.output
    items = list(read_records(tmp_path / "i.jsonl", BenchmarkItem))
    assert [(i.task, i.item_id, i.value) for i in items] == [
        ("a", "1", 1),
        ("a", "2", 0),
        ("b", "1", 1),
    ]
    assert read_json(tmp_path / "r.json", dict[str, object])["model"] == "lima"


def test_recorded_arms_need_no_task_to_be_there() -> None:
    settings = Benchmarks.model_validate(
        {
            "tasks": [],
            "include": None,
            "arms": ["base", "lima"],
            "few_shot": None,
            "limit": None,
            "batch": 1,
            "formats": ["plain"],
            "recorded": {"lima": [{"path": "x.csv"}]},
        }
    )
    assert settings.arms == ["lima"]
    assert settings.measured_arms == []


def test_a_sample_keeps_its_question_without_worked_examples() -> None:
    prompt = "Q: 1 + 1?\nA: 2\n\nQ: 2 + 2?\nA:"
    found = reading_of(sample(arguments={"gen_args_0": {"arg_0": prompt}}, target=["4", "four"]))
    assert found.question == "2 + 2?\nA:"
    assert found.right_answers == ("4", "four")


@pytest.mark.parametrize("cell", ['"Avel/The River Avel"', '"[""Avel"", ""River Avel""]"'])
def test_several_right_answers_stand_in_one_cell(tmp_path: Path, cell: str) -> None:
    path = written(tmp_path, f"item,right,answer,reply\n1,{cell},river avel!,river avel!\n")
    separator = "/" if "/" in cell else ""
    layout = ItemLayout(task="t", separator=separator, normalize=True)
    (item,) = items_of(path, layout)
    assert item.value == 1 and len(item.right_answers) == 2
    (as_it_is,) = items_of(path, layout.model_copy(update={"normalize": False}))
    assert as_it_is.value == 0 and as_it_is.lenient
