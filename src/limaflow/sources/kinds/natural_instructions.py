"""Super-Natural Instructions: task files in JSON (Wang et al. 2022, 2204.07705).

The prompt is the task's definition, an empty line, and the instance's input; the response is the
first output. Licences differ from task to task and come from the file.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.records import Candidate, Provenance
from limaflow.sources.kind import Policy, Reader
from limaflow.sources.shard import ReadingOptions, Shard, lossless, pass_over

MAX_FILE_BYTES = 1024**3


def read(shard: Shard[ReadingOptions], passed_over: Counter[str]) -> Iterator[Candidate]:
    """One candidate an instance, of every task file of the shard; the task is the stratum.

    Raises:
        InputError: not a task file; names the key or the instance.
    """
    yield from sorted(_candidates(shard, passed_over), key=lambda candidate: candidate.id)


def _candidates(shard: Shard[ReadingOptions], passed_over: Counter[str]) -> Iterator[Candidate]:
    for path in shard.files:
        task = _task(path)
        licences = ", ".join(_texts(task.get("Instance License", [])))
        for number, instance in enumerate(task["Instances"]):
            text, outputs = instance.get("input"), _texts(instance.get("output", []))
            if not isinstance(text, str) or not outputs:
                fault = InputError(f"Instances.{number}: needs input and output", path=path)
                pass_over(shard, passed_over, fault)
                continue
            native = str(instance.get("id", f"{path.stem}-{number}"))
            parts = [" ".join(_texts(task["Definition"])), text]
            yield Candidate(
                id=shard.id(native),
                source=shard.source,
                shard=shard.name,
                kind=shard.kind,
                title=lossless("\n\n".join(part.strip() for part in parts if part.strip())),
                response=lossless(outputs[0].strip()),
                stratum=path.stem,
                provenance=Provenance(
                    site="Super-NaturalInstructions",
                    ids=(native,),
                    urls=tuple(_texts(task.get("URL", []))),
                    authors=tuple(_texts(task.get("Contributors", []))),
                    licence=licences or shard.options.licence,
                ),
            )


def _task(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(f"larger than {MAX_FILE_BYTES} bytes", path=path)
        task = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(error.strerror or "cannot be read", path=path) from None
    except UnicodeDecodeError:
        raise InputError("not UTF-8", path=path) from None
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error.msg}", path=path, line=error.lineno) from None
    except RecursionError:
        raise InputError("not a task: nested too deep", path=path) from None
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
