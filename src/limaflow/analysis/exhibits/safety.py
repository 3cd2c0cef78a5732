"""How safe each arm is, and the same against the number of refusals it was trained on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limaflow.analysis.exhibit import Figure, Files, Options, Table
from limaflow.analysis.paper import paper
from limaflow.analysis.study import Study
from limaflow.analysis.tax_means import means_of
from limaflow.intervals import Interval
from limaflow.jsonl import read_json
from limaflow.measures.summaries import TaskTax
from limaflow.plot_style import GREY, SERIES, columns, drawing, empty, error_bars
from limaflow.refusals.rules import RULES
from limaflow.refusals.safety import Safety, SafetyShare, What

Row = dict[str, object]
PANELS: dict[What, str] = {
    "answered safely": "sensitive prompts\nanswered safely",
    "over-refusal": "harmless prompts\nrefused",
    "attack success": "attacks complied with",
}
TAX = "benchmarks\nminus base"
ASIDE = 0.12
"""By how much points of equal dose stand apart, in steps between doses."""


@dataclass(frozen=True, kw_only=True)
class Dosed:
    """One number of an arm with a known dose of refusals."""

    dose: int
    arm: str
    again: str
    what: str
    label: str
    grader: str
    prompts: int | None
    interval: Interval


def inputs(study: Study) -> Files:
    return {"safety": [study.results.analysis("safety")]}


def applies(study: Study) -> bool:
    return study.tests_safety


def read(files: Files, options: Options) -> Safety:
    return read_json(files["safety"][0], Safety)


def table_rows(found: Safety) -> list[Row]:
    """One row an arm, share, label of prompts and grader."""
    return [
        {
            "arm": row.arm,
            "seed_of": row.again,
            "refusals_in_training": row.dose,
            "what": row.what,
            "prompts_with": row.label,
            "grader": row.grader,
            "prompts": row.prompts,
            "answers": row.answers,
            "counted": row.counted,
            "no_answer": row.no_answer,
            "without_grade": row.failed,
            **columns("share", row.share),
        }
        for row in found.shares
    ]


def dose_inputs(study: Study) -> Files:
    tax = [study.results.analysis("tax")] if study.measures_tax else []
    return {**inputs(study), "tax": tax}


def read_dosed(files: Files, options: Options) -> list[Dosed]:
    """The numbers of the figure; refusals by the first judge that classes them, else by rule."""
    found = read(files, options)
    dosed = [
        Dosed(
            dose=row.dose,
            arm=row.arm,
            again=row.again,
            what=row.what,
            label=row.label,
            grader=row.grader,
            prompts=row.prompts,
            interval=row.share,
        )
        for row in _of_one_grader(found.shares)
        if row.dose is not None and row.share is not None
    ]
    doses = {row.arm: row.dose for row in dosed if not row.again}
    rows = [row for path in files.get("tax", []) for row in read_json(path, list[TaskTax])]
    dosed += [
        Dosed(
            dose=doses[mean.arm],
            arm=mean.arm,
            again="",
            what="tax",
            label=mean.name,
            grader="",
            prompts=None,
            interval=mean.difference.interval,
        )
        for mean in means_of(rows)
        if mean.arm in doses and not mean.further_format
    ]
    return dosed


def _of_one_grader(shares: Iterable[SafetyShare]) -> list[SafetyShare]:
    rows = list(shares)
    first: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: row.grader == RULES):
        first.setdefault(row.what, row.grader)
    return [row for row in rows if first[row.what] == row.grader]


def dose_rows(data: Sequence[Dosed]) -> list[Row]:
    """One row a number, by dose."""
    return [
        {
            "refusals_in_training": row.dose,
            "arm": row.arm,
            "seed_of": row.again,
            "what": row.what,
            "prompts_with": row.label,
            "grader": row.grader,
            "prompts": row.prompts,
            **columns("number", row.interval),
        }
        for row in sorted(data, key=lambda row: (row.dose, row.arm))
    ]


def draw(data: Sequence[Dosed], path: Path, *, miniature: bool) -> None:
    panels = [(what, title) for what, title in [*PANELS.items(), ("tax", TAX)]]
    shown = [(what, title) for what, title in panels if any(row.what == what for row in data)]
    with drawing(path, width=7.2, height=3.9, miniature=miniature) as figure:
        if not shown:
            empty(figure.subplots(), "no arm with a known number of refusals was graded")
            return
        doses = sorted({row.dose for row in data})
        every = figure.subplots(1, len(shown), squeeze=False)[0]
        for axes, (what, title) in zip(every, shown, strict=True):
            _panel(axes, [row for row in data if row.what == what], doses)
            axes.set_title(title, fontsize=9)
            axes.set_xticks(range(len(doses)), doses)
            axes.set_xlim(-0.5, len(doses) - 0.5)
            axes.set_xlabel("refusals in training", fontsize=8)
            axes.grid(axis="y", color="#eeeeee")
            if what == "tax":
                axes.axhline(0, color=GREY, lw=0.8)
            else:
                axes.set_ylim(-0.03, 1.03)
            if what == "answered safely":
                _beside_paper(axes, doses)


def _panel(axes: Any, rows: Sequence[Dosed], doses: Sequence[int]) -> None:
    """A line a label through the first seeds with intervals; further seeds as open points."""
    names = list(dict.fromkeys(row.label for row in rows))
    for number, label in enumerate(names):
        colour = SERIES[number % len(SERIES)]
        aside = ASIDE * (number - (len(names) - 1) / 2)
        first = sorted((r for r in rows if r.label == label and not r.again), key=lambda r: r.dose)
        axes.errorbar(
            [doses.index(row.dose) + aside for row in first],
            [row.interval.estimate for row in first],
            yerr=error_bars([row.interval for row in first]),
            fmt="os^D"[number % 4] + "-",
            markersize=4,
            lw=1,
            capsize=2,
            color=colour,
            label=label.removeprefix("sensitive: ").removeprefix("attack: "),
        )
        further = [row for row in rows if row.label == label and row.again]
        axes.plot(
            [doses.index(row.dose) + aside for row in further],
            [row.interval.estimate for row in further],
            ls="none",
            marker="os^D"[number % 4],
            markersize=4,
            markerfacecolor="none",
            color=colour,
        )
    if len(names) > 1:
        axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2), frameon=False)


def _beside_paper(axes: Any, doses: Sequence[int]) -> None:
    """The paper's share of 30 prompts, at its number of refusals where an arm has as many."""
    values = paper().values
    dose = int(values["refusal-examples"].value or 0)
    share = (values["safe-responses"].value or 0.0) / 100
    if dose in doses:
        axes.plot([doses.index(dose) + 0.3], [share], marker="*", ls="none", color=GREY)
        axes.annotate(
            "paper",
            (doses.index(dose) + 0.3, share),
            xytext=(0, -10),
            textcoords="offset points",
            ha="center",
            fontsize=7,
            color=GREY,
        )


TABLE = Table(inputs=inputs, read=read, rows=table_rows, applies=applies)
DOSE = Figure(
    inputs=dose_inputs,
    read=read_dosed,
    rows=dose_rows,
    draw=draw,
    caption="What more refusals among the training examples do to arms that differ in them alone: "
    "safe answers to sensitive prompts, refusals of harmless ones, attacks that are complied with, "
    "and benchmarks. Lines are the first training seed with its interval over prompts, open points "
    "further seeds; the star is the paper’s 80 % of 30 prompts with 13 refusals. An empty or "
    "incoherent answer is neither safe nor a refusal.",
    category="Safety",
    applies=applies,
)
