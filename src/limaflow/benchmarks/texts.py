"""The text of every benchmark item, for the search for training examples that hold one.

LIMA's released 1,000 hold HellaSwag items (Zhao et al. 2024, arXiv 2402.04833), so the curation
looks for them; see curation/decontaminate.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limaflow.benchmarks.tasks import item_id, loaded


@dataclass(frozen=True, kw_only=True)
class BenchmarkText:
    """Question, choices and answer of one item, one a line, as the task renders them."""

    task: str
    item_id: str
    text: str


def item_texts(
    names: list[str], include: Path | None, limit: int | None
) -> Iterator[BenchmarkText]:
    """Texts of the first `limit` items (all if None) of each task, in order.

    Raises:
        InputError: an unknown task, or data that cannot be read.
    """
    from lm_eval.utils import handle_non_serializable, hash_string

    _, tasks, _ = loaded(names, include)
    for name, task in tasks.items():
        for number, doc in task.doc_iterator(limit=limit):
            canonical = json.dumps(
                doc, indent=2, default=handle_non_serializable, ensure_ascii=False
            )
            yield BenchmarkText(
                task=name,
                item_id=item_id(number, hash_string(canonical)),
                text="\n".join(_parts(task, doc)),
            )


def _parts(task: Any, doc: dict[str, Any]) -> list[str]:
    """Question, choices, answer; a part that is an index points into the choices."""
    question, answer = task.doc_to_text(doc), task.doc_to_target(doc)
    choices = task.doc_to_choice(doc) if task.config.doc_to_choice is not None else []
    answers = answer if isinstance(answer, list) else [answer]
    parts = [question, *choices, *answers]
    texts = [part.strip() for part in parts if isinstance(part, str) and part.strip()]
    return list(dict.fromkeys(texts))
