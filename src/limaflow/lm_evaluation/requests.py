"""What a task asks a model: few-shot examples, a hash of each item's prompts, a rehearsal.

All of it is done before a model is loaded, so that a task that cannot be built or scored is told
in seconds and costs no evaluation.
"""

import json
from collections.abc import Mapping
from typing import Any

from limaflow.errors import InputError
from limaflow.lm_evaluation.scores import Outcome, outcome_of
from limaflow.lm_evaluation.task_failures import failure
from limaflow.lm_evaluation.tasks import Selection
from limaflow.seeds import digest

REHEARSED = 3
"""Items of each task that a rehearsal asks."""


def set_few_shot(selection: Selection, default: int | None, by_entry: Mapping[str, int]) -> None:
    """Set the number of examples before an item, of every task.

    As with lm-eval, a number for all tasks leaves alone a task whose file says 0; one for an entry
    counts there too.

    Raises:
        InputError: two entries give one task different numbers.
    """
    given: dict[str, tuple[int | None, str]] = {}
    for asked in selection.asked:
        for part in asked.parts:
            number = by_entry.get(asked.name)
            before, entry = given.setdefault(part, (number, asked.name))
            if before != number:
                raise InputError(
                    f"benchmarks.few_shot: '{part}' belongs to '{entry}' and to '{asked.name}', "
                    "which have different numbers of examples",
                    fix="give both the same",
                )
    for name, task in selection.tasks.items():
        own, number = task.get_config("num_fewshot"), given[name][0]
        if number is None:
            number = own if default is None or own == 0 else default
        task.set_config(key="num_fewshot", value=number or 0)


def prompt_hashes(selection: Selection, limit: int | None, seed: int) -> dict[str, dict[int, str]]:
    """Task → number of the item → hash of all that is asked for it, few-shot examples included.

    It is that of the plain text: neither a model's chat template nor its in-context examples count,
    so that equal prompts of two arms have equal hashes.

    Raises:
        InputError: the requests of a task cannot be built, or it has no items.
    """
    hashes: dict[str, dict[int, str]] = {}
    for name, task in selection.tasks.items():
        _check_examples(name, task)
        try:
            task.set_fewshot_seed(seed=seed)
            task.build_all_requests(limit=limit)
        except Exception as error:
            doing = f"the prompts of benchmark task '{name}' cannot be built"
            raise failure(doing, error) from error
        _check_answers(name, task, limit)
        arguments: dict[int, list[Any]] = {}
        for request in task.instances:
            arguments.setdefault(int(request.doc_id), []).append(request.args)
        hashes[name] = {
            number: digest(json.dumps(asked, ensure_ascii=False, sort_keys=True, default=str))
            for number, asked in arguments.items()
        }
    return hashes


def _check_examples(name: str, task: Any) -> None:
    """Raises InputError where a task asks for more examples before an item than it has."""
    there = getattr(getattr(task, "sampler", None), "df", None)
    asked = task.get_config("num_fewshot") or 0
    if there is not None and asked > len(there):
        raise InputError(
            f"benchmark task '{name}' has {len(there)} examples to put before an item, of {asked}",
            fix="lower benchmarks.few_shot, or add the split of its examples to the local copy",
        )


def _check_answers(name: str, task: Any, limit: int | None) -> None:
    """See that choices hold the right answer; lm-eval counts an item without one as wrong.

    Raises:
        InputError: not for one item.
    """
    if task.OUTPUT_TYPE != "multiple_choice" or task.config.doc_to_choice is None:
        return
    docs = [doc for _, doc in task.doc_iterator(limit=limit)]
    missing = [doc for doc in docs if not _has_answer(task, doc)]
    if len(missing) == len(docs):
        right = task.doc_to_text(docs[0]) if task.multiple_input else task.doc_to_target(docs[0])
        raise InputError(
            f"benchmark task '{name}': the right answer of no item is among its choices "
            f"(doc_to_target gives {right!r} for the first)"
        )
    if missing:
        print(f"{name}: {len(missing)} of {len(docs)} items lack a right answer and count as wrong")


def _has_answer(task: Any, doc: dict[str, Any]) -> bool:
    choices = task.doc_to_choice(doc)
    right = task.doc_to_text(doc) if task.multiple_input else task.doc_to_target(doc)
    answers = right if isinstance(right, list) else [right]
    return any(
        0 <= answer < len(choices) if isinstance(answer, int) else answer in choices
        for answer in answers
    )


def rehearse(selection: Selection, *, unsafe_code: bool) -> dict[str, Outcome]:
    """Every task on its first items, with answers that a program makes up.

    Raises:
        InputError: a task cannot be asked or scored.
    """
    from lm_eval import evaluate
    from lm_eval.api.model import LM

    class MadeUp(LM):  # type: ignore[misc, unused-ignore]
        """Answers at once, and always alike."""

        def loglikelihood(self, requests: list[Any]) -> list[tuple[float, bool]]:
            return [(-1.0 - number % 7, False) for number, _ in enumerate(requests)]

        def loglikelihood_rolling(self, requests: list[Any]) -> list[float]:
            return [-10.0 - number % 7 for number, _ in enumerate(requests)]

        def generate_until(self, requests: list[Any]) -> list[str]:
            return ["The answer is 1."] * len(requests)

    outcomes = {}
    for name, task in selection.tasks.items():
        try:
            # Not `simple_evaluate`, which asks pip and git about the machine, some seconds a time.
            found = evaluate(
                lm=MadeUp(),
                task_dict=selection.manager.load([task]),
                limit=REHEARSED,
                bootstrap_iters=0,
                log_samples=True,
                confirm_run_unsafe_code=unsafe_code,
            )
            outcome = outcomes[name] = outcome_of(name, found)
        except Exception as error:
            doing = f"benchmark task '{name}' cannot be scored"
            raise failure(doing, error) from error
        if not outcome.metrics:
            listed = ", ".join(str(m.get("metric")) for m in task.config.metric_list or [])
            raise InputError(
                f"benchmark task '{name}' gives no metric; its metric_list names {listed}",
                fix="`metric` must be one that lm-eval knows",
            )
    return outcomes
