"""Lengths of the prompts and training responses of the LIMA arm's data set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from limaflow.analysis.exhibit import Figure, Files, Options
from limaflow.analysis.exhibits import sources
from limaflow.curation import length_figure
from limaflow.curation.text_lengths import Measure, measure_of, text_of_role
from limaflow.jsonl import read_records
from limaflow.records import Example, Split


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The examples of a data set and how their texts are measured."""

    splits: Mapping[Split, Sequence[Example]]
    measure: Measure


def read(files: Files, options: Options) -> Measured:
    splits = {
        split: list(read_records(path, Example))
        for split, path in zip(sources.SPLITS, files["data"], strict=True)
    }
    return Measured(splits=splits, measure=measure_of(next(iter(files.get("tokenizer", [])), None)))


def rows(data: Measured) -> list[dict[str, object]]:
    """One row an example."""
    length, unit = data.measure.length, data.measure.unit
    return [
        {
            "split": split,
            "source": example.source,
            "id": example.id,
            f"prompt_{unit}": length(text_of_role(example, "user")),
            f"response_{unit}": length(text_of_role(example, "assistant")),
        }
        for split, members in data.splits.items()
        for example in sorted(members, key=lambda e: e.id)
    ]


def draw(data: Measured, path: Path, *, miniature: bool) -> None:
    length_figure.draw(data.splits, data.measure, path, miniature=miniature)


FIGURE = Figure(
    inputs=sources.inputs,
    applies=sources.applies,
    read=read,
    rows=rows,
    draw=draw,
    caption="Lengths of the prompts (train, dev, test) and of the training responses, in tokens of "
    "the base model, or in characters where the study has none.",
    category="Data",
)
