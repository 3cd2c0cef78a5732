"""Where tuned models' tokens stand in the base: by position, by class, and the most shifted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limaflow.analysis.exhibit import Figure, Files, Options, Table
from limaflow.analysis.study import Study
from limaflow.jsonl import read_json
from limaflow.plot_style import GREY, arm_colours, columns, drawing, empty, error_bars
from limaflow.token_shift.summaries import Shift, ShiftedToken, ShiftSummary

Row = dict[str, object]
LINES = {"base": "-", "seed": "--", "itself": ":"}
REFERENCES = {"base": "in the base", "seed": "in another training seed", "itself": "in itself"}


def inputs(study: Study) -> Files:
    return {"token_shift": [study.results.analysis("token_shift")]}


def applies(study: Study) -> bool:
    return study.token_shift


def read(files: Files, options: Options) -> Shift:
    return read_json(files["token_shift"][0], Shift)


def rows(found: Shift) -> list[Row]:
    """One row a model, reference and part of the responses; shares from 0 to 1."""
    return [
        {
            "model": row.model,
            "reference": row.reference,
            "role": row.role,
            "by": row.by,
            "part": row.part,
            "tokens": row.tokens,
            "prompts": row.prompts,
            **columns("unshifted", row.unshifted),
            **columns("marginal", row.marginal),
            **columns("shifted", row.shifted),
            **columns("floor", row.floor),
            **columns("beyond_floor", row.beyond_floor),
            **columns("first_choices_unshifted", row.choice_unshifted),
            **columns("first_choices_shifted", row.choice_shifted),
            "divergence": row.divergence,
            "divergence_low": row.divergence_low,
            "divergence_high": row.divergence_high,
            "probability": row.probability,
            "own_probability": row.own_probability,
        }
        for row in found.summaries
    ]


def token_rows(found: Shift) -> list[Row]:
    """One row a model, reference and token; the most shifted first."""
    return [_token_row(token) for token in found.tokens if token.role == "base"]


def _token_row(token: ShiftedToken) -> Row:
    return {
        "model": token.model,
        "reference": token.reference,
        "token": token.text,
        "classes": ", ".join(token.classes),
        "times": token.times,
        "shifted": token.shifted,
        "shifted_by_sampling": token.floor,
        "divergence": token.divergence,
        "first_choice_of_reference": token.instead,
    }


def draw(data: Shift, path: Path, *, miniature: bool) -> None:
    by_position = [row for row in data.summaries if row.by == "position"]
    pairs = list(dict.fromkeys((row.model, row.reference) for row in by_position))
    height = 2.8 + 0.19 * max(2, len(pairs))
    with drawing(path, width=7.2, height=height, miniature=miniature) as figure:
        axes = figure.subplots()
        if not by_position:
            empty(axes, "no tokens were looked up")
            return
        parts = sorted({row.part for row in by_position}, key=_first_position)
        colours = arm_colours(row.model for row in by_position if row.role != "itself")
        for number, (model, reference) in enumerate(pairs):
            its = [r for r in by_position if (r.model, r.reference) == (model, reference)]
            aside = 0.05 * (number - (len(pairs) - 1) / 2)
            _line(axes, its, parts, aside, colours.get(model, GREY))
        axes.set_xticks(range(len(parts)), parts)
        axes.set_xlabel("position in the response, in tokens")
        axes.set_ylabel("shifted (rank above 3)")
        axes.set_ylim(-0.02, 1.02)
        axes.axhline(0, color=GREY, lw=0.5)
        axes.yaxis.set_major_formatter("{x:.0%}")
        axes.grid(axis="y", color="#eeeeee")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left")


def _line(
    axes: Any, its: Sequence[ShiftSummary], parts: Sequence[str], aside: float, colour: str
) -> None:
    intervals = [row.shifted for row in its]
    first = its[0]
    axes.errorbar(
        [parts.index(row.part) + aside for row in its],
        [interval.estimate for interval in intervals],
        yerr=error_bars(intervals),
        fmt="o",
        ls=LINES[first.role],
        markersize=3,
        color=colour,
        capsize=2,
        label=f"{first.model}, {REFERENCES[first.role]}"
        + (f" ({first.reference})" if first.role == "seed" else ""),
    )


def _first_position(part: str) -> int:
    return int(part.partition("–")[0])


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="Share of the tokens of a response that are shifted: of rank above 3 in a reference "
    "that reads the same tokens before them. Solid: in the base; dashed: in the same arm of "
    "another training seed; dotted: the base's own tokens in the base, which sampling alone "
    "shifts. Intervals over prompts.",
    category="Token shift",
    applies=applies,
)
TABLE = Table(inputs=inputs, read=read, rows=rows, applies=applies)
TOKENS = Table(inputs=inputs, read=read, rows=token_rows, applies=applies)
