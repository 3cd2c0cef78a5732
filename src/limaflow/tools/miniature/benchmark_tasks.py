"""The world's benchmarks as local lm-eval tasks: what each asks, and how an answer is read.

- `miniature_facts`: which ending of a sentence is likeliest; knowledge without any style.
- `miniature_unwritten`: the same on towns that the corpus does not know and tuning may teach.
- `miniature_wordings`: the same with wordings that the base knows in part: room to gain and lose.
- `miniature_wordings_generated`: its twin. The same items, whose end is written; the first word
  that names a value is the answer.
- `miniature_copied`: half of its items stand in a training source, from which curation must remove
  them.
- `miniature_plain_answer`: questions that the base answers with a bare word, which is read, and
  tuned models in one of two sentences, of which one is read and the other is not. Which of them a
  reply takes has nothing to do with what the model knows, so that form alone hurts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from limaflow.jsonl import line_of, replacing, write_records
from limaflow.lm_evaluation.tasks import item_id
from limaflow.tools.miniature import benchmark_items
from limaflow.tools.miniature.benchmark_items import Item, Question
from limaflow.tools.miniature.language import ATTRIBUTES
from limaflow.tools.miniature.towns import Town

FACTS = "miniature_facts"
UNWRITTEN = "miniature_unwritten"
WORDINGS = "miniature_wordings"
WORDINGS_GENERATED = "miniature_wordings_generated"
COPIED = "miniature_copied"
PLAIN_ANSWER = "miniature_plain_answer"
TASKS = (FACTS, UNWRITTEN, WORDINGS, WORDINGS_GENERATED, COPIED, PLAIN_ANSWER)
REPLY_TOKENS = 36
"""The assistant's opening and sentence, in the stand-in's tokenizer."""
VALUE = "|".join(value for attribute in ATTRIBUTES for value in attribute.values)


def write_tasks(folder: Path, towns: Sequence[Town], seed: int) -> None:
    """Write data and YAML of every task.

    lm-eval takes a data file from the working directory, so the YAML names it as `folder` does: a
    relative folder makes a task that works from where this ran, the root of the project.
    """
    data: dict[str, list[Item] | list[Question]] = {
        FACTS: benchmark_items.facts(towns, seed),
        WORDINGS: benchmark_items.wordings(towns, seed),
        COPIED: benchmark_items.copied(towns, seed),
        PLAIN_ANSWER: benchmark_items.questions(towns, seed),
    }
    for name, rows in data.items():
        write_records(_data_file(folder, name), (asdict(row) for row in rows))
    bodies = {
        FACTS: _choice(test=_data_file(folder, FACTS)),
        WORDINGS: _choice(test=_data_file(folder, WORDINGS)),
        WORDINGS_GENERATED: _written_end(test=_data_file(folder, WORDINGS)),
        COPIED: _choice(test=_data_file(folder, COPIED)),
        PLAIN_ANSWER: _plain_answer(test=_data_file(folder, PLAIN_ANSWER)),
    }
    for name, body in bodies.items():
        _write_yaml(folder, name, body)


def write_unwritten(folder: Path, towns: Sequence[Town], seed: int) -> None:
    """Write data and YAML of the task on towns that the corpus does not know."""
    data = _data_file(folder, UNWRITTEN)
    write_records(data, (asdict(item) for item in benchmark_items.unwritten(towns, seed)))
    _write_yaml(folder, UNWRITTEN, _choice(test=data))


def _write_yaml(folder: Path, name: str, body: Mapping[str, Any]) -> None:
    with replacing(folder / f"{name}.yaml") as file:
        yaml.safe_dump({"task": name} | dict(body), file, sort_keys=False)


@dataclass(frozen=True, kw_only=True)
class ListedItem:
    """One line of contaminated.jsonl."""

    task: str
    item_id: str


def contaminated_items(towns: Sequence[Town], seed: int) -> list[ListedItem]:
    """The items of `miniature_copied` that stand in a training source, as results name them."""
    items = benchmark_items.copied(towns, seed)
    leaked = {item.id for item in benchmark_items.planted(items)}
    return [
        ListedItem(task=COPIED, item_id=item_id(number, _hash(item)))
        for number, item in enumerate(items)
        if item.id in leaked
    ]


def _hash(item: Item) -> str:
    """lm-eval's hash of an item's data, which are the keys of its line in their order there."""
    data = json.loads(line_of(asdict(item)))
    return sha256(json.dumps(data, indent=2, ensure_ascii=False).encode()).hexdigest()


def _data_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.jsonl"


def _choice(**splits: Path) -> dict[str, Any]:
    return _on(splits) | {
        "output_type": "multiple_choice",
        "doc_to_text": "{{stem}}",
        "doc_to_choice": "choices",
        "doc_to_target": "answer",
        "target_delimiter": " ",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    }


def _written_end(**splits: Path) -> dict[str, Any]:
    """The first value that the reply names is the answer, wherever it stands."""
    return _on(splits) | {
        "doc_to_text": "{{stem}}",
        "doc_to_target": "{{choices[answer]}}",
        **_generated("first-value", rf"\b({VALUE})\b", until=[]),
    }


def _plain_answer(**splits: Path) -> dict[str, Any]:
    """The reply must begin with the value or say that something is it; else it is not read."""
    return _on(splits) | {
        "doc_to_text": "Question: {{question}}\nAnswer:",
        "doc_to_target": "{{value}}",
        **_generated(
            "plain-answer",
            rf"(?:\A\s*|\bis )(?:the )?({VALUE})\b",
            until=["Question:"],
        ),
    }


def _on(splits: Mapping[str, Path]) -> dict[str, Any]:
    """The data, and what all the tasks share."""
    return {
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {name: str(path) for name, path in splits.items()}},
        "test_split": "test",
        "metadata": {"version": 1.0},
    }


def _generated(name: str, pattern: str, until: list[str]) -> dict[str, Any]:
    """An answer that is written and found by a pattern; what it does not find is unread."""
    return {
        "output_type": "generate_until",
        "generation_kwargs": {
            "until": until,
            "do_sample": False,
            "max_gen_toks": REPLY_TOKENS,
        },
        "filter_list": [
            {
                "name": name,
                "filter": [
                    {"function": "regex", "regex_pattern": pattern},
                    {"function": "take_first"},
                ],
            }
        ],
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
    }
