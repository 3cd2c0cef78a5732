"""Remedies and rivals on one plane: an arm's gain in preference, and its cost on benchmarks.

Both are against the same untuned base. The gain is over prompts and the change of scores over
benchmark items, which are other units: the two estimates are independent, and their joint region
is an ellipse, in each quarter by the ends on its side. Estimates that both are over training seeds
share these; their region is the product of two intervals, each at the level of Bonferroni's rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, log, pi, sin, sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any, Literal, NamedTuple

from limaflow.analysis.exhibit import Figure, Files, Options
from limaflow.analysis.study import Study
from limaflow.intervals import Interval, mean_of_independent
from limaflow.jsonl import read_json
from limaflow.measures.summaries import Preference, TaskTax
from limaflow.plot_style import GREY, SERIES, columns, drawing, empty, error_bars

Row = dict[str, object]
CORNERS = 25
"""Points of a quarter of an ellipse."""
MARKERS = "osD^v"
"""From the eighth arm on colours stand again, with another marker."""
LINE = 0.17
"""Height of a label, in inches."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """An arm by one judge; None where it is not measured."""

    judge: str
    arm: str
    words: str
    """What the arm is, where its name need not say it."""
    prompts: int | None
    gain: Interval | None
    """Wins + ½ ties over the base."""
    tasks: int
    items: int
    score: Interval | None
    """Mean over tasks of the score minus the base's, in points; a loss is negative."""
    calibration: Interval | None
    """Mean over tasks of the expected calibration error minus the base's, in points; of choices."""
    region: Literal["ellipse", "product", ""]
    gain_joint: Interval | None
    score_joint: Interval | None
    """Ends of the joint region."""
    missing: str = ""
    """Why the arm has no place."""

    @property
    def label(self) -> str:
        return f"{self.arm} ({self.words})" if self.words else self.arm


def inputs(study: Study) -> Files:
    results = study.results
    return {"preferences": [results.analysis("preferences")], "tax": [results.analysis("tax")]}


def applies(study: Study) -> bool:
    return study.measures_tax


def read(files: Files, options: Options) -> list[Place]:
    """The places of all arms that are compared or measured, by each judge.

    Raises:
        InputError: a file is missing or not what it should be.
    """
    preferences = read_json(files["preferences"][0], list[Preference])
    tax = [row for row in read_json(files["tax"][0], list[TaskTax]) if not row.further_format]
    arms = list(dict.fromkeys(row.arm for row in tax))
    gains = [
        p.seen_from(p.second if p.first == options.base else p.first)
        for p in preferences
        if options.base in (p.first, p.second)
    ]
    arms += [p.first for p in gains if p.first not in arms]
    judges = list(dict.fromkeys(p.judge for p in preferences))
    return [
        _place(judge, arm, gains, [row for row in tax if row.arm == arm], options)
        for judge in judges
        for arm in dict.fromkeys(arms)
    ]


def _place(
    judge: str, arm: str, gains: Sequence[Preference], tax: Sequence[TaskTax], options: Options
) -> Place:
    seen = next((p for p in gains if (p.judge, p.first) == (judge, arm)), None)
    paired = [row for row in tax if row.difference and row.span]
    gain = seen.adjusted_win if seen else None
    score = _mean(
        [row.difference.over(row.span / 100) for row in paired if row.difference and row.span]
    )
    calibration = _mean(
        [row.sureness.error_difference.over(0.01) for row in paired if row.sureness]
    )
    shared = any(row.over_seeds for row in paired)
    scale = _joint_scale(options.confidence, independent=not shared)
    both = gain is not None and score is not None
    reasons = [] if gain else [f"not compared with {options.base}"]
    reasons += [] if score else ["no paired benchmark results"]
    return Place(
        judge=judge,
        arm=arm,
        words=options.described.get(arm, ""),
        prompts=seen.prompts if seen else None,
        gain=gain,
        tasks=len(paired),
        items=sum(row.items for row in paired),
        score=score,
        calibration=calibration,
        region=("product" if shared else "ellipse") if both else "",
        gain_joint=_stretched(gain, scale, 0.0, 1.0) if both and gain else None,
        score_joint=_stretched(score, scale, -100.0, 100.0) if both and score else None,
        missing=", ".join(reasons),
    )


def _mean(parts: Sequence[Interval]) -> Interval | None:
    return mean_of_independent(parts) if parts else None


def _joint_scale(confidence: float, *, independent: bool) -> float:
    """By how much a joint region reaches beyond the interval of one of its two estimates."""
    alone = NormalDist().inv_cdf((1 + confidence) / 2)
    if independent:
        # The quantile of a chi-squared variable of two degrees of freedom.
        return sqrt(-2 * log(1 - confidence)) / alone
    return NormalDist().inv_cdf(1 - (1 - confidence) / 4) / alone


def _stretched(interval: Interval, scale: float, least: float, most: float) -> Interval:
    return Interval(
        interval.estimate,
        max(least, interval.estimate - scale * (interval.estimate - interval.low)),
        min(most, interval.estimate + scale * (interval.high - interval.estimate)),
    )


def outline(place: Place) -> list[tuple[float, float]]:
    """The joint region as a polygon of points (score, gain)."""
    x, y = place.score_joint, place.gain_joint
    assert x is not None and y is not None
    if place.region == "product":
        return [(x.low, y.low), (x.high, y.low), (x.high, y.high), (x.low, y.high)]
    angles = [2 * pi * step / (4 * CORNERS) for step in range(4 * CORNERS)]
    return [
        (
            x.estimate + cos(a) * (x.high - x.estimate if cos(a) > 0 else x.estimate - x.low),
            y.estimate + sin(a) * (y.high - y.estimate if sin(a) > 0 else y.estimate - y.low),
        )
        for a in angles
    ]


def rows(found: Sequence[Place]) -> list[Row]:
    """One row a judge and arm; gains are shares from 0 to 1, scores and calibration points."""
    return [
        {
            "judge": place.judge,
            "arm": place.arm,
            "described": place.words,
            "prompts": place.prompts,
            **columns("gain", place.gain),
            "tasks": place.tasks,
            "items": place.items,
            **columns("score_difference", place.score),
            **columns("calibration_error_difference", place.calibration),
            "region": place.region,
            "gain_region_low": place.gain_joint and place.gain_joint.low,
            "gain_region_high": place.gain_joint and place.gain_joint.high,
            "score_region_low": place.score_joint and place.score_joint.low,
            "score_region_high": place.score_joint and place.score_joint.high,
            "missing": place.missing,
        }
        for place in found
    ]


def draw(data: Sequence[Place], path: Path, *, miniature: bool) -> None:
    judges = list(dict.fromkeys(place.judge for place in data if not place.missing))
    arms = {place.arm: place.label for place in data if place.score}
    styles = {arm: _style(number) for number, arm in enumerate(sorted(arms))}
    readings = {p.arm: p.calibration for p in data if p.calibration and p.arm in arms}
    plane = max(2.6, LINE * (len(arms) + 2))
    below = LINE * 1.3 * len(readings) + 0.7 if readings else 0.0
    heights = [*[plane] * max(1, len(judges)), *([below] if readings else [])]
    height = sum(heights) + 0.5 * len(heights)
    with drawing(path, width=7.2, height=height, miniature=miniature) as figure:
        panels = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
        if not judges:
            empty(panels[0], "no arm is both compared with the base and measured")
        for judge, axes in zip(judges, panels, strict=False):
            own = [place for place in data if place.judge == judge]
            _draw_plane(axes, own, styles, plane)
            axes.set_title(f"judge {judge}" if len(judges) > 1 else "", fontsize=9)
        if readings:
            _draw_calibration(panels[-1], readings, arms, styles)


class Style(NamedTuple):
    """How an arm is drawn in all panels."""

    colour: str
    marker: str


def _style(number: int) -> Style:
    rounds, place = divmod(number, len(SERIES) - 1)
    return Style(SERIES[place], MARKERS[rounds % len(MARKERS)])


def _draw_plane(
    axes: Any, places: Sequence[Place], styles: Mapping[str, Style], height: float
) -> None:
    from matplotlib.patches import Polygon

    shown = [place for place in places if not place.missing]
    for place in shown:
        assert place.score and place.gain
        colour = styles[place.arm].colour
        edge = "--" if place.region == "product" else "-"
        axes.add_patch(
            Polygon(outline(place), facecolor=f"{colour}22", edgecolor=colour, linestyle=edge)
        )
        axes.plot(
            place.score.estimate,
            place.gain.estimate,
            styles[place.arm].marker,
            color=colour,
            ms=4,
        )
    axes.autoscale_view()
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0.45), max(high, 0.55))
    low, high = axes.get_ylim()
    axes.axhline(0.5, color="black", lw=0.8)
    axes.axvline(0, color="black", lw=0.8)
    axes.set_xlabel("benchmark score minus the base's, mean over tasks, points")
    axes.set_ylabel("wins + ½ ties over the base")
    axes.grid(color="#eeeeee")
    ordered = sorted(shown, key=lambda place: place.gain.estimate if place.gain else 0.0)
    wanted = [(p.gain.estimate - low) / (high - low) for p in ordered if p.gain]
    for place, where in zip(ordered, spread(wanted, LINE / height), strict=True):
        assert place.score and place.gain
        axes.annotate(
            place.label,
            (place.score.estimate, place.gain.estimate),
            xytext=(1.03, where),
            textcoords="axes fraction",
            va="center",
            fontsize=8,
            color=styles[place.arm].colour,
            arrowprops={
                "arrowstyle": "-",
                "color": styles[place.arm].colour,
                "lw": 0.5,
                "relpos": (0, 0.5),
                "shrinkA": 1,
            },
        )
    absent = [f"{place.label}: {place.missing}" for place in places if place.missing]
    if absent:
        axes.text(
            1.03,
            -0.02,
            "\n".join(["not on the plane:", *absent]),
            transform=axes.transAxes,
            va="top",
            fontsize=7,
            color=GREY,
        )


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Heights from 0 to 1, in order, near those wanted (ascending) and at least `gap` apart.

    Labels that are too many for the gap are as far apart as there is room.
    """
    gap = min(gap, 1 / max(1, len(wanted) - 1))
    found: list[float] = []
    for height in wanted:
        found.append(max(height, found[-1] + gap if found else 0.0))
    top = 1.0
    for number in range(len(found) - 1, -1, -1):
        found[number] = min(found[number], top)
        top = found[number] - gap
    return found


def _draw_calibration(
    axes: Any,
    readings: Mapping[str, Interval],
    labels: Mapping[str, str],
    styles: Mapping[str, Style],
) -> None:
    for number, (arm, interval) in enumerate(readings.items()):
        axes.errorbar(
            [interval.estimate],
            [number],
            xerr=error_bars([interval]),
            fmt=styles[arm].marker,
            ms=4,
            color=styles[arm].colour,
            capsize=2,
        )
    axes.yaxis.tick_right()
    axes.yaxis.set_tick_params(length=0)
    axes.set_yticks(range(len(readings)), [labels[arm] for arm in readings], fontsize=8)
    for name, arm in zip(axes.get_yticklabels(), readings, strict=True):
        name.set_color(styles[arm].colour)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(len(readings) - 0.5, -0.5)
    axes.axvline(0, color="black", lw=0.8)
    axes.set_xlabel("expected calibration error minus the base's, points (right: worse)")
    axes.grid(axis="x", color="#eeeeee")


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="What each arm gains in preference over the base, against what it gains or loses on "
    "benchmarks: up is preferred, right is more accurate. Regions hold both truths jointly at the "
    "level of the intervals: ellipses of two independent estimates, over prompts and over items; "
    "dashed rectangles (products of two intervals, Bonferroni) where both are over the same "
    "training seeds. All arms answered the same prompts and items, so overlapping regions do not "
    "say that two arms are alike. Below, where choices are scored: the change of calibration.",
    category="Benchmarks",
    applies=applies,
    uses=("bootstrap", "base", "described"),
)
