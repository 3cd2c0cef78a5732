"""How often each arm keeps forms, with intervals over prompts, and what sets two arms apart.

Two levels, as in IFEval: of prompts, all forms of a prompt kept; of forms, each for itself. A
prompt's forms and samples are resampled together. What could not be checked leaves the count and is
counted; a prompt of which one form is broken is broken, whatever could not be checked.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from limaflow.errors import InputError
from limaflow.intervals import Array, Interval, Resampling
from limaflow.records import FormatCheck

Level = Literal["prompts", "forms"]
Reading = Literal["strict", "loose"]
LEVELS: tuple[Level, ...] = ("prompts", "forms")
READINGS: tuple[Reading, ...] = ("strict", "loose")
Counts = Mapping[str, tuple[float, float]]
"""Prompt → how much was kept, and out of how much."""


@dataclass(frozen=True, kw_only=True)
class FormatShare:
    """The share that an arm keeps."""

    model: str
    level: Level
    reading: Reading
    rule: str = ""
    """Of one rule alone; "" is of all."""
    prompts: int
    checks: int
    unchecked: int = 0
    """Answers of this arm's, or forms of theirs, that could not be checked."""
    share: Interval


@dataclass(frozen=True, kw_only=True)
class FormatDifference:
    """The share of one arm minus that of another on the same prompts."""

    first: str
    second: str
    level: Level
    reading: Reading
    prompts: int
    difference: Interval


@dataclass(frozen=True, kw_only=True)
class Formats:
    """The content of formats.json."""

    shares: list[FormatShare]
    differences: list[FormatDifference] = field(default_factory=list)
    """Of the arm that the paper's claims are about, minus each other one."""


def formats(checks: Sequence[Sequence[FormatCheck]], lima: str, resampling: Resampling) -> Formats:
    """Shares of every arm, and the differences of `lima` from the others.

    Args:
        checks: of one arm each.

    Raises:
        InputError: an arm has no checks, or two files are of one arm.
    """
    by_arm: dict[str, Sequence[FormatCheck]] = {}
    for of_arm in checks:
        if len(models := {check.model for check in of_arm}) != 1:
            raise InputError(f"a file of checks is of one arm; it has {sorted(models) or 'none'}")
        if (model := models.pop()) in by_arm:
            raise InputError(f"two files hold checks of '{model}'")
        by_arm[model] = of_arm
    shares = [
        share
        for model, of_arm in by_arm.items()
        for share in _shares(model, of_arm, resampling.seeded("formats", model))
    ]
    apart = [
        found
        for model, theirs in by_arm.items()
        if lima in by_arm and model != lima
        for found in _differences(by_arm[lima], theirs, resampling.seeded("formats", lima, model))
    ]
    return Formats(shares=shares, differences=apart)


def _shares(model: str, checks: Sequence[FormatCheck], drawn: Resampling) -> list[FormatShare]:
    rules = sorted({check.rule for check in checks})
    kinds: list[tuple[Level, str]] = [(level, "") for level in LEVELS]
    kinds += [("forms", rule) for rule in rules]
    found = []
    for level, rule in kinds:
        concerned = [check for check in checks if rule in ("", check.rule)]
        for reading in READINGS:
            kept = _kept(concerned, level, reading)
            if not kept:
                continue
            parts, wholes = (np.array(column) for column in zip(*kept.values(), strict=True))
            found.append(
                FormatShare(
                    model=model,
                    level=level,
                    reading=reading,
                    rule=rule,
                    prompts=len(kept),
                    checks=int(wholes.sum()),
                    unchecked=_all(concerned, level) - int(wholes.sum()),
                    share=drawn.share(parts, wholes),
                )
            )
    return found


def _kept(checks: Sequence[FormatCheck], level: Level, reading: Reading) -> Counts:
    """What was checked of each prompt, as its number of answers or of their forms."""
    answers: dict[tuple[str, int], list[bool | None]] = defaultdict(list)
    for check in checks:
        answers[check.prompt_id, check.sample].append(getattr(check, reading))
    counts: dict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for (prompt, _), outcomes in answers.items():
        known = [outcome for outcome in outcomes if outcome is not None]
        if level == "prompts":
            known = [all(known)] if len(known) == len(outcomes) or not all(known) else []
        part, whole = counts[prompt]
        if known:
            counts[prompt] = (part + sum(known), whole + len(known))
    return {prompt: count for prompt, count in counts.items() if count[1]}


def _all(checks: Sequence[FormatCheck], level: Level) -> int:
    """Answers, or their forms, that were to be checked."""
    return len({(c.prompt_id, c.sample) for c in checks}) if level == "prompts" else len(checks)


def _differences(
    ours: Sequence[FormatCheck], theirs: Sequence[FormatCheck], drawn: Resampling
) -> Iterator[FormatDifference]:
    """On the prompts of which both arms have checks."""
    for level in LEVELS:
        for reading in READINGS:
            counts = [_kept(checks, level, reading) for checks in (ours, theirs)]
            prompts = sorted(counts[0].keys() & counts[1].keys())
            if not prompts:
                continue
            columns: list[Array] = [
                np.array([of_arm[prompt][place] for prompt in prompts])
                for of_arm in counts
                for place in (0, 1)
            ]
            yield FormatDifference(
                first=ours[0].model,
                second=theirs[0].model,
                level=level,
                reading=reading,
                prompts=len(prompts),
                difference=drawn.difference_of_shares(*columns),
            )
