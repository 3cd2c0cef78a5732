"""The text of every benchmark item, for the search for training examples that hold one.

LIMA's released 1,000 hold HellaSwag items (Zhao et al. 2024, arXiv 2402.04833), so the curation
looks for them; see curation/decontaminate.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limaflow.lm_evaluation.readings import own_question
from limaflow.lm_evaluation.task_failures import failure
from limaflow.lm_evaluation.tasks import item_id, loaded


@dataclass(frozen=True, kw_only=True)
class BenchmarkText:
    """Question, right answer and choices of one item, one a line, as the task renders them."""

    task: str
    item_id: str
    text: str
    question: str = ""
    """The question as the data have it: without "Question:", a topic or worked examples."""


def item_texts(
    names: list[str],
    include: Path | None,
    limit: int | None,
    data_root: Path = Path(),
    copies: Path | None = None,
) -> Iterator[BenchmarkText]:
    """Texts of the first `limit` items (all if None) of each task, in order.

    Raises:
        InputError: an unknown task, or data that cannot be read.
    """
    from lm_eval.utils import handle_non_serializable, hash_string

    selection = loaded(  # nothing is run here
        names, include, unsafe_code=True, data_root=data_root, copies=copies
    )
    for name, task in selection.tasks.items():
        for number, doc in task.doc_iterator(limit=limit):
            canonical = json.dumps(
                doc, indent=2, default=handle_non_serializable, ensure_ascii=False
            )
            try:
                parts = _parts(task, doc)
            except Exception as error:
                doing = f"item {number} of benchmark task '{name}' cannot be read"
                raise failure(doing, error) from error
            yield BenchmarkText(
                task=name,
                item_id=item_id(number, hash_string(canonical)),
                text="\n".join(parts),
                question=_bare(parts[0], doc) if parts else "",
            )


def _parts(task: Any, doc: dict[str, Any]) -> list[str]:
    """Question, answer, choices; a part that is an index points into the choices.

    The answer follows the question, as it would in a text that holds the item.
    """
    question, answer = task.doc_to_text(doc), task.doc_to_target(doc)
    choices = task.doc_to_choice(doc) if task.config.doc_to_choice is not None else []
    answers = answer if isinstance(answer, list) else [answer]
    named = [
        choices[part] if isinstance(part, int) and part < len(choices) else part
        for part in (question, *answers)
    ]
    texts = [part.strip() for part in (*named, *choices) if isinstance(part, str) and part.strip()]
    return list(dict.fromkeys(texts))


def _bare(question: str, doc: dict[str, Any]) -> str:
    """The item's own question, if the rendered one holds it, else the first line of that."""
    return own_question(doc, question) or question.partition("\n")[0]
