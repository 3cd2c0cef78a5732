"""How large an adapter is, and what share of the LIMA arm's gain over the base it reaches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Any

from limaflow.analysis.arm_facts import adapter_kilobytes
from limaflow.analysis.exhibit import Figure, Files, Options
from limaflow.analysis.exhibits.plane import spread
from limaflow.analysis.gain import ShareOfGain, shares_of_gain
from limaflow.analysis.study import Study
from limaflow.intervals import Resampling
from limaflow.jsonl import read_json, read_records
from limaflow.measures.summaries import GradeSummary
from limaflow.plot_style import GREY, SERIES, columns, drawing, empty, error_bars
from limaflow.records import Grade, ModelManifest

Row = dict[str, object]
BESIDE = 1.08
"""By what factor a judge's points lie to the right of those of the judge before it."""
LABEL = 0.035
"""Least distance between the names of two arms, as share of the axis."""


@dataclass(frozen=True, kw_only=True)
class Sized:
    """One arm by one judge."""

    kilobytes: float | None
    """Of the adapter's trained values; None of a model that was chosen before they were counted."""
    values: int | None
    reached: ShareOfGain


def inputs(study: Study) -> Files:
    instrument, _ = study.selection
    return {
        "adapted": [study.results.chosen_model(arm) for arm in study.adapted],
        "graded": [study.results.analysis("grades")],
        **{
            role: [
                study.results.grades(instrument, "test", judge, arm)
                for judge in study.judges
                for arm in arms
            ]
            for role, arms in (
                ("base", (study.base,)),
                ("grades", (study.lima, *study.adapted)),
            )
        },
    }


def applies(study: Study) -> bool:
    return bool(study.adapted and study.base and study.judges)


def read(files: Files, options: Options) -> list[Sized]:
    models = [read_json(path, ModelManifest) for path in files["adapted"]]
    of_base = [grade for path in files["base"] for grade in read_records(path, Grade)]
    grades = [grade for path in files["grades"] for grade in read_records(path, Grade)]
    instrument, base = of_base[0].instrument, of_base[0].model
    words = next(
        summary.words
        for summary in read_json(files["graded"][0], list[GradeSummary])
        if summary.instrument == instrument
    )
    levels = list(map(int, words))
    found = shares_of_gain(
        [*of_base, *grades],
        lima=options.lima,
        base=base,
        arms=[model.model for model in models],
        span=max(levels) - min(levels),
        resampling=Resampling(
            rounds=options.rounds, confidence=options.confidence, seed=options.seed
        ),
    )
    by_name = {model.model: model for model in models}
    return [
        Sized(
            kilobytes=adapter_kilobytes(by_name[share.arm]),
            values=by_name[share.arm].notes.get("adapter_values"),
            reached=share,
        )
        for share in found
    ]


def rows(data: Sequence[Sized]) -> list[Row]:
    """One row an arm and judge; shares of the gain from 0 (the base) to 1 (the LIMA arm)."""
    return [
        {
            "arm": sized.reached.arm,
            "judge": sized.reached.judge,
            "prompts": sized.reached.prompts,
            "trained_values": sized.values,
            "kilobytes": sized.kilobytes,
            "bits": None if sized.kilobytes is None else round(8000 * sized.kilobytes),
            **columns("gain_of_lima", sized.reached.gain),
            **columns("share_of_gain", sized.reached.share),
            "refused": sized.reached.refused,
        }
        for sized in data
    ]


def draw(data: Sequence[Sized], path: Path, *, miniature: bool) -> None:
    shown = [
        (sized.kilobytes, sized.reached, sized.reached.share)
        for sized in data
        if sized.kilobytes and sized.reached.share
    ]
    with drawing(path, width=7.2, height=3.2, miniature=miniature) as figure:
        axes = figure.subplots()
        if not shown:
            refused = next((sized.reached.refused for sized in data if sized.reached.refused), "")
            empty(axes, refused or "no graded arm with an adapter of known size")
            return
        judges = sorted({reached.judge for _, reached, _ in shown})
        for number, judge in enumerate(judges):
            mine = [one for one in shown if one[1].judge == judge]
            shares = [share for *_, share in mine]
            axes.errorbar(
                [kilobytes * BESIDE**number for kilobytes, *_ in mine],
                [share.estimate for share in shares],
                yerr=error_bars(shares),
                fmt="o",
                color=SERIES[number % len(SERIES)],
                capsize=3,
                label=f"judge {judge}",
            )
        axes.set_xscale("log")
        _name_arms(axes, {reached.arm: kilobytes for kilobytes, reached, _ in shown}, len(judges))
        for level, what in ((0, "base"), (1, "LIMA arm,\nall weights")):
            axes.axhline(level, color=GREY, lw=0.8, ls="--")
            axes.annotate(
                what,
                (1, level),
                xycoords=("axes fraction", "data"),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=GREY,
            )
        axes.set_xlabel("adapter, kilobytes of trained values")
        axes.set_ylabel("share of the gain in grade")
        axes.grid(axis="y", color="#eeeeee")
        if len(judges) > 1:
            figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3)


def _name_arms(axes: Any, sizes: Mapping[str, float], judges: int) -> None:
    """Sizes as plain numbers below, and each arm's name above its size."""
    axes.set_xlim(min(sizes.values()) / 2, max(sizes.values()) * 2 * BESIDE**judges)
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.xaxis.set_minor_formatter(lambda *_: "")
    ordered = sorted(sizes.items(), key=lambda one: one[1])
    low, high = map(log, axes.get_xlim())
    middle = log(BESIDE) * (judges - 1) / 2
    wanted = [(log(size) + middle - low) / (high - low) for _, size in ordered]
    for (arm, _), at, where in zip(ordered, wanted, spread(wanted, LABEL), strict=True):
        axes.annotate(
            arm,
            (at, 1),
            xycoords="axes fraction",
            xytext=(where, 1.06),
            textcoords="axes fraction",
            rotation=40,
            rotation_mode="anchor",
            fontsize=8,
            arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.5, "shrinkA": 0, "shrinkB": 0},
        )


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="Share of the LIMA arm’s gain in grade over the base that arms with an adapter reach, "
    "by the size of the adapter’s trained values. All are tuned on the LIMA arm’s examples.",
    category="Grades",
    applies=applies,
    uses=("lima", "bootstrap"),
)
