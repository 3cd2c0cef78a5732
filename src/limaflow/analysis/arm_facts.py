"""What the records say of each arm: who answered, how answers ended, how training went."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from limaflow.jsonl import read_json, read_records
from limaflow.records import ModelManifest, Response
from limaflow.training.manifest import TrainingManifest, read_training

STILL_FALLING = 0.01
"""A last epoch that lowers dev perplexity by more than this share has not converged: late epochs of
a finished run differ by far less (0.04 % in the miniature)."""


@dataclass(frozen=True, kw_only=True)
class ArmFacts:
    """Of one arm; None where nothing says it."""

    answered_by: tuple[str, ...] = ()
    """Names of the models that answered, as an endpoint returned them."""
    cut: float | None = None
    """Share of the test responses that the length limit cut off."""
    steps: int | None = None
    """Optimizer steps of its training."""
    examples: int | None = None
    """Training examples."""
    kilobytes: float | None = None
    """Size of its adapter, in 1,000 bytes; None without one."""
    still_falling: float | None = None
    """By what share the last epoch lowered dev perplexity; below 0 where it rose."""
    seeds: int | None = None
    """With how many seeds it was trained; None of an arm that is not trained here."""


def arm_facts(
    responses: Sequence[Path],
    trainings: Sequence[Path],
    seeds: Mapping[str, int],
    chosen: Sequence[Path] = (),
) -> dict[str, ArmFacts]:
    """Arm → what is known of it.

    Args:
        responses: to the test prompts, a file an arm.
        trainings: training.json of every tuned arm.
        seeds: arm → number of its training seeds; 1 of a tuned arm that is not named.
        chosen: manifests of models that were tuned by an adapter.

    Raises:
        InputError: a file cannot be read.
    """
    found: dict[str, ArmFacts] = {}
    for path in responses:
        rows = list(read_records(path, Response))
        if rows:
            found[rows[0].model] = _of_responses(rows)
    for path in trainings:
        run = read_training(path)
        found[run.arm] = replace(
            found.get(run.arm, ArmFacts()),
            steps=_steps(path.parent / run.log),
            examples=run.examples or None,
            still_falling=_still_falling(run),
            seeds=seeds.get(run.arm, 1),
        )
    for path in chosen:
        model = read_json(path, ModelManifest)
        known = found.get(model.model, ArmFacts())
        found[model.model] = replace(known, kilobytes=adapter_kilobytes(model))
    return found


def _of_responses(rows: Sequence[Response]) -> ArmFacts:
    named = {str(row.decoding.get("answered_by") or "").split(" ")[0] for row in rows}
    return ArmFacts(
        answered_by=tuple(sorted(named - {""})),
        cut=sum(row.finish_reason == "length" for row in rows) / len(rows),
    )


def adapter_kilobytes(model: ModelManifest) -> float | None:
    """Size of the trained values of a model's adapter, in 1,000 bytes; None without one."""
    size = model.notes.get("adapter_bytes")
    return size / 1000 if isinstance(size, int) else None


def _steps(log: Path) -> int | None:
    """Rows of a run's log; None where it was deleted."""
    if not log.is_file():
        return None
    with log.open(encoding="utf-8") as file:
        return sum(1 for line in file if line.strip()) - 1


def _still_falling(run: TrainingManifest) -> float | None:
    known: Iterable[float | None] = (
        epoch.dev_perplexity for epoch in sorted(run.epochs, key=lambda epoch: epoch.epoch)
    )
    last = [value for value in known if value is not None][-2:]
    return (last[0] - last[1]) / last[0] if len(last) == 2 else None
