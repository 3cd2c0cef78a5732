"""lm-eval on one model: what a base model knows before tuning, and what is left of it after.

The comparison of two models needs the same items, so every item's score is kept. lm-eval's own
files are not used: it names them by the time and swallows errors while saving.

Answers to requests are kept beside the results, in a file of lm-eval's response cache for each
model: no model is in that cache's key (lm-evaluation-harness#2715), so the model is in the name. A
killed evaluation goes on, and one more task asks for its own items alone.
"""

import os
import re
import sqlite3
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from limaflow.errors import InputError
from limaflow.generation.prompting import ChooseShots, shot_turns, worked_examples
from limaflow.generation.room import give_back, is_out_of_memory
from limaflow.generation.shots import drawn_shots
from limaflow.lm_evaluation.kept_answers import PACKAGES, identity
from limaflow.lm_evaluation.requests import prompt_hashes, rehearse, set_few_shot
from limaflow.lm_evaluation.scores import Outcome, Result, outcome_of, result_of
from limaflow.lm_evaluation.task_failures import failure
from limaflow.lm_evaluation.task_files import is_path, task_name
from limaflow.lm_evaluation.tasks import Asked, Selection, item_id, loaded
from limaflow.manifests import read_manifest
from limaflow.records import BenchmarkItem, Example
from limaflow.seeds import digest, seed_for
from limaflow.unreachable import first_line

NOT_DEFINING = ("num_fewshot", "metadata")
"""Keys of a task that results.json has beside its definition."""
Format = Literal["plain", "chat", "in-context", "in-context-chat"]
"""A bare prompt, one in the model's chat template, or one after the worked examples of an arm, as
text or as turns of the template."""
IN_CHAT: tuple[Format, ...] = ("chat", "in-context-chat")
ADDRESS = re.compile(r" at 0x[0-9a-f]+")


@dataclass(frozen=True, kw_only=True)
class Shots:
    """The worked examples of an in-context arm, drawn as for its responses."""

    examples: Path
    count: int
    prompts: Path
    max_tokens: int
    """Tokens of a response, which the examples leave room for."""
    choose: ChooseShots = "seed"
    given: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """How the tasks are put to the model."""

    limit: int | None = None
    batch: int
    formats: tuple[Format, ...] = ("plain",)
    """How each task is put to the model, the main one first."""
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: int
    few_shot: int | None = None
    """Examples before an item of every task; None: as its file says."""
    few_shot_by_task: Mapping[str, int] = field(default_factory=dict)
    """Task as it was asked for → examples, before `few_shot`."""
    metrics: Mapping[str, str] = field(default_factory=dict)
    """Task as it was asked for → the metric that stands for it."""
    unsafe_code: bool = False
    shots: Shots | None = None
    gpus: int = 1
    """Cards that the model is spread over, where there are any."""
    data_root: Path = Path()
    """Where relative paths of data in task files count from."""
    copies: Path | None = None
    """Folder of local copies of the hub's data sets."""


def checked(
    names: list[str], include: Path | None, settings: EvaluationSettings
) -> tuple[Selection, dict[str, dict[int, str]], dict[str, Result]]:
    """The tasks, hashes of all prompts, and what stands for each of them in a rehearsal.

    No model is needed, so that every mistake in a task is reported before one is loaded.

    Raises:
        InputError: an unknown task, unreadable data, a task that cannot be asked or scored, one
            that runs a model's code without leave, or a metric that no task reports.
    """
    if settings.unsafe_code:
        # `code_eval`, the metric of such tasks, asks for this too.
        os.environ["HF_ALLOW_CODE_EVAL"] = "1"
    selection = loaded(
        names,
        include,
        unsafe_code=settings.unsafe_code,
        data_root=settings.data_root,
        copies=settings.copies,
    )
    set_few_shot(selection, settings.few_shot, _by_name(settings.few_shot_by_task))
    hashes = prompt_hashes(selection, settings.limit, _seed(settings))
    outcomes = rehearse(selection, unsafe_code=settings.unsafe_code)
    return selection, hashes, _results(selection, outcomes, settings)


def evaluate(
    manifest_path: Path,
    name: str,
    names: list[str],
    include: Path | None,
    settings: EvaluationSettings,
    *,
    keep: Path | None = None,
) -> tuple[dict[str, Any], list[BenchmarkItem]]:
    """Results of every task and the main metric of every item.

    The items of a group (mmlu) count as one task under the group's name, each with equal weight
    unless the group says that each of its tasks has one.

    Args:
        keep: folder for the answers to requests; None keeps none.

    Returns:
        The content of results.json (`scores`: what was asked for → main metric with its direction
        and scale, items, items cut to the model's context, items that mention a control token, and
        why it is not paired where it is not; `tasks`: leaf task → every metric with its standard
        error, version, number of examples; `also`: format → `scores` and `tasks` in the others of
        `settings.formats`; `run`: how) and the items of all formats.

    Raises:
        InputError: as `checked`; no such model, or a chat template that the tokenizer lacks.
    """
    from limaflow.lm_evaluation.model import load_model

    selection, hashes, _ = checked(names, include, settings)
    model = load_model(
        manifest_path, precision=settings.precision, batch=settings.batch, gpus=settings.gpus
    )
    if set(settings.formats) & set(IN_CHAT) and not model.tokenizer.chat_template:
        raise InputError("this model's tokenizer has no chat template", path=manifest_path)
    revision = read_manifest(manifest_path)[0].revision
    # Of a name on the hub, what it stood for when it was loaded.
    commit = getattr(model.config, "_commit_hash", None) or revision
    asking = _Asking(
        name=name,
        model=model,
        selection=selection,
        hashes=hashes,
        settings=settings,
        cache=keep and keep / identity(manifest_path, settings.precision, commit),
    )
    main, *others = (_asked_in(format, asking) for format in settings.formats)
    run = {
        "limit": settings.limit,
        "few_shot": settings.few_shot,
        "batch": model.batch_size,
        "format": main.format,
        "in_context_examples": settings.shots.count if settings.shots else 0,
        "precision": settings.precision,
        "device": model.device.type,
        "revision": commit,
        "max_tokens": model.max_length,
        "seed": settings.seed,
        "versions": {package: version(package) for package in PACKAGES},
    }
    return {
        "model": name,
        "scores": main.scores,
        "tasks": main.tasks,
        "also": {other.format: {"scores": other.scores, "tasks": other.tasks} for other in others},
        "run": run,
    }, [item for answered in (main, *others) for item in answered.items]


@dataclass(frozen=True, kw_only=True)
class _Asking:
    """A loaded model and the tasks to put to it."""

    name: str
    model: Any
    selection: Selection
    hashes: Mapping[str, Mapping[int, str]]
    settings: EvaluationSettings
    cache: Path | None


@dataclass(frozen=True, kw_only=True)
class _Answered:
    """All tasks in one format."""

    format: Format
    scores: Mapping[str, Any]
    tasks: Mapping[str, Any]
    items: list[BenchmarkItem]


def _asked_in(format: Format, asking: _Asking) -> _Answered:
    """Put all tasks to the model in one format."""
    selection, settings, model = asking.selection, asking.settings, asking.model
    model.is_in_chat = format in IN_CHAT
    examples = _examples(format, model, settings)
    model.shots = shot_turns(examples) if model.is_in_chat else ()
    found = _lm_eval(asking, "" if model.is_in_chat else worked_examples(examples))
    outcomes = {task: outcome_of(task, found) for task in selection.tasks}
    results = _results(selection, outcomes, settings)
    details = {
        task: {
            "metrics": outcome.metrics,
            "items": len(outcome.samples),
            "version": found["versions"].get(task),
            "few_shot": found["n-shot"].get(task),
            "definition": _definition(selection.tasks[task]),
            "truncated_items": sum(_is_truncated(model, sample) for sample in outcome.samples),
            "control_token_items": sum(
                any(map(model.mentions, sample["arguments"])) for sample in outcome.samples
            ),
        }
        for task, outcome in outcomes.items()
    }
    prompts = {
        (task, item_id(sample["doc_id"], sample["doc_hash"])): asking.hashes[task][
            int(sample["doc_id"])
        ]
        for task, outcome in outcomes.items()
        for sample in outcome.samples
    }
    docs = {
        (task, item_id(sample["doc_id"], sample["doc_hash"])): sample["doc"]
        for task, outcome in outcomes.items()
        for sample in outcome.samples
    }
    items = [
        replace(item, format=format, question=_question(item, selection, docs))
        for asked in selection.asked
        for item in _items(asking.name, asked, results[asked.name], prompts, outcomes)
    ]
    scores = {
        asked.name: {
            **_score(asked, results[asked.name], details),
            "unread_items": sum(item.unread for item in items if item.task == asked.name),
        }
        for asked in selection.asked
    }
    return _Answered(format=format, scores=scores, tasks=details, items=items)


def _lm_eval(asking: _Asking, before: str) -> dict[str, Any]:
    """What lm-eval returns of all tasks, with the text `before` each; raises as `evaluate`."""
    from lm_eval import simple_evaluate

    settings, selection, seed = asking.settings, asking.selection, _seed(asking.settings)
    try:
        found: dict[str, Any] = _halving(
            asking.model,
            lambda: simple_evaluate(
                model=asking.model,
                tasks=list(selection.tasks.values()),
                limit=settings.limit,
                system_instruction=before or None,
                apply_chat_template=asking.model.is_in_chat,
                # A task's own examples are turns too.
                fewshot_as_multiturn=asking.model.is_in_chat,
                task_manager=selection.manager,
                bootstrap_iters=1000,
                log_samples=True,
                use_cache=str(asking.cache) if asking.cache else None,
                random_seed=seed,
                numpy_random_seed=seed,
                torch_random_seed=seed,
                fewshot_random_seed=seed,
                confirm_run_unsafe_code=settings.unsafe_code,
            ),
        )
        return found
    except sqlite3.DatabaseError as error:
        folder = asking.cache and asking.cache.parent
        raise InputError(
            f"the kept answers cannot be read: {error}", path=folder, fix="remove this folder"
        ) from None
    except (InputError, MemoryError):
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise InputError(
                f"the benchmarks of '{asking.name}' do not fit, not even one request at a time: "
                f"{first_line(error)}",
                fix="raise generation.gpus; what was answered is kept",
            ) from error
        raise failure(f"the benchmarks of '{asking.name}' failed", error) from error


def _halving(model: Any, run: Callable[[], Any]) -> Any:
    """What `run` returns; where a GPU has no room it runs again with half as many requests at once.

    What was answered before comes from the kept answers.
    """
    while True:
        try:
            return run()
        except RuntimeError as error:
            if model.batch_size_per_gpu == 1 or not is_out_of_memory(error):
                raise
        model.batch_size_per_gpu //= 2
        print(
            f"out of the GPU's memory: goes on with {model.batch_size_per_gpu} requests at once",
            file=sys.stderr,
            flush=True,
        )
        give_back()


def _seed(settings: EvaluationSettings) -> int:
    return seed_for(settings.seed, "benchmark") % 2**32


def _by_name(entries: Mapping[str, Any]) -> dict[str, Any]:
    """The same by the names that tasks have, also of those that are named by a path."""
    return {task_name(Path(k)) if is_path(k) else k: value for k, value in entries.items()}


def _results(
    selection: Selection, outcomes: Mapping[str, Outcome], settings: EvaluationSettings
) -> dict[str, Result]:
    wanted = _by_name(settings.metrics)
    return {
        asked.name: result_of(asked, outcomes, wanted.get(asked.name, ""))
        for asked in selection.asked
    }


def _examples(format: Format, model: Any, settings: EvaluationSettings) -> list[Example]:
    """An in-context arm's examples, which stand before every prompt; none of other arms."""
    shots = settings.shots
    if shots is None:
        return []
    return drawn_shots(
        shots.examples,
        shots.prompts,
        model.tokenizer,
        count=shots.count,
        context=model.max_length,
        max_tokens=shots.max_tokens,
        seed=settings.seed,
        style="in-context-chat" if format == "in-context-chat" else "in-context",
        choose=shots.choose,
        given=shots.given,
    )


def _definition(task: Any) -> str:
    """Hash of a task as lm-eval has it, with the text of the functions that it names."""
    config = task.dump_config()
    definition = {k: ADDRESS.sub("", str(v)) for k, v in config.items() if k not in NOT_DEFINING}
    return digest(definition)


def _score(asked: Asked, result: Result, details: Mapping[str, Any]) -> dict[str, Any]:
    """What results.json says of one entry."""
    parts = [details[part] for part in asked.parts]
    return {
        "metric": result.metric,
        "higher_is_better": result.higher_is_better,
        "scale": result.scale,
        "value": result.value,
        "items": sum(part["items"] for part in parts),
        "truncated_items": sum(part["truncated_items"] for part in parts),
        "control_token_items": sum(part["control_token_items"] for part in parts),
        "unpaired": result.unpaired,
        "other_metrics": result.others,
        "few_shot": _span([part["few_shot"] for part in parts]),
        "version": _span([part["version"] for part in parts]),
        "definition": digest(*(part["definition"] for part in parts)),
    }


def _span(values: list[Any]) -> str:
    """One value as it is, several as their list."""
    return ", ".join(sorted({str(value) for value in values if value is not None}))


def _items(
    name: str,
    asked: Asked,
    result: Result,
    prompts: Mapping[tuple[str, str], str],
    outcomes: Mapping[str, Outcome],
) -> list[BenchmarkItem]:
    items = []
    answer_filter = result.key.rpartition(",")[2]
    for item, (value, weight) in result.items.items():
        part, _, own = item.rpartition("/")
        task = part or asked.name
        reading = outcomes[task].readings[answer_filter][own]
        items.append(
            BenchmarkItem(
                task=asked.name,
                item_id=item,
                model=name,
                metric=result.metric,
                value=value,
                higher_is_better=result.higher_is_better,
                scale=result.scale,
                weight=weight,
                prompt=prompts[task, own],
                **asdict(reading),
            )
        )
    return items


def _question(
    item: BenchmarkItem, selection: Selection, docs: Mapping[tuple[str, str], Mapping[str, Any]]
) -> str:
    """Of an item with a reply, as the task words it: no worked examples and no chat template."""
    if item.reply is None:
        return ""
    part, _, own = item.item_id.rpartition("/")
    task = part or item.task
    return str(selection.tasks[task].doc_to_text(docs[task, own])).strip()


def _is_truncated(model: Any, sample: Mapping[str, Any]) -> bool:
    """Whether the model's context was too short for a request; lm-eval then cuts it on the left.

    The text of a rolling log-likelihood is scored in windows and never cut.
    """
    for request in sample["arguments"]:
        if len(request) == 1:
            continue
        if isinstance(request[1], str):
            length = len(model.tok_encode(request[0] + request[1]))
            room = model.max_length + 1
        else:
            length = len(model.tok_encode(request[0]))
            room = model.max_length - request[1].get("max_gen_toks", model.max_gen_toks)
        if length > room:
            return True
    return False
