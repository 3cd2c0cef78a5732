"""What the judge likes, what is right, how long it is and whether it stops, arm by arm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import fmean

import numpy as np

from limaflow.analysis.accuracy import KnownAnswer, read_answers
from limaflow.analysis.exhibit import Files, Options, Table
from limaflow.analysis.graded_scales import are_numbers
from limaflow.analysis.study import Study
from limaflow.intervals import Interval, Resampling
from limaflow.jsonl import read_json, read_records
from limaflow.measures.summaries import GradeSummary, Preference, TaskTax, mirrored
from limaflow.plot_style import columns
from limaflow.records import Example, Response

Row = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The responses of one arm, by rules that ask no judge; shares are over prompts."""

    arm: str
    prompts: int
    known: int
    """Prompts of which the right answer is known."""
    first_right: Interval | None
    """The first sentence that answers is right."""
    whole_right: Interval | None
    ended: Interval
    """By itself, not at the length limit."""
    chars: float
    benchmarks: float | None
    """Mean score over the benchmark tasks, as share of each scale; None where none was measured."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """All that the table shows."""

    answered: Sequence[Answered]
    preferences: Sequence[Preference]
    """From the view of the LIMA arm."""
    grades: Sequence[GradeSummary]
    """On scales of numbers."""
    lima: str


def inputs(study: Study) -> Files:
    results = study.results
    return {
        "base": [results.responses("test", study.base)] if study.base else [],
        "responses": [results.responses("test", arm) for arm in study.arms if arm != study.base],
        "prompts": [results.prompts("test")],
        "preferences": [results.analysis("preferences")],
        "grades": [results.analysis("grades")],
        **({"answers": [Path(study.answers)]} if study.answers else {}),
        **({"tax": [results.analysis("tax")]} if study.measures_tax else {}),
    }


def read(files: Files, options: Options) -> Beside:
    prompts = list(read_records(files["prompts"][0], Example))
    answers = read_answers(files["answers"][0], prompts) if files.get("answers") else {}
    tax = read_json(files["tax"][0], list[TaskTax]) if files.get("tax") else []
    resampling = Resampling(
        rounds=options.rounds, confidence=options.confidence, seed=options.seed
    ).seeded("accuracy")
    found = [
        (list(read_records(path, Response)), name == "base")
        for name in ("base", "responses")
        for path in files.get(name, [])
    ]
    return Beside(
        answered=[
            answered(rows, answers, tax, resampling, is_base=is_base)
            for rows, is_base in found
            if rows
        ],
        preferences=[
            preference.seen_from(options.lima)
            for preference in read_json(files["preferences"][0], list[Preference])
            if options.lima in (preference.first, preference.second)
        ],
        grades=[
            grade
            for grade in read_json(files["grades"][0], list[GradeSummary])
            if are_numbers(grade.words.values())
        ],
        lima=options.lima,
    )


def answered(
    rows: Sequence[Response],
    answers: Mapping[str, KnownAnswer],
    tax: Sequence[TaskTax],
    resampling: Resampling,
    *,
    is_base: bool,
) -> Answered:
    """One arm's responses as the table shows them; samples of a prompt are averaged first."""
    known = [row for row in rows if row.prompt_id in answers]
    arm = rows[0].model

    def share(rows: Sequence[Response], hits: Sequence[bool]) -> Interval | None:
        by_prompt: dict[str, list[bool]] = {}
        for row, hit in zip(rows, hits, strict=True):
            by_prompt.setdefault(row.prompt_id, []).append(hit)
        values = np.array([fmean(hits) for hits in by_prompt.values()])
        return resampling.mean(values, 0, 1) if len(values) else None

    ended = share(rows, [row.finish_reason == "stop" for row in rows])
    assert ended is not None
    return Answered(
        arm=arm,
        prompts=len({row.prompt_id for row in rows}),
        known=len({row.prompt_id for row in known}),
        first_right=share(known, [answers[r.prompt_id].first_is_right(r.text) for r in known]),
        whole_right=share(known, [answers[r.prompt_id].is_right(r.text) for r in known]),
        ended=ended,
        chars=fmean(len(row.text) for row in rows),
        benchmarks=_benchmarks(arm, tax, is_base=is_base),
    )


def _benchmarks(arm: str, tax: Sequence[TaskTax], *, is_base: bool) -> float | None:
    """Mean over the tasks in an arm's main format; each row has the base's score as well."""
    plain = [row for row in tax if not row.further_format and row.scale is not None and row.span]
    scored = (
        {row.task: (row.base, row) for row in plain}
        if is_base
        else {row.task: (row.tuned, row) for row in plain if row.arm == arm}
    )
    shares = [
        (score.estimate - row.scale[0]) / row.span
        for score, row in scored.values()
        if score is not None and row.scale is not None and row.span
    ]
    return fmean(shares) if shares else None


def rows(data: Beside) -> list[Row]:
    """One row an arm, judge and scale of grades; shares from 0 to 1 with their intervals."""
    preferred = {(p.second, p.judge): p for p in data.preferences}
    grades = {(g.model, g.judge, g.instrument): g for g in data.grades}
    found: list[Row] = []
    for arm in data.answered:
        judges = {judge for name, judge in preferred if name == arm.arm}
        graded = [(judge, scale) for name, judge, scale in grades if name == arm.arm]
        without = sorted(judges - {judge for judge, _ in graded})
        seen = [*graded, *product(without, [""])] or [("", "")]
        found += [
            _row(
                arm,
                judge,
                scale,
                grades.get((arm.arm, judge, scale)),
                preferred.get((arm.arm, judge)),
            )
            for judge, scale in seen
        ]
    return found


def _row(
    arm: Answered,
    judge: str,
    scale: str,
    grade: GradeSummary | None,
    preference: Preference | None,
) -> Row:
    against_lima = mirrored(preference.adjusted_win) if preference else None
    return {
        "arm": arm.arm,
        "judge": judge,
        "instrument": scale,
        "prompts": arm.prompts,
        **columns("grade", grade.mean if grade else None),
        **columns("preferred_to_lima", against_lima),
        "known": arm.known,
        **columns("first_right", arm.first_right),
        **columns("whole_right", arm.whole_right),
        **columns("ended", arm.ended),
        "mean_chars": round(arm.chars, 1),
        "benchmarks": arm.benchmarks,
    }


TABLE = Table(inputs=inputs, read=read, rows=rows, uses=("lima", "bootstrap"))
