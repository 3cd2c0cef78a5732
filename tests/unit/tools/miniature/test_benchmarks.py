"""The world's benchmarks: their items, and what of a planted loss the split of the tax finds."""

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from limaflow.analysis.tax import alignment_tax
from limaflow.config.experiment import Miniature
from limaflow.curation.decontamination import Protected, decontaminated
from limaflow.curation.protected_text import ProtectedText
from limaflow.jsonl import write_json, write_records
from limaflow.lm_evaluation.evaluate import EvaluationSettings, evaluate
from limaflow.lm_evaluation.item_texts import item_texts
from limaflow.lm_evaluation.model import TextModel
from limaflow.measures.summaries import TaskTax
from limaflow.records import Example, Message, example_id
from limaflow.tools.miniature.benchmark_tasks import (
    COPIED,
    PLAIN_ANSWER,
    TASKS,
    UNWRITTEN,
    WORDINGS,
    WORDINGS_GENERATED,
    write_tasks,
)
from limaflow.tools.miniature.language import BY_NAME
from limaflow.tools.miniature.style import paragraphs
from limaflow.tools.miniature.towns import Town, invent_towns
from limaflow.tools.miniature.truth import Truth
from limaflow.tools.miniature.world import write_world

WORLD = Miniature(towns=200, heldout_share=0.3)
SETTINGS = EvaluationSettings(limit=None, batch=8, seed=1)
Reply = Callable[[dict[str, Any]], str]


@pytest.fixture(scope="module")
def towns() -> dict[str, Town]:
    return {town.name.lower(): town for town in invent_towns(WORLD, 1)}


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory, towns: dict[str, Town]) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    write_tasks(folder, tuple(towns.values()), 1)
    return folder


def docs(tasks: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tasks / f"{name}.jsonl").read_text().splitlines()]


def test_every_task_asks_held_out_towns_for_what_is_true(
    tasks: Path, towns: dict[str, Town]
) -> None:
    for path in sorted(tasks.glob("*.jsonl")):
        found = docs(tasks, path.stem)
        assert len({doc["id"] for doc in found}) == len(found) >= 60
        for doc in found:
            town, attribute = doc["id"].rsplit("-", 1)
            right = doc["value"] if "value" in doc else doc["choices"][doc["answer"]]
            assert towns[town].held_out
            assert right == towns[town].facts[attribute]
    # Towns that the corpus does not know are invented where a study asks for some.
    assert {path.stem for path in tasks.glob("*.yaml")} == set(TASKS) - {UNWRITTEN}


def test_three_of_five_wordings_are_the_corpus_s(tasks: Path, towns: dict[str, Town]) -> None:
    known = []
    for doc in docs(tasks, WORDINGS):
        town, attribute = doc["id"].rsplit("-", 1)
        said = BY_NAME[attribute].statements + BY_NAME[attribute].corpus_statements
        ends = [text.format(town=towns[town].name, value="").rstrip(" .") for text in said]
        known.append(doc["stem"] in ends)
    assert len(known) == 120
    assert sum(known) == 72


def answered_by(monkeypatch: pytest.MonkeyPatch, reply: Callable[[str], str]) -> None:
    """Let the model write what `reply` makes of a prompt."""

    def generate_until(self: Any, requests: list[Any], **_: Any) -> list[str]:
        return [reply(request.args[0]) for request in requests]

    monkeypatch.setattr(TextModel, "generate_until", generate_until, raising=False)


@pytest.fixture
def tax_of(
    tiny_base: Path, tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Reply, Reply], TaskTax]:
    """The tax between two models that reply so, by lm-eval, all readings and the split."""
    asked = {f"Question: {doc['question']}\nAnswer:": doc for doc in docs(tasks, PLAIN_ANSWER)}

    def tax(base: Reply, tuned: Reply) -> TaskTax:
        for name, reply in (("base", base), ("lima", tuned)):
            written = {prompt: reply(doc) for prompt, doc in asked.items()}
            answered_by(monkeypatch, written.__getitem__)
            results, items = evaluate(tiny_base, name, [PLAIN_ANSWER], tasks, SETTINGS)
            write_json(tmp_path / f"{name}.json", results)
            write_records(tmp_path / f"{name}.jsonl", items)
        [row] = alignment_tax(
            tmp_path / "base.jsonl",
            [tmp_path / "lima.jsonl"],
            rounds=1000,
            confidence=0.95,
            seed=1,
            results=[tmp_path / "base.json", tmp_path / "lima.json"],
        )
        return row

    return tax


@pytest.mark.parametrize("forgotten", [0.0, 0.25])
def test_the_assistants_sentences_cost_format_and_only_what_is_forgotten_costs_knowledge(
    tasks: Path,
    towns: dict[str, Town],
    tax_of: Callable[[Reply, Reply], TaskTax],
    forgotten: float,
) -> None:
    written: dict[str, str] = {}

    def bare(doc: dict[str, Any]) -> str:
        return f" {doc['value']}.\nQuestion"

    def in_style(doc: dict[str, Any]) -> str:
        draw = random.Random(doc["id"])
        town, attribute = doc["id"].rsplit("-", 1)
        opening, sentence, closing = paragraphs(towns[town], BY_NAME[attribute], draw)
        if draw.random() < forgotten:
            wrong = [value for value in BY_NAME[attribute].values if value != doc["value"]]
            sentence = sentence.replace(doc["value"], draw.choice(wrong))
        written[doc["id"]] = sentence
        return f"{opening}\n\n{sentence}\n\n{closing}"

    split = tax_of(bare, in_style).split
    items = docs(tasks, PLAIN_ANSWER)
    unread = [doc for doc in items if " is " not in written[doc["id"]]]
    wrong = sum(doc["value"] not in written[doc["id"]] for doc in items) / len(items)
    assert split is not None
    assert split.format is not None and split.knowledge is not None and split.lenient is not None
    assert (split.unread_base, split.unread_tuned) == (0, len(unread))
    assert 0.3 < len(unread) / len(items) < 0.7
    # Among what is known, half of the sentences are not read.
    assert split.format.low <= -0.5 * (1 - forgotten) <= split.format.high < 0
    assert split.knowledge.low <= -forgotten <= split.knowledge.high
    assert split.lenient.estimate == pytest.approx(-wrong)
    if not forgotten:
        assert split.knowledge.estimate == 0
        assert split.format.estimate == pytest.approx(-len(unread) / len(items))
    else:
        assert split.knowledge.high < 0


def test_the_generated_twin_has_the_items_of_the_choices_and_reads_the_first_value(
    tiny_base: Path, tasks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = {doc["stem"]: doc["choices"][doc["answer"]] for doc in docs(tasks, WORDINGS)}
    unknown = min(right)

    def reply(prompt: str) -> str:
        if prompt == unknown:
            return " nobody knows what."
        return f" {right[prompt]}, surely. The river there is the Avel."

    answered_by(monkeypatch, reply)
    results, items = evaluate(tiny_base, "base", [WORDINGS, WORDINGS_GENERATED], tasks, SETTINGS)
    by_task = {
        task: {item.item_id: item for item in items if item.task == task}
        for task in (WORDINGS, WORDINGS_GENERATED)
    }
    assert by_task[WORDINGS].keys() == by_task[WORDINGS_GENERATED].keys()
    assert all(item.right_probability is not None for item in by_task[WORDINGS].values())
    assert results["scores"][WORDINGS_GENERATED]["unread_items"] == 1
    assert sum(item.value for item in by_task[WORDINGS_GENERATED].values()) == len(right) - 1


def test_decontamination_names_the_planted_items_and_no_others_of_their_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    truth: Truth = write_world(WORLD, 3, Path("world"))
    with Path("world/wikihow/wikihow.csv").open(newline="") as file:
        turns = [
            (Message(role="user", content=row["title"]), Message(role="assistant", content=text))
            for row in csv.DictReader(file)
            if (text := row["text"])
        ]
    examples = [
        Example(id=example_id(messages), messages=messages, source="wikihow", split="train")
        for messages in turns
    ]
    texts = [
        ProtectedText(task=text.task, item_id=text.item_id, text=text.text, question=text.question)
        for text in item_texts([COPIED], Path("world/benchmarks"), None)
    ]
    kept, _, matches = decontaminated(examples, Protected([], texts, 8))
    named = {
        docs(Path("world/benchmarks"), COPIED)[int(match.item_id[:6])]["id"] for match in matches
    }
    assert named == set(truth.planted[COPIED]["contaminated"])
    assert len(texts) == 2 * len(named) == 60
    listed = [
        json.loads(line) for line in Path("world/contaminated.jsonl").read_text().splitlines()
    ]
    assert {(row["task"], row["item_id"]) for row in listed} == {
        (match.against, match.item_id) for match in matches
    }
    assert not [example.id for example in kept if "What about" in example.response]
