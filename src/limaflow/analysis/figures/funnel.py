"""How many examples are left after each step of curation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limaflow.analysis.canvas import SERIES, drawing, empty, write_csv


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of one source in funnel.json; `dataset` is "" before a data set is drawn."""

    dataset: str
    step: str
    source: str
    came: int
    stayed: int


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """What this figure reads of funnel.json."""

    steps: tuple[Step, ...]


def levels(steps: Sequence[Step]) -> dict[str, dict[str, int]]:
    """Label → source → examples left; the first level is what came into the first step."""
    left: dict[str, dict[str, int]] = {}
    for step in steps:
        if step.step == steps[0].step and step.dataset == steps[0].dataset:
            left.setdefault("candidates", {})[step.source] = step.came
    for step in steps:
        label = f"{step.dataset}: {step.step}" if step.dataset else step.step
        left.setdefault(label, {})[step.source] = step.stayed
    return left


def draw(steps: Sequence[Step], path: Path, *, miniature: bool) -> None:
    """Write the figure, and its numbers beside it as CSV; bars on a logarithmic scale."""
    left = levels(steps)
    sources = sorted({step.source for step in steps})
    write_csv(
        path.with_suffix(".csv"),
        [
            {
                "step": label,
                "total": sum(kept.values()),
                **{source: kept.get(source, 0) for source in sources},
            }
            for label, kept in left.items()
        ],
    )
    height = 1.2 + max(1.2, len(left) * (0.14 + 0.1 * len(sources)))
    with drawing(path, width=7.2, height=height, miniature=miniature) as figure:
        axes = figure.subplots()
        if not left:
            empty(axes, "no curation steps")
            return
        bar = 0.8 / len(sources)
        for number, source in enumerate(sources):
            axes.barh(
                [row - 0.4 + bar * (number + 0.5) for row in range(len(left))],
                [kept.get(source, 0) for kept in left.values()],
                height=bar * 0.9,
                color=SERIES[number % len(SERIES)],
                label=source,
            )
        totals = [sum(kept.values()) for kept in left.values()]
        for row, total in enumerate(totals):
            axes.text(max(totals) * 1.15, row, f"{total:,}", va="center", fontsize=8)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlim(0.8, max(1, *totals) * 3)
        axes.set_yticks(range(len(left)), left)
        axes.set_ylim(len(left) - 0.5, -0.5)
        axes.set_xlabel("examples left of each source (logarithmic); total on the right")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=3)
