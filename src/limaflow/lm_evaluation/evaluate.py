"""lm-eval on one model: what a base model knows before tuning, and what is left of it after.

The comparison of two models needs the same items, so every item's score is kept. lm-eval's own
files are not used: it names them by the time and swallows errors while saving. Nor is its response
cache: no model is in the key (lm-evaluation-harness#2715), so that a tuned model would be given the
base's answers.
"""

import math
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import Any

from limaflow.errors import InputError
from limaflow.lm_evaluation.metrics import metric_of, number, preference
from limaflow.lm_evaluation.tasks import item_id, loaded
from limaflow.records import BenchmarkItem
from limaflow.seeds import seed_for

PACKAGES = ("lm-eval", "transformers", "torch", "datasets")


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """How the tasks are put to the model."""

    few_shot: int | None
    limit: int | None
    batch: int
    chat_template: bool
    precision: str
    seed: int


def evaluate(
    manifest_path: Path,
    name: str,
    names: list[str],
    include: Path | None,
    settings: EvaluationSettings,
) -> tuple[dict[str, Any], list[BenchmarkItem]]:
    """Results of every task and the main metric of every item.

    The items of a group (mmlu) count as one task under the group's name, each with equal weight.

    Returns:
        The content of results.json (`scores`: what was asked for → main metric with its direction
        and scale, items, items cut to the model's context, items that mention a control token;
        `tasks`: leaf task → every metric with
        its standard error, version; `run`: how) and the items.

    Raises:
        InputError: an unknown task, unreadable data, a chat template that the tokenizer lacks, a
            task without a score per item, or a group without a common metric.
    """
    from lm_eval import simple_evaluate

    from limaflow.lm_evaluation.model import load_model

    manager, tasks, leaves = loaded(names, include)
    model = load_model(manifest_path, precision=settings.precision, batch=settings.batch)
    if settings.chat_template and not model.tokenizer.chat_template:
        raise InputError("this model's tokenizer has no chat template", path=manifest_path)
    seed = seed_for(settings.seed, "benchmark") % 2**32
    found = simple_evaluate(
        model=model,
        tasks=list(tasks.values()),
        num_fewshot=settings.few_shot,
        batch_size=settings.batch,
        limit=settings.limit,
        apply_chat_template=settings.chat_template,
        fewshot_as_multiturn=settings.chat_template,
        task_manager=manager,
        bootstrap_iters=1000,
        log_samples=True,
        use_cache=None,
        random_seed=seed,
        numpy_random_seed=seed,
        torch_random_seed=seed,
        fewshot_random_seed=seed,
    )
    outcomes = {task: _outcome(model, task, found) for task in tasks}
    scores: dict[str, dict[str, Any]] = {}
    items: list[BenchmarkItem] = []
    for asked, parts in leaves.items():
        metrics = {(outcomes[part].metric, outcomes[part].higher_is_better) for part in parts}
        if len(metrics) > 1:
            reported = ", ".join(sorted({metric for metric, _ in metrics}))
            raise InputError(
                f"the tasks of '{asked}' have no common metric ({reported})",
                fix="name the tasks one by one",
            )
        metric, higher_is_better = next(iter(metrics), ("", True))
        values = {
            item if part == asked else f"{part}/{item}": value
            for part in parts
            for item, value in outcomes[part].values.items()
        }
        if values:
            scores[asked] = {
                "metric": metric,
                "higher_is_better": higher_is_better,
                "scale": metric_of(metric).scale,
                "value": fmean(values.values()),
                "items": len(values),
                "truncated_items": sum(outcomes[part].truncated for part in parts),
                "control_token_items": sum(outcomes[part].mentioning for part in parts),
            }
        items += [
            BenchmarkItem(
                task=asked,
                item_id=item,
                model=name,
                metric=metric,
                value=value,
                higher_is_better=higher_is_better,
            )
            for item, value in values.items()
        ]
    run = {
        "limit": settings.limit,
        "few_shot": settings.few_shot,
        "batch": settings.batch,
        "chat_template": settings.chat_template,
        "precision": settings.precision,
        "device": model.device.type,
        "max_tokens": model.max_length,
        "seed": settings.seed,
        "versions": {package: version(package) for package in PACKAGES},
    }
    details = {task: outcome.details for task, outcome in outcomes.items()}
    return {"model": name, "scores": scores, "tasks": details, "run": run}, items


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One leaf task: its main metric, the metric of each item, and what results.json tells."""

    metric: str
    higher_is_better: bool
    values: dict[str, float]
    truncated: int
    mentioning: int
    """Items whose texts mention a control token of the model, which is split as text."""
    details: dict[str, Any]


def _outcome(model: Any, task: str, found: dict[str, Any]) -> Outcome:
    metrics = _metrics(found["results"][task])
    metric, scored = _main_metric(task, metrics, found["samples"][task])
    direction = found["higher_is_better"].get(task, {}).get(metric.partition(",")[0])
    return Outcome(
        metric=metric,
        higher_is_better=metric_of(metric).higher_is_better if direction is None else direction,
        values={item_id(s["doc_id"], s["doc_hash"]): score for s, score in scored},
        truncated=sum(_is_truncated(model, sample) for sample, _ in scored),
        mentioning=sum(any(map(model.mentions, s["arguments"])) for s, _ in scored),
        details={
            "metrics": metrics,
            "main_metric": metric,
            "items": len(scored),
            "version": found["versions"].get(task),
            "few_shot": found["n-shot"].get(task),
        },
    )


def _metrics(raw: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    """lm-eval's flat `acc,none`, `acc_stderr,none` as metric → value and standard error."""
    keys = [key for key in raw if "," in key and "_stderr," not in key]
    return {key: {"value": raw[key], "stderr": number(raw.get(_stderr(key)))} for key in keys}


def _stderr(key: str) -> str:
    metric, _, answer_filter = key.partition(",")
    return f"{metric}_stderr,{answer_filter}"


def _main_metric(
    task: str, metrics: dict[str, dict[str, float | None]], samples: list[dict[str, Any]]
) -> tuple[str, list[tuple[dict[str, Any], float]]]:
    """The preferred metric whose mean over the items is the task's result, and each item's score.

    Of several answer filters the first declared counts (gsm8k: `strict-match`).
    """
    for key in sorted(metrics, key=preference):
        metric, _, answer_filter = key.partition(",")
        kept = [s for s in samples if s["filter"] == answer_filter and metric in s]
        read = [(sample, metric_of(key).read(sample[metric])) for sample in kept]
        scored = [(sample, score) for sample, score in read if score is not None]
        total = metrics[key]["value"]
        if total is None or not scored or len(scored) < len(read):
            continue
        if math.isclose(fmean(score for _, score in scored), total, abs_tol=1e-9):
            return key, sorted(scored, key=lambda pair: int(pair[0]["doc_id"]))
    raise InputError(
        f"benchmark task '{task}' has no score per item whose mean is its result "
        f"(it reports {', '.join(metrics)})",
        fix="choose a task scored by accuracy or exact match",
    )


def _is_truncated(model: Any, sample: dict[str, Any]) -> bool:
    """Whether the model's context was too short for a request; lm-eval then cuts it on the left."""
    for request in sample["arguments"]:
        if isinstance(request[1], str):
            length = len(model.tok_encode(request[0] + request[1]))
            room = model.max_length + 1
        else:
            length = len(model.tok_encode(request[0]))
            room = model.max_length - request[1].get("max_gen_toks", model.max_gen_toks)
        if length > room:
            return True
    return False
