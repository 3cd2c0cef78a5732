"""Multiple-choice benchmarks on the facts of some towns, as local lm-eval tasks.

They measure knowledge without any style: which ending of a sentence the model finds likeliest. One
is about the held-out towns, which the corpus tells of and no training example; one about the
unwritten towns, for which it is the other way round.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from limaflow.jsonl import replacing, write_records
from limaflow.seeds import generator_for
from limaflow.tools.miniature.language import ATTRIBUTES
from limaflow.tools.miniature.towns import Town

TASK = "miniature_facts"
"""On the held-out towns."""
UNWRITTEN_TASK = "miniature_unwritten"
TASKS = (TASK, UNWRITTEN_TASK)
CHOICES = 6


@dataclass(frozen=True, kw_only=True)
class Item:
    """A sentence without its end, the ends to choose from, and the place of the right one."""

    id: str
    stem: str
    choices: tuple[str, ...]
    answer: int

    @property
    def statement(self) -> str:
        """The sentence as it is true."""
        return f"{self.stem} {self.choices[self.answer]}."


def items(towns: tuple[Town, ...], seed: int) -> list[Item]:
    """One item for each fact of each town."""
    result = []
    for town in towns:
        for attribute in ATTRIBUTES:
            generator = generator_for(seed, "benchmark", town.name, attribute.name)
            right = town.facts[attribute.name]
            wrong = [value for value in attribute.values if value != right]
            choices = [right, *generator.sample(wrong, CHOICES - 1)]
            generator.shuffle(choices)
            result.append(
                Item(
                    id=f"{town.name.lower()}-{attribute.name}",
                    stem=attribute.statements[0].format(town=town.name, value="").rstrip(" ."),
                    choices=tuple(choices),
                    answer=choices.index(right),
                )
            )
    return result


def write_task(folder: Path, found: list[Item], name: str = TASK) -> None:
    """Write items and the task's YAML.

    lm-eval takes the data file from the working directory, so the YAML names it as `folder` does:
    a relative folder makes a task that works from where this ran, the root of the project.
    """
    data = folder / f"{name}.jsonl"
    write_records(data, (asdict(item) for item in found))
    task = {
        "task": name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data)}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{stem}}",
        "doc_to_choice": "choices",
        "doc_to_target": "answer",
        "target_delimiter": " ",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        "metadata": {"version": 1.0},
    }
    with replacing(folder / f"{name}.yaml") as file:
        yaml.safe_dump(task, file, sort_keys=False)
