"""lm-eval's own tasks on local copies of their data, without a network."""

import csv
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny_model import written_model

from limaflow.errors import InputError
from limaflow.lm_evaluation.evaluate import EvaluationSettings, checked, evaluate
from limaflow.lm_evaluation.item_texts import item_texts

SUBJECT = "astronomy"
QUESTION = {
    "question": "Who was the man behind The Chipmunks?",
    "answer": {"value": "David Seville", "aliases": ["David Seville", "Ross Bagdasarian"]},
}


def settings(copies: Path, **options: Any) -> EvaluationSettings:
    return EvaluationSettings(batch=4, seed=0, copies=copies, **options)


@pytest.fixture
def real(shared_data: Path) -> Path:
    return shared_data / "benchmarks"


def written(path: Path, rows: list[list[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def test_mmlu_and_gsm8k_of_lm_eval_ask_their_real_items(roomy_base: Path, real: Path) -> None:
    found, items = evaluate(
        roomy_base,
        "base",
        ["mmlu_astronomy", "gsm8k"],
        None,
        settings(real, limit=4, few_shot_by_task={"gsm8k": 1}),
    )
    assert [len([i for i in items if i.task == t]) for t in ("mmlu_astronomy", "gsm8k")] == [4, 4]
    assert found["scores"]["gsm8k"]["few_shot"] == "1"
    assert all(item.choices == 4 for item in items if item.task == "mmlu_astronomy")
    first = next(item_texts(["mmlu_astronomy"], None, 1, copies=real))
    assert first.question == 'What is true for a type-Ia ("type one-a") supernova?'
    assert "B. This type occurs in young galaxies." in first.text


@pytest.mark.slow
def test_a_group_of_57_subjects_is_read_in_the_layout_in_which_it_was_published(
    tmp_path: Path,
) -> None:
    import lm_eval

    folder = Path(lm_eval.__file__).parent / "tasks/mmlu/default"
    subjects = [
        line.split(":")[1].strip(' "\n')
        for path in folder.glob("mmlu_*.yaml")
        for line in path.read_text().splitlines()
        if line.replace('"', "").startswith("dataset_name:")
    ]
    assert len(subjects) == 57
    for subject in subjects:
        for split in ("dev", "test"):
            rows = [
                [f"{subject} {split} {n}?", "NA", "no", "1.50", "2", "ABCD"[n]] for n in range(2)
            ]
            written(tmp_path / "mmlu" / split / f"{subject}_{split}.csv", rows)
    selection, prompts, results = checked(
        ["mmlu"], None, settings(tmp_path, few_shot_by_task={"mmlu": 2})
    )
    assert len(selection.tasks) == 57
    assert sum(map(len, prompts.values())) == 114
    doc = selection.tasks["mmlu_virology"].eval_docs[1]
    assert doc == {
        "question": "virology test 1?",
        "choices": ["NA", "no", "1.50", "2"],
        "answer": 1,
    }
    assert results["mmlu"].metric == "acc,none"


def test_a_clone_of_the_hubs_repository_is_read_by_its_card(tmp_path: Path) -> None:
    clone = tmp_path / "openai/gsm8k"
    (clone / "main").mkdir(parents=True)
    row = json.dumps({"question": "What is 1 + 1?", "answer": "#### 2"})
    for split in ("train", "test"):
        (clone / f"main/{split}-00000-of-00001.jsonl").write_text(row + "\n")
    (clone / "README.md").write_text(
        "---\nconfigs:\n- config_name: main\n  data_files:\n"
        "  - split: train\n    path: main/train-*\n"
        "  - split: test\n    path: main/test-*\n---\n"
    )
    selection, _, _ = checked(["gsm8k"], None, settings(tmp_path, few_shot_by_task={"gsm8k": 1}))
    (data,) = selection.data
    assert (data.name, data.configuration, data.place) == ("openai/gsm8k", "main", str(clone))
    assert data.rows == {"train": 1, "test": 1}


def test_a_right_answer_of_triviaqa_has_several_names(roomy_base: Path, tmp_path: Path) -> None:
    (tmp_path / "trivia_qa").mkdir()
    (tmp_path / "trivia_qa/validation.jsonl").write_text(json.dumps(QUESTION) + "\n")
    found, (item,) = evaluate(roomy_base, "base", ["triviaqa"], None, settings(tmp_path))
    assert found["scores"]["triviaqa"]["metric"] == "exact_match,remove_whitespace"
    assert item.reply is not None and item.value == 0


@pytest.mark.parametrize(
    ("files", "task", "few_shot", "message"),
    [
        (
            ["mmlu/virology_test.csv"],
            "mmlu_astronomy",
            0,
            "no files of its .*'astronomy'.*virology",
        ),
        (["mmlu/astronomy_dev.csv"], "mmlu_astronomy", 0, "no items .*another split.* dev"),
        (["mmlu/astronomy_test.csv"], "mmlu_astronomy", 5, "has 0 examples .* of 5"),
        (
            ["mmlu/astronomy_test.csv", "mmlu/astronomy/test.csv"],
            "mmlu_astronomy",
            0,
            "the same split is in",
        ),
    ],
)
def test_what_a_copy_lacks_is_named(
    tmp_path: Path, files: list[str], task: str, few_shot: int, message: str
) -> None:
    for file in files:
        written(tmp_path / file, [["Is it so?", "yes", "no", "1", "2", "A"]])
    with pytest.raises(InputError, match=message):
        checked([task], None, settings(tmp_path, few_shot=few_shot))


def test_data_that_have_no_copy_are_read_from_the_hub_and_that_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="the network was not reached"):
        checked(["winogrande"], None, settings(tmp_path))
    assert "allenai/winogrande: from the hub: no copy of it" in capsys.readouterr().err


def test_a_folder_of_copies_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder of local copies"):
        checked(["gsm8k"], None, settings(tmp_path / "none"))


@pytest.fixture
def ifeval(real: Path, tmp_path: Path) -> Path:
    """IFEval's real items, and a sentence splitter without abbreviations."""
    pytest.importorskip("langdetect")
    pytest.importorskip("immutabledict")
    shutil.copytree(real / "ifeval", tmp_path / "ifeval")
    punkt = tmp_path / "nltk_data/tokenizers/punkt_tab/english"
    punkt.mkdir(parents=True)
    for name in ("abbrev_types.txt", "collocations.tab", "ortho_context.tab", "sent_starters.txt"):
        (punkt / name).touch()
    return tmp_path


@pytest.mark.slow
def test_ifeval_is_scored_without_a_network_and_twice_alike(ifeval: Path) -> None:
    # Its answers may have 1,280 tokens.
    base = written_model(ifeval / "base", texts=["Is it so, and why?"], context=2048)
    _, items = evaluate(base, "base", ["ifeval"], None, settings(ifeval, limit=2))
    assert [item.metric for item in items] == ["prompt_level_strict_acc,none"] * 2
    langdetect = sys.modules["langdetect"]
    short = "no si da"
    assert len({langdetect.detect(short) for _ in range(30)}) == 1


def test_missing_files_of_nltk_are_named_before_anything_is_asked(
    ifeval: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nltk

    shutil.rmtree(ifeval / "nltk_data")
    for module in [m for m in sys.modules if m.startswith("lm_eval.tasks.ifeval")]:
        del sys.modules[module]
    monkeypatch.setattr(nltk.data, "path", [])
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(ifeval / "home"))
    with pytest.raises(InputError, match=r"nltk's 'punkt_tab' is missing.*prefetch"):
        checked(["ifeval"], None, settings(ifeval))
