"""lm-eval on one model: what a base model knows before tuning, and what is left of it after.

The comparison of two models needs the same items, so every item's score is kept. lm-eval's own
files are not used: it names them by the time and swallows errors while saving. Nor is its response
cache: no model is in the key (lm-evaluation-harness#2715), so that a tuned model would be given the
base's answers.
"""

import math
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import Any

from limaflow.errors import InputError
from limaflow.lm_evaluation.kept_scores import PACKAGES, TaskScores, identity_of, keep, read_kept
from limaflow.lm_evaluation.metrics import metric_of, number, preference
from limaflow.lm_evaluation.tasks import item_id, loaded
from limaflow.manifests import content_of, read_manifest
from limaflow.records import BenchmarkItem
from limaflow.seeds import seed_for


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
    *,
    kept: Path | None = None,
) -> tuple[dict[str, Any], list[BenchmarkItem]]:
    """Results of every task and the main metric of every item.

    The items of a group (mmlu) count as one task under the group's name, each with equal weight.

    Args:
        kept: folder with the scores of tasks that were run before; those are not run again.

    Returns:
        The content of results.json (`scores`: what was asked for → main metric with its direction
        and scale, items, items cut to the model's context; `tasks`: leaf task → every metric with
        its standard error, version; `run`: how) and the items.

    Raises:
        InputError: an unknown task, unreadable data, a chat template that the tokenizer lacks, a
            task without a score per item, or a group without a common metric.
    """
    manager, tasks, leaves = loaded(names, include)
    identities = {
        asked: identity_of(
            [content_of(manifest_path), name, asdict(settings)], asked, parts, manager
        )
        for asked, parts in leaves.items()
    }
    found = {
        asked: scores
        for asked, identity in identities.items()
        if kept is not None and (scores := read_kept(kept, identity)) is not None
    }
    todo = {asked: parts for asked, parts in leaves.items() if asked not in found}
    if todo:
        for asked, scores in _run(manifest_path, name, (manager, tasks), todo, settings).items():
            found[asked] = scores
            if kept is not None:
                keep(kept, identities[asked], scores)
    in_order = {asked: found[asked] for asked in leaves}
    details = {task: text for scores in in_order.values() for task, text in scores.details.items()}
    return {
        "model": name,
        "scores": {asked: s.score for asked, s in in_order.items() if s.score is not None},
        "tasks": dict(sorted(details.items())),
        "run": next(iter(in_order.values())).run,
    }, [item for scores in in_order.values() for item in scores.items]


def _run(
    manifest_path: Path,
    name: str,
    known: tuple[Any, dict[str, Any]],
    leaves: dict[str, list[str]],
    settings: EvaluationSettings,
) -> dict[str, TaskScores]:
    """What comes of each name that is asked for, by one run of lm-eval.

    Args:
        known: lm-eval's catalogue, and the leaf tasks in it by name.
    """
    from lm_eval import simple_evaluate

    manager, tasks = known
    model = _model(manifest_path, settings)
    if settings.chat_template and not model.tokenizer.chat_template:
        raise InputError("this model's tokenizer has no chat template", path=manifest_path)
    seed = seed_for(settings.seed, "benchmark") % 2**32
    wanted = {part for parts in leaves.values() for part in parts}
    found = simple_evaluate(
        model=model,
        tasks=[task for leaf, task in tasks.items() if leaf in wanted],
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
    return {
        asked: _scores(name, asked, {part: _outcome(model, part, found) for part in parts}, run)
        for asked, parts in leaves.items()
    }


def _scores(
    name: str, asked: str, outcomes: dict[str, "Outcome"], run: dict[str, Any]
) -> TaskScores:
    metrics = {(outcome.metric, outcome.higher_is_better) for outcome in outcomes.values()}
    if len(metrics) > 1:
        reported = ", ".join(sorted({metric for metric, _ in metrics}))
        raise InputError(
            f"the tasks of '{asked}' have no common metric ({reported})",
            fix="name the tasks one by one",
        )
    metric, higher_is_better = next(iter(metrics), ("", True))
    values = {
        item if part == asked else f"{part}/{item}": value
        for part, outcome in outcomes.items()
        for item, value in outcome.values.items()
    }
    score = (
        {
            "metric": metric,
            "higher_is_better": higher_is_better,
            "scale": metric_of(metric).scale,
            "value": fmean(values.values()),
            "items": len(values),
            "truncated_items": sum(outcome.truncated for outcome in outcomes.values()),
        }
        if values
        else None
    )
    return TaskScores(
        score=score,
        details={part: outcome.details for part, outcome in outcomes.items()},
        items=tuple(
            BenchmarkItem(
                task=asked,
                item_id=item,
                model=name,
                metric=metric,
                value=value,
                higher_is_better=higher_is_better,
            )
            for item, value in values.items()
        ),
        run=run,
    )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One leaf task: its main metric, the metric of each item, and what results.json tells."""

    metric: str
    higher_is_better: bool
    values: dict[str, float]
    truncated: int
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
        details={
            "metrics": metrics,
            "main_metric": metric,
            "items": len(scored),
            "version": found["versions"].get(task),
            "few_shot": found["n-shot"].get(task),
        },
    )


def _model(manifest_path: Path, settings: EvaluationSettings) -> Any:
    import torch
    from lm_eval.models.huggingface import HFLM

    manifest, location = read_manifest(manifest_path)
    return HFLM(
        pretrained=location,
        revision=manifest.revision or "main",
        device="cuda" if torch.cuda.is_available() else "cpu",
        dtype={"fp32": "float32", "bf16": "bfloat16"}[settings.precision],
        batch_size=settings.batch,
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
