"""Table 1: sources of the examples."""

from collections.abc import Sequence

from limaflow.analysis.artifacts import lines
from limaflow.analysis.artifacts.artifact import Artifact, Line, exact
from limaflow.analysis.exhibit import Files, Options
from limaflow.analysis.exhibits import sources
from limaflow.intervals import Interval

PANELS = {
    "examples": ("examples", "paper_examples"),
    "mean length of the prompt, tokens": ("mean_input_tokens", "paper_mean_input"),
    "mean length of the response, tokens": ("mean_output_tokens", "paper_mean_output"),
}


def read(files: Files, options: Options) -> list[Line]:
    """Counts and means of the whole data set, which are no estimates and have no interval."""
    rows = sources.read(files, options)
    return [
        Line(
            panel=panel,
            label=f"{row['split']}: {row['source'] or row['paper_source']}",
            ours=_number(row[ours]),
            basis="counted; tokens of the base model’s tokenizer" if row[ours] else "",
            paper=_number(row[theirs]),
            place=str(row["place"] or ""),
        )
        for panel, (ours, theirs) in PANELS.items()
        for row in rows
        if row[ours] is not None or row[theirs] is not None
    ]


def _number(value: object) -> Interval | None:
    return exact(float(value)) if isinstance(value, int | float) else None


TABLE_1: Artifact[Sequence[Line]] = Artifact(
    title="Table 1: sources of the examples",
    inputs=sources.inputs,
    read=read,
    rows=lines.rows,
    printed=lines.printed,
    draw=lines.draw,
)
