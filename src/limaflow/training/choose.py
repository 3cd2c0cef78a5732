"""Which epoch's checkpoint is the model: the one with the best graded dev responses.

The paper picks it by hand between epochs 5 and 10 from 50 dev prompts, because perplexity does not
follow quality (section 3, appendix B); a judge's mean grade stands in for the hand.
"""

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from statistics import fmean

from limaflow.errors import InputError
from limaflow.jsonl import read_records, write_json
from limaflow.manifests import read_manifest
from limaflow.records import Grade, ModelManifest
from limaflow.training.manifest import epoch_model_name, read_training


@dataclass(frozen=True, kw_only=True)
class GradedEpoch:
    """How the dev responses of one epoch were graded."""

    epoch: int
    mean_grade: float
    graded: int
    errors: int


def choose(arm: str, training: Path, grades: Path, output: Path) -> GradedEpoch:
    """Write the manifest of the best epoch's model to `output` and return how it was graded.

    Args:
        grades: of the dev responses of all epochs, which their model's name tells apart.

    Raises:
        InputError: a grade belongs to no exported epoch of `arm`, there are none, or more than half
            of an epoch's are errors.
    """
    trained = read_training(training)
    exported = {epoch_model_name(arm, e.epoch): e for e in trained.epochs if e.model is not None}
    by_epoch: dict[int, list[Grade]] = {}
    for line, grade in enumerate(read_records(grades, Grade), start=1):
        if grade.model not in exported:
            known = ", ".join(exported)
            raise InputError(
                f"grades the model '{grade.model}', not one of {known}", path=grades, line=line
            )
        by_epoch.setdefault(exported[grade.model].epoch, []).append(grade)
    if not by_epoch:
        raise InputError("no grades to choose by", path=grades)
    graded = [_summary(epoch, by_epoch[epoch]) for epoch in sorted(by_epoch)]
    # max() keeps the first of equals: the earlier epoch.
    best = max(graded, key=lambda summary: summary.mean_grade)
    model = exported[epoch_model_name(arm, best.epoch)].model
    assert model is not None
    manifest, location = read_manifest(training.parent / model)
    write_json(
        output,
        ModelManifest(
            model=arm,
            path=os.path.relpath(location, output.resolve().parent),
            sha256=manifest.sha256,
            notes={
                **manifest.notes,
                **_of_adapter(Path(location).with_name("adapter")),
                "epoch": best.epoch,
                "graded_epochs": [asdict(summary) for summary in graded],
                "trained_epochs": [asdict(epoch) for epoch in trained.epochs],
            },
        ),
    )
    return best


def _of_adapter(folder: Path) -> dict[str, int]:
    """Bytes and number of the trained values of an adapter beside a model; {} without one."""
    file = folder / "adapter_model.safetensors"
    if not file.is_file():
        return {}
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as opened:
        shapes = [opened.get_slice(name).get_shape() for name in opened.keys()]  # noqa: SIM118
    # The file begins with the length of its header, in eight bytes.
    with file.open("rb") as raw:
        header = int.from_bytes(raw.read(8), "little")
    return {
        "adapter_bytes": file.stat().st_size - 8 - header,
        "adapter_values": sum(prod(shape) for shape in shapes),
    }


def _summary(epoch: int, grades: Iterable[Grade]) -> GradedEpoch:
    every = list(grades)
    values = [grade.value for grade in every if grade.value is not None]
    errors = len(every) - len(values)
    if 2 * errors > len(every):
        raise InputError(f"{errors} of the {len(every)} grades of epoch {epoch} are errors")
    return GradedEpoch(epoch=epoch, mean_grade=fmean(values), graded=len(values), errors=errors)
