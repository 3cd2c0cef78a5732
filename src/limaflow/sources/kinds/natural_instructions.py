"""Super-Natural Instructions: task files in JSON (Wang et al. 2022, 2204.07705).

The prompt is the task's definition, an empty line, and the instance's input; the response is the
first output. Licences differ from task to task and come from the file. A task is named by its file,
or by its folder where the file is named for a split (`task639_…/dev.json`).
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.foreign_json import json_file
from limaflow.records import Candidate, Provenance
from limaflow.sources.kind import Policy, Reader
from limaflow.sources.shard import ReadingOptions, Shard, pass_over

SPLITS = ("train", "dev", "validation", "valid", "test", "eval")


def read(shard: Shard[ReadingOptions], passed_over: Counter[str]) -> Iterator[Candidate]:
    """One candidate an instance, of every task file of the shard; the task is the stratum.

    Raises:
        InputError: not a task file; names the key or the instance.
    """
    yield from sorted(_candidates(shard, passed_over), key=lambda candidate: candidate.id)


def _candidates(shard: Shard[ReadingOptions], passed_over: Counter[str]) -> Iterator[Candidate]:
    for path in shard.files:
        task = _task(path)
        name = path.absolute().parent.name if path.stem in SPLITS else path.stem
        numbered = "-".join(dict.fromkeys((name, path.stem)))
        licences = ", ".join(_texts(task.get("Instance License", [])))
        for number, instance in enumerate(task["Instances"]):
            text, outputs = instance.get("input"), _texts(instance.get("output", []))
            if not isinstance(text, str) or not outputs:
                fault = InputError(f"Instances.{number}: needs input and output", path=path)
                pass_over(shard, passed_over, fault)
                continue
            given = instance.get("id")
            native = f"{numbered}-{number}" if given is None else str(given)
            parts = [" ".join(_texts(task["Definition"])), text]
            yield Candidate(
                id=shard.id(native),
                source=shard.source,
                shard=shard.name,
                kind=shard.kind,
                title="\n\n".join(part.strip() for part in parts if part.strip()),
                response=outputs[0].strip(),
                stratum=name,
                provenance=Provenance(
                    site="Super-NaturalInstructions",
                    ids=(native,),
                    urls=tuple(_texts(task.get("URL", []))),
                    authors=tuple(_texts(task.get("Contributors", []))),
                    licence=licences or shard.options.licence,
                ),
            )


def _task(path: Path) -> dict[str, Any]:
    task = json_file(path)
    if not isinstance(task, dict) or not _texts(task.get("Definition", [])):
        raise InputError("not a task: no Definition", path=path)
    instances = task.get("Instances")
    if not isinstance(instances, list) or not all(isinstance(i, dict) for i in instances):
        raise InputError("not a task: Instances is no list of objects", path=path)
    return task


def _texts(value: Any) -> list[str]:
    """A text or a list of texts, as a list; anything else is empty."""
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]


READER = Reader(options=ReadingOptions, read=read)
POLICY = Policy(strata="in rounds")
