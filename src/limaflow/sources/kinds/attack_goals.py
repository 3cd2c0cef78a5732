"""Requests that an assistant should refuse, plain or wrapped in an attack, from CSV or JSON.

Columns, in any case: AdvBench (2307.15043) has `goal` and `target`; JailbreakBench (2404.01318)
these and `category`; StrongREJECT (2402.10260) `forbidden_prompt` and `category`; HarmBench
(2402.04249) `Behavior`, `SemanticCategory` and, for some, `ContextString`. A row with `goal` and
`prompt` is a recorded attack: the prompt is asked, and `attack` names the way, there or in the
options. JailbreakBench's artifacts are one object with such rows under `jailbreaks` and the way in
`parameters.method`; a goal for which no attack was found has a null for its prompt.
"""

from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

from limaflow.errors import InputError, listed
from limaflow.foreign_json import json_file, json_rows
from limaflow.prompt_tags import Sensitive, Tags
from limaflow.records import Candidate, Message, Provenance
from limaflow.sources.csv_rows import csv_rows, lower_case
from limaflow.sources.kind import Policy, Reader
from limaflow.sources.shard import ReadingOptions, Shard, pass_over

GOALS = ("goal", "forbidden_prompt", "behavior")
"""Columns of the plain request; the first that a row has. JailbreakBench's `behavior` is a name."""
CATEGORIES = ("category", "semanticcategory")
IDS = ("id", "behaviorid", "index", "")
"""JailbreakBench has its index under no name."""

NO_ATTACK = "goal without a recorded prompt"
HEAD_BYTES = 4096


class GoalOptions(ReadingOptions):
    """What holds for all rows."""

    intent: Literal["malicious", "benign", "ambiguous"] = "malicious"
    """JailbreakBench has a file of benign requests too."""
    attack: str = ""
    """How the prompts of rows with a `prompt` wrap their goals, where the rows do not say it."""


def read(shard: Shard[GoalOptions], passed_over: Counter[str]) -> Iterator[Candidate]:
    """One prompt a row; its category is the stratum.

    Raises:
        InputError: a row has none of the columns of a goal, or the goal or prompt is empty.
    """
    bad = partial(pass_over, shard, passed_over)
    for number, path in enumerate(shard.files):
        for row_number, line, row in _rows(path, bad):
            if "prompt" in row and row["prompt"] is None:
                passed_over[NO_ATTACK] += 1
                continue
            goal = _first(row, GOALS)
            prompt = _first(row, ("prompt",)) if "prompt" in row else _plain(goal, row)
            if not goal or not prompt:
                has = f"has {listed(name for name in row if name)}"
                what = f"no goal under {', '.join(GOALS)}" if not goal else "empty prompt"
                bad(InputError(f"{what}; {has}", path=path, line=line))
                continue
            attack = (_first(row, ("attack",)) or shard.options.attack) if "prompt" in row else ""
            category = _first(row, CATEGORIES)
            native = _first(row, IDS) or f"{path.stem}-{row_number}"
            yield Candidate(
                id=shard.id(f"{number:03d}-{row_number:07d}"),
                source=shard.source,
                shard=shard.name,
                kind=shard.kind,
                title=prompt,
                stratum=category or shard.name,
                messages=(Message(role="user", content=prompt),),
                provenance=Provenance(ids=(native,), licence=shard.options.licence),
                tags=Tags(
                    sensitive=Sensitive(
                        intent=shard.options.intent,
                        category=category,
                        goal=goal,
                        target=_first(row, ("target",)),
                    ),
                    attack=attack,
                ),
            )


def _rows(
    path: Path, bad: Callable[[InputError], None]
) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Number, line and fields of each row, by their names in lower case."""
    if path.suffix.lower() == ".csv":
        yield from csv_rows(path, lower_case, bad)
        return
    rows = artifact_rows(path) if is_artifact(path) else json_rows(path, bad)
    for number, (line, row) in enumerate(rows, start=1):
        yield number, line, {str(key).strip().lower(): value for key, value in row.items()}


def is_artifact(path: Path) -> bool:
    """Whether a file is a JSON object and not rows: JailbreakBench's form of recorded attacks."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(HEAD_BYTES).removeprefix(BOM_UTF8).split()[:1] == [b"{"]


def artifact_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and fields of each recorded attack, with the way under `attack`.

    Raises:
        InputError: the object has no list `jailbreaks`, or an entry of it is no object.
    """
    whole = json_file(path)
    rows = whole.get("jailbreaks") if isinstance(whole, dict) else None
    if not isinstance(rows, list):
        raise InputError("an object without a list `jailbreaks`", path=path)
    parameters = whole.get("parameters")
    method = parameters.get("method", "") if isinstance(parameters, dict) else ""
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise InputError(f"entry {number} of `jailbreaks` is no object", path=path)
        yield number, {"attack": str(method or ""), **row}


def _first(row: dict[str, Any], columns: tuple[str, ...]) -> str:
    """The text under the first of the columns that has one."""
    values = (row.get(column) for column in columns)
    return next((text for v in values if v is not None and (text := str(v).strip())), "")


def _plain(goal: str, row: dict[str, Any]) -> str:
    """The goal, after the text that it is about where HarmBench gives one."""
    context = _first(row, ("contextstring",))
    return f"{context}\n\n---\n\n{goal}" if context else goal


READER = Reader(options=GoalOptions, read=read, conversations=True)
POLICY = Policy(strata="in rounds", prompts_alone=True)
