"""How tasks are put to a model: groups, examples, templates, kept answers, precision."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from limaflow.errors import InputError
from limaflow.jsonl import read_records, write_records
from limaflow.lm_evaluation.evaluate import EvaluationSettings, Shots, checked, evaluate
from limaflow.lm_evaluation.model import load_model
from limaflow.lm_evaluation.system_turns import in_first_turn
from limaflow.lm_evaluation.task_failures import failure
from limaflow.lm_evaluation.task_files import files_of_task
from limaflow.lm_evaluation.task_names import examined
from limaflow.records import Example

SETTINGS = EvaluationSettings(batch=8, seed=0)
TASK = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
output_type: multiple_choice
test_split: test
description: "Each question has one right answer.\\n\\n"
doc_to_text: "{{{{question}}}}"
doc_to_choice: ["yes", "no", "perhaps"]
doc_to_target: right
metric_list: [{{metric: acc, aggregation: mean, higher_is_better: true}}]
{more}
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A task file with so many items beside it."""

    def task(name: str, items: int, more: str = "") -> Path:
        folder = tmp_path / "tasks"
        folder.mkdir(exist_ok=True)
        data = folder / f"{name}.jsonl"
        rows = [
            {"question": f"May {name} sell {n} goats?", "right": n * n % 3} for n in range(items)
        ]
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        path = folder / f"{name}.yaml"
        path.write_text(TASK.format(name=name, data=data, more=more))
        return path

    return task


def group(folder: Path, members: str, more: str = "") -> None:
    (folder / "all.yaml").write_text(f"group: all\ntask: [{members}]\n{more}")


def count_requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The contexts that a model is really asked with, as they come."""
    from lm_eval.models.huggingface import HFLM

    asked: list[str] = []
    original = HFLM._loglikelihood_tokens

    def counted(self: Any, requests: Any, *rest: Any, **named: Any) -> Any:
        asked.extend(request[0][0] for request in requests if request[0])
        return original(self, requests, *rest, **named)

    monkeypatch.setattr(HFLM, "_loglikelihood_tokens", counted)
    return asked


def test_a_group_holds_the_task_that_is_asked_for_beside_it(tiny_base: Path, write: Write) -> None:
    one, _ = write("one", 6), write("two", 12)
    group(one.parent, "one, two")
    names = ["one", "all"]
    results, items = evaluate(tiny_base, "base", names, one.parent, SETTINGS)
    both = {item.item_id: item.value for item in items if item.task == "all"}
    assert results["scores"]["all"]["items"] == len(both) == 18
    own = {f"one/{item.item_id}": item.value for item in items if item.task == "one"}
    assert own.items() <= both.items()


def test_each_task_of_a_group_counts_alike_where_the_group_says_so(
    tiny_base: Path, write: Write
) -> None:
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    one, _ = write("one", 4), write("two", 18)
    group(one.parent, "one, two", "aggregate_metric_list: [{metric: acc, weight_by_size: false}]\n")
    results, items = evaluate(tiny_base, "base", ["all"], one.parent, SETTINGS)
    plain = simple_evaluate(
        model=load_model(tiny_base, precision="fp32", batch=8),
        tasks=["all"],
        task_manager=TaskManager(include_path=str(one.parent), include_defaults=False),
        bootstrap_iters=0,
    )
    expected = plain["results"]["all"]["acc,none"]
    assert results["scores"]["all"]["value"] == pytest.approx(expected)
    total = sum(item.weight for item in items)
    assert sum(item.value * item.weight for item in items) / total == pytest.approx(expected)


def test_examples_and_metrics_are_set_by_task(tiny_base: Path, write: Write) -> None:
    one, two = write("one", 6), write("two", 6)
    settings = replace(SETTINGS, few_shot=1, few_shot_by_task={str(two): 2})
    results, _ = evaluate(tiny_base, "base", ["one", str(two)], one.parent, settings)
    assert [results["scores"][name]["few_shot"] for name in ("one", "two")] == ["1", "2"]
    group(one.parent, "one, two")
    with pytest.raises(InputError, match="'one' belongs to 'one' and to 'all'"):
        checked(["one", "all"], one.parent, replace(SETTINGS, few_shot_by_task={"one": 3}))
    with pytest.raises(InputError, match=r"reports no 'f1'.*it reports acc,none"):
        checked(["one"], one.parent, replace(SETTINGS, metrics={"one": "f1"}))


@pytest.fixture
def chatting(tiny_base: Path, tmp_path: Path) -> Path:
    """The tiny base with our chat template."""
    from transformers import AutoTokenizer

    from limaflow.manifests import read_manifest
    from limaflow.training.conversation import CHAT_TEMPLATE

    tokenizer = AutoTokenizer.from_pretrained(read_manifest(tiny_base)[1])
    folder = tmp_path / "chat"
    _copy(tiny_base.parent, folder)
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder / "model")
    return folder / "model.json"


def test_one_load_answers_every_format_as_each_alone_would(
    chatting: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    import limaflow.lm_evaluation.model as of_models

    path = str(write("one", 6))
    alone = {
        name: evaluate(chatting, "lima", [path], None, replace(SETTINGS, formats=(name,)))
        for name in ("plain", "chat")
    }
    loads: list[Path] = []
    load = of_models.load_model

    def counted(path: Path, **how: Any) -> Any:
        loads.append(path)
        return load(path, **how)

    monkeypatch.setattr(of_models, "load_model", counted)
    both, items = evaluate(
        chatting, "lima", [path], None, replace(SETTINGS, formats=("plain", "chat"))
    )
    assert loads == [chatting]
    assert items == [*alone["plain"][1], *alone["chat"][1]]
    assert [item.format for item in items] == ["plain"] * 6 + ["chat"] * 6
    assert both["scores"] == alone["plain"][0]["scores"]
    assert both["also"]["chat"]["scores"] == alone["chat"][0]["scores"]
    assert both["run"]["format"] == "plain"


def test_a_chat_template_without_system_turns_keeps_the_tasks_description(
    tiny_base: Path, chatting: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = count_requests(monkeypatch)
    settings = replace(SETTINGS, formats=("chat",))
    path = write("one", 3)
    chat, items = evaluate(chatting, "lima", [str(path)], None, settings)
    assert all("Each question has one right answer.\n\nMay one" in context for context in asked)
    assert all("<|end_of_turn|>" in context for context in asked)
    assert chat["run"]["format"] == "chat"
    _, plain = evaluate(tiny_base, "base", [str(path)], None, SETTINGS)
    assert [item.prompt for item in items] == [item.prompt for item in plain]
    turns = [{"role": "system", "content": "S\n"}, {"role": "user", "content": "U"}]
    assert in_first_turn(turns) == [{"role": "user", "content": "S\n\nU"}]


def _copy(source: Path, target: Path) -> None:
    import shutil

    shutil.copytree(source, target)


def test_an_in_context_arm_is_measured_after_its_examples(
    roomy_base: Path,
    tiny_examples: Path,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    prompts = tmp_path / "test.jsonl"
    write_records(prompts, list(read_records(tiny_examples / "dev.jsonl", Example))[:1])
    train = tiny_examples / "train.jsonl"
    shots = Shots(examples=train, count=2, prompts=prompts, max_tokens=56)
    path = write("one", 3)
    _, plain = evaluate(roomy_base, "base", [str(path)], None, SETTINGS)
    asked = count_requests(monkeypatch)
    results, items = evaluate(
        roomy_base,
        "shown",
        [str(path)],
        None,
        replace(SETTINGS, shots=shots, formats=("in-context",)),
    )
    assert all(context.count("\n\nAnswer: ") == 2 for context in asked)
    assert all(context.startswith("Question: Question ") for context in asked)
    assert (results["run"]["format"], results["run"]["in_context_examples"]) == ("in-context", 2)
    assert [item.prompt for item in items] == [item.prompt for item in plain]


def test_examples_of_an_arm_and_of_a_task_are_turns_in_the_chat_template(
    chatting: Path, tiny_examples: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from limaflow.training.conversation import END_OF_TURN

    train = tiny_examples / "train.jsonl"
    first = next(iter(read_records(train, Example)))
    shots = Shots(examples=train, count=1, prompts=train, max_tokens=8, given=(first.id,))
    path = write("one", 3, "fewshot_split: test\nnum_fewshot: 1\n")
    asked = count_requests(monkeypatch)
    settings = replace(SETTINGS, shots=shots, formats=("in-context-chat",))
    results, items = evaluate(chatting, "shown", [str(path)], None, settings)
    assert results["run"]["format"] == "in-context-chat" == items[0].format
    for context in asked:
        asks, shown, own, answer, question, rest = context.split(END_OF_TURN)
        assert (asks.endswith(first.prompt), shown, rest) == (True, first.response, "")
        assert (own[:8], question[:8]) == ("May one ", "May one ")
        assert answer.strip() in ("yes", "no", "perhaps")


def test_an_edited_prompt_has_another_hash_and_its_code_and_data_are_inputs(
    write: Write,
) -> None:
    path = write("one", 3, "process_docs: !function readers.same\n")
    (path.parent / "readers.py").write_text("import words\ndef same(docs): return docs\n")
    (path.parent / "words.py").write_text("WORDS = 1\n")
    assert {file.name for file in files_of_task(path)} == {
        *("one.yaml", "one.jsonl", "readers.py", "words.py")
    }
    (path.parent / "readers.py").write_text("def same(docs): return docs\n")
    _, before, _ = checked([str(path)], None, SETTINGS)
    (path.parent / "readers.py").write_text(
        "def same(docs): return docs.map(lambda doc: {'question': doc['question'] + '?'})\n"
    )
    sys.modules.pop("readers", None)
    _, after, _ = checked([str(path)], None, SETTINGS)
    assert before["one"].keys() == after["one"].keys()
    assert not set(before["one"].values()) & set(after["one"].values())


def test_an_added_task_and_another_batch_ask_for_nothing_again(
    tiny_base: Path, write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = count_requests(monkeypatch)
    folder, keep = write("one", 6).parent, tmp_path / "answered"
    _, first = evaluate(tiny_base, "base", ["one"], folder, SETTINGS, keep=keep)
    assert len(asked) == 18
    asked.clear()
    write("two", 4)
    settings = replace(SETTINGS, batch=2)
    _, second = evaluate(tiny_base, "base", ["one", "two"], folder, settings, keep=keep)
    assert len(asked) == 12
    assert [item for item in second if item.task == "one"] == first


KILLED = """
import os, signal, sys
from pathlib import Path
from lm_eval.models.huggingface import HFLM
from limaflow.lm_evaluation.evaluate import EvaluationSettings, evaluate

calls = 0
original = HFLM._model_call

def counted(self, *rest, **named):
    global calls
    calls += 1
    if calls == 11:
        import time
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGKILL)
    return original(self, *rest, **named)

HFLM._model_call = counted
model, task, keep = map(Path, sys.argv[1:])
evaluate(model, "base", [str(task)], None, EvaluationSettings(batch=2, seed=0), keep=keep)
"""


@pytest.mark.slow
def test_what_was_answered_before_a_kill_is_not_asked_again(
    tiny_base: Path, write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    task, keep = write("one", 20), tmp_path / "answered"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tiny_base), str(task), str(keep)],
        capture_output=True,
        timeout=300,
        env=os.environ,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    asked = count_requests(monkeypatch)
    _, items = evaluate(tiny_base, "base", [str(task)], None, SETTINGS, keep=keep)
    assert len(asked) <= 60 - 2 * 9
    assert len(items) == 20


def test_log_probabilities_are_taken_in_fp32(tiny_base: Path) -> None:
    for precision in ("fp32", "bf16"):
        model = load_model(tiny_base, precision=precision, batch=1)
        assert model.softmax_dtype == torch.float32


def test_what_cannot_be_scored_is_told_before_a_model_is_looked_for(write: Write) -> None:
    nowhere = Path("nowhere/model.json")
    cases = {
        "doc_to_target: answr": "right answer of no item is among its choices",
        "unsafe_code: true": "runs code that the model writes",
        "process_docs: !function broken.none": "has no items",
        "process_results: !function broken.missing": "the Python package 'langdetect' is missing",
        "test_split: tset": "it names 'tset', which its data do not have",
    }
    path = write("one", 3)
    (path.parent / "broken.py").write_text(
        "def none(docs): return docs.filter(lambda doc: False)\n"
        "def missing(doc, results): raise ImportError('x', name='langdetect')\n"
    )
    text = path.read_text()
    for line, expected in cases.items():
        key = line.partition(":")[0]
        kept = [row for row in text.splitlines() if not row.startswith(f"{key}:")]
        path.write_text("\n".join([*kept, line]) + "\n")
        with pytest.raises(InputError, match=expected):
            evaluate(nowhere, "base", [str(path)], None, SETTINGS)


def test_network_trouble_is_called_that_and_a_package_names_its_extra() -> None:
    class ConnectTimeout(Exception):
        pass

    wrapped = ValueError("Couldn't find 'x' on the Hub")
    wrapped.__cause__ = ConnectTimeout("timed out")
    assert "the network was not reached" in str(failure("task 'x' cannot be read", wrapped))
    lacking = ImportError("no", name="langdetect")
    assert "pip install 'lm-eval[ifeval]'" in str(failure("task 'x'", lacking))


def test_names_are_checked_from_the_text_of_task_files(write: Write) -> None:
    path = write("one", 3, "unsafe_code: true")
    Path(path.parent / "one.jsonl").unlink()
    found = examined(
        ["one", "one", "onee", "mmlu"], path.parent, ["miniature_facts"], unsafe_code=False
    )
    assert found.mistakes[0] == "'one' stands twice"
    assert found.mistakes[1].startswith("no task is named 'onee'; near it: one")
    assert "runs code that the model writes" in found.mistakes[2]
    assert len(found.mistakes) == 3
    assert found.missing_data == (f"{path}: no such data file: {path.parent}/one.jsonl",)
    [misspelt] = examined(["miniature_fatcs"], None, ["miniature_facts"], unsafe_code=True).mistakes
    assert "near it: miniature_facts" in misspelt


def test_what_fails_while_a_model_is_asked_is_one_error_and_what_was_answered_is_kept(
    tiny_base: Path, write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from lm_eval.models.huggingface import HFLM

    task, keep = write("one", 8), tmp_path / "answered"
    original, calls = HFLM._model_call, [0]

    def full(self: Any, *rest: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] >= 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return original(self, *rest, **named)

    monkeypatch.setattr(HFLM, "_model_call", full)
    with pytest.raises(InputError, match=r"do not fit, not even one.*raise generation.gpus"):
        evaluate(tiny_base, "base", [str(task)], None, SETTINGS, keep=keep)
    monkeypatch.setattr(HFLM, "_model_call", original)
    asked = count_requests(monkeypatch)
    evaluate(tiny_base, "base", [str(task)], None, replace(SETTINGS, batch=4), keep=keep)
    assert len(asked) < 24


def test_a_gpu_without_room_is_asked_half_as_much_at_once_with_the_same_result(
    tiny_base: Path,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from lm_eval.models.huggingface import HFLM

    task = write("one", 8)
    expected, plain = evaluate(tiny_base, "base", [str(task)], None, SETTINGS)
    original = HFLM._model_call

    def small(self: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
        if len(inputs) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return original(self, inputs, *rest, **named)

    monkeypatch.setattr(HFLM, "_model_call", small)
    for keep in (None, tmp_path / "answered"):
        found, items = evaluate(tiny_base, "base", [str(task)], None, SETTINGS, keep=keep)
        assert items == plain
        assert found["run"]["batch"] == 2
        assert found["scores"] == expected["scores"]
    assert "goes on with 2 requests at once" in capsys.readouterr().err
