"""Benchmarks: local tasks on real items, one score an item, mistakes named."""

import json
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from limaflow.errors import InputError
from limaflow.jsonl import line_of, read_records
from limaflow.lm_evaluation.cli import app
from limaflow.lm_evaluation.evaluate import EvaluationSettings, evaluate
from limaflow.lm_evaluation.item_texts import BenchmarkText, item_texts
from limaflow.lm_evaluation.tasks import catalogue
from limaflow.records import BenchmarkItem

PROJECT = Path(__file__).parents[3]
TASKS = PROJECT / "experiments/tasks"


DATA = PROJECT.parent / "shared/data"


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, shared_data: Path, tmp_path: Path) -> None:
    """The tasks' data paths count from a folder that is named, not from where one works."""
    assert shared_data == DATA
    monkeypatch.chdir(tmp_path)


def settings(
    *, batch: int = 8, limit: int | None = 12, few_shot: int | None = None, chat: bool = False
) -> EvaluationSettings:
    return EvaluationSettings(
        few_shot=few_shot,
        limit=limit,
        batch=batch,
        formats=("chat",) if chat else ("plain",),
        precision="fp32",
        seed=0,
        data_root=DATA,
    )


def test_every_item_of_a_local_task_has_a_score_and_their_mean_is_the_result(
    roomy_base: Path,
) -> None:
    results, items = evaluate(
        roomy_base, "base", ["mmlu_local_astronomy", "gsm8k_local"], TASKS, settings()
    )
    for task, score in results["scores"].items():
        values = [item.value for item in items if item.task == task]
        assert len(values) == score["items"] == 12
        assert sum(values) / 12 == score["value"]
        assert results["tasks"][task]["metrics"][score["metric"]]["value"] == score["value"]
    assert results["scores"]["mmlu_local_astronomy"]["metric"] == "acc,none"
    assert results["scores"]["gsm8k_local"]["metric"] == "exact_match,last-number"


def test_a_second_run_gives_the_same_bytes(roomy_base: Path) -> None:
    runs = [
        evaluate(roomy_base, "base", ["mmlu_local_astronomy"], TASKS, settings(limit=5))
        for _ in range(2)
    ]
    first, second = ((json.dumps(results), [line_of(i) for i in items]) for results, items in runs)
    assert first == second


def test_batch_and_padding_change_no_answer_and_no_likelihood_but_by_rounding(
    roomy_base: Path,
) -> None:
    names = ["mmlu_local_astronomy", "gsm8k_local"]
    alone, *padded = (
        evaluate(roomy_base, "base", names, TASKS, settings(batch=batch, limit=5))[1]
        for batch in (1, 3, 8)
    )
    assert len({item.prompt for item in alone}) == 10
    for items in padded:
        for one, other in zip(alone, items, strict=True):
            assert (one.item_id, one.value, one.reply) == (other.item_id, other.value, other.reply)
            assert one.right_probability == pytest.approx(other.right_probability, abs=1e-5)


def test_items_that_do_not_fit_the_context_are_counted(roomy_base: Path) -> None:
    results, _ = evaluate(
        roomy_base, "base", ["mmlu_local_moral_disputes"], TASKS, settings(limit=40)
    )
    assert 0 < results["scores"]["mmlu_local_moral_disputes"]["truncated_items"] < 40


def test_the_items_of_a_group_count_as_one_task(roomy_base: Path) -> None:
    results, items = evaluate(roomy_base, "base", ["mmlu_local"], TASKS, settings(limit=2))
    assert sorted(results["tasks"]) == [
        "mmlu_local_astronomy",
        "mmlu_local_computer_security",
        "mmlu_local_moral_disputes",
    ]
    assert results["scores"]["mmlu_local"]["items"] == 6
    assert {item.task for item in items} == {"mmlu_local"}
    assert len({item.item_id for item in items}) == 6


def test_the_items_of_texts_and_of_a_run_have_the_same_names(roomy_base: Path) -> None:
    _, items = evaluate(roomy_base, "base", ["mmlu_local_astronomy"], TASKS, settings(limit=3))
    texts = list(item_texts(["mmlu_local_astronomy"], TASKS, limit=3, data_root=DATA))
    assert [text.item_id for text in texts] == [item.item_id for item in items]


def test_a_text_holds_question_choices_and_answer() -> None:
    first = next(item_texts(["mmlu_local_astronomy"], TASKS, limit=1, data_root=DATA))
    assert first.text.startswith('What is true for a type-Ia ("type one-a") supernova?')
    assert "This type produces gamma-ray bursts." in first.text
    problem = next(item_texts(["gsm8k_local"], TASKS, limit=1, data_root=DATA))
    assert "Janet" in problem.text
    assert problem.question.startswith("Janet")
    assert problem.text.endswith("\n18")


def test_every_task_of_a_group_gives_texts_and_the_answer_follows_the_question() -> None:
    texts = list(item_texts(["mmlu_local", "gsm8k_local"], TASKS, limit=2, data_root=DATA))
    assert Counter(text.task for text in texts) == dict.fromkeys(
        (
            "gsm8k_local",
            "mmlu_local_astronomy",
            "mmlu_local_computer_security",
            "mmlu_local_moral_disputes",
        ),
        2,
    )
    first = next(text for text in texts if text.task == "mmlu_local_astronomy")
    assert first.question == 'What is true for a type-Ia ("type one-a") supernova?'
    assert len(set(first.text.splitlines())) == len(first.text.splitlines())


def test_worked_examples_and_labels_are_no_part_of_the_question(
    local_task: Callable[[str], Path], tmp_path: Path
) -> None:
    """As in TruthfulQA, whose every item begins with the same six examples, and ARC."""
    (tmp_path / "items.jsonl").write_text(
        json.dumps({"question": "Why is the sky blue?", "answer": "It scatters light."}) + "\n"
    )
    folder = local_task(
        "task: framed\ndataset_path: json\noutput_type: generate_until\ntest_split: test\n"
        f"dataset_kwargs: {{data_files: {{test: {tmp_path}/items.jsonl}}}}\n"
        'doc_to_text: "Q: Who am I?\\nA: You.\\n\\nQuestion: {{question}}\\nAnswer:"\n'
        "doc_to_target: answer\n"
    )
    [text] = item_texts(["framed"], folder, limit=None)
    assert text.question == "Why is the sky blue?"
    assert text.text.endswith("Answer:\nIt scatters light.")


def test_an_item_whose_choices_end_in_one_sentence_is_put_together_with_the_right_one(
    local_task: Callable[[str], Path], tmp_path: Path
) -> None:
    """As in Winogrande: the choices are contexts, and the target is how all of them go on."""
    item = {"start": "The cup did not fit the shelf, as", "end": "was too tall.", "label": 1}
    (tmp_path / "items.jsonl").write_text(json.dumps(item) + "\n")
    folder = local_task(
        "task: joined\ndataset_path: json\noutput_type: multiple_choice\ntest_split: test\n"
        f"dataset_kwargs: {{data_files: {{test: {tmp_path}/items.jsonl}}}}\n"
        'doc_to_text: label\ndoc_to_target: "{{end}}"\n'
        "doc_to_choice: \"{{[start + ' the shelf', start + ' the cup']}}\"\n"
    )
    [text] = item_texts(["joined"], folder, limit=None)
    assert text.text.splitlines()[:2] == [
        "The cup did not fit the shelf, as the cup",
        "was too tall.",
    ]


@pytest.mark.slow
def test_a_misspelt_task_is_answered_with_the_nearest_names() -> None:
    with pytest.raises(InputError, match=r"mmlu_local_astronmy.*near it: .*mmlu_local_astronomy"):
        catalogue(["mmlu_local_astronmy"], [TASKS])


@pytest.mark.slow
def test_built_in_tasks_are_found_beside_local_ones() -> None:
    assert "hellaswag" in catalogue(["hellaswag", "mmlu_local_astronomy"], [TASKS]).all_tasks


def test_a_chat_template_that_the_tokenizer_lacks_is_an_error(roomy_base: Path) -> None:
    with pytest.raises(InputError, match="no chat template"):
        evaluate(roomy_base, "base", ["mmlu_local_astronomy"], TASKS, settings(chat=True))


@pytest.fixture
def local_task(tmp_path: Path) -> Callable[[str], Path]:
    def write(body: str) -> Path:
        (tmp_path / "task.yaml").write_text(body, encoding="utf-8")
        return tmp_path

    return write


def test_missing_data_is_one_clear_error(local_task: Callable[[str], Path]) -> None:
    folder = local_task(
        "task: lost\ndataset_path: csv\ndataset_kwargs: {data_files: {test: nowhere.csv}}\n"
        "test_split: test\noutput_type: multiple_choice\ndoc_to_text: q\ndoc_to_target: a\n"
    )
    with pytest.raises(InputError, match="'lost' cannot be read"):
        list(item_texts(["lost"], folder, limit=1))


def test_a_perplexity_is_paired_by_the_log_likelihood_of_each_unit(
    roomy_base: Path, local_task: Callable[[str], Path]
) -> None:
    folder = local_task(
        "task: rolling\ndataset_path: csv\ntest_split: test\noutput_type: loglikelihood_rolling\n"
        "dataset_kwargs: {data_files: {test: benchmarks/mmlu/astronomy_test.csv}}\n"
        "doc_to_text: ''\ndoc_to_target: '{{question}}'\nmetric_list: [{metric: word_perplexity}]\n"
    )
    results, items = evaluate(roomy_base, "base", ["rolling"], folder, settings(limit=3))
    assert results["scores"]["rolling"]["metric"].endswith(": log-likelihood of a word")
    total = sum(item.value * item.weight for item in items) / sum(item.weight for item in items)
    reported = results["tasks"]["rolling"]["metrics"]["word_perplexity,none"]["value"]
    assert math.exp(-total) == pytest.approx(reported)


def test_the_commands_write_results_items_and_texts(roomy_base: Path, tmp_path: Path) -> None:
    common = ["--task", "mmlu_local_astronomy", "--include", str(TASKS), "--limit", "4"]
    common += ["--data-root", str(DATA)]
    results, items, texts = (tmp_path / name for name in ("r.json", "i.jsonl", "t.jsonl"))
    for arguments in (
        [
            *("run", "--model", str(roomy_base), "--name", "base", "--batch", "2", "--seed", "1"),
            *("--results", str(results), "--items", str(items), *common),
        ],
        ["texts", "--output", str(texts), *common],
    ):
        outcome = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert outcome.exit_code == 0
    scores = json.loads(results.read_text(encoding="utf-8"))["scores"]
    assert scores["mmlu_local_astronomy"]["items"] == 4
    assert len(list(read_records(items, BenchmarkItem))) == 4
    assert len(list(read_records(texts, BenchmarkText))) == 4
