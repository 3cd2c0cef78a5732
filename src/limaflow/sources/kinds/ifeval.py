"""IFEval (Zhou et al. 2023, 2311.07911): prompts that ask for forms which a rule can check.

JSON lines of `key`, `prompt`, `instruction_id_list` and `kwargs`, the arguments of each
instruction; the hub's copy has every argument of every instruction, null where it has no use.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from limaflow.errors import InputError
from limaflow.foreign_json import json_rows
from limaflow.format_checks.catalogue import checked_tags
from limaflow.prompt_tags import FormatRule, Tags
from limaflow.records import Candidate, Message, Provenance
from limaflow.sources.kind import Policy, Reader
from limaflow.sources.shard import ReadingOptions, Shard, pass_over


def read(shard: Shard[ReadingOptions], passed_over: Counter[str]) -> Iterator[Candidate]:
    """One prompt a row, with its instructions as the tag `format`.

    Raises:
        InputError: a line is not JSON, or has no prompt or no instructions.
    """
    bad = partial(pass_over, shard, passed_over)
    for number, path in enumerate(shard.files):
        for line, row in json_rows(path, bad):
            try:
                prompt, rules = _row(row)
            except ValueError as error:
                bad(InputError(str(error), path=path, line=line))
                continue
            yield Candidate(
                id=shard.id(f"{number:03d}-{line:07d}"),
                source=shard.source,
                shard=shard.name,
                kind=shard.kind,
                title=prompt,
                stratum=shard.name,
                messages=(Message(role="user", content=prompt),),
                provenance=Provenance(
                    ids=(str(row.get("key", line)),), licence=shard.options.licence
                ),
                tags=Tags(format=rules),
            )


def _row(row: dict[str, Any]) -> tuple[str, tuple[FormatRule, ...]]:
    """The prompt and its rules.

    Raises:
        ValueError: says what is missing.
    """
    prompt, names, arguments = (row.get(k) for k in ("prompt", "instruction_id_list", "kwargs"))
    if not isinstance(prompt, str) or not prompt.strip():
        raise ValueError("no text under 'prompt'")
    if not isinstance(names, list) or not names:
        raise ValueError("no list 'instruction_id_list'")
    if not isinstance(arguments, list) or len(arguments) != len(names):
        raise ValueError("'kwargs' has not one entry for each of 'instruction_id_list'")
    if not all(isinstance(given, dict | None) for given in arguments):
        raise ValueError("'kwargs' has an entry that is not an object")
    written = [{**(g or {}), "rule": n} for n, g in zip(names, arguments, strict=True)]
    tags = checked_tags({"tags": {"format": written}})
    return prompt.strip(), tags.format if tags else ()


READER = Reader(options=ReadingOptions, read=read, conversations=True)
POLICY = Policy(prompts_alone=True)
