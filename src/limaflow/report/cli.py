"""`limaflow report`: the HTML report."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.command()
def build(
    *,
    results: Annotated[Path, typer.Option(help="Folder of the experiment: results/<experiment>.")],
    config: Annotated[list[Path], typer.Option(help="config.yaml and overlays; repeat, in order.")],
    output: Annotated[Path, typer.Option(help="Writes this HTML file.")],
    effort: Annotated[
        Path | None,
        typer.Option(help="Writes this CSV of what arms took; .md, .tex beside."),
    ] = None,
    samples: Annotated[int, typer.Option(min=0, help="Test prompts shown with all answers.")] = 8,
    revision: Annotated[str, typer.Option(help="Revision of the code, to be shown.")] = "",
) -> None:
    """Build the report as one file that needs nothing else."""
    from limaflow.config.loading import parse
    from limaflow.config.merge_configs import merged
    from limaflow.jsonl import replacing
    from limaflow.report.effort import effort as effort_of
    from limaflow.report.effort import write_effort
    from limaflow.report.page import build as page
    from limaflow.results import Results

    parsed = parse(merged(config), origin=" + ".join(map(str, config)))
    text = page(
        results,
        parsed,
        samples=samples,
        revision=revision,
        effort_is_written=effort is not None,
    )
    with replacing(output) as file:
        file.write(text)
    if effort is not None:
        write_effort(effort_of(Results(results), parsed), effort)
    print(f"{output}: {len(text.encode()) / 1024:.0f} KiB")


@app.command()
def answer(
    results: Annotated[
        Path, typer.Argument(help="Folder of the experiment: results/<experiment>.")
    ],
) -> None:
    """The answer of the report's first page, and the table of all arms, as plain text."""
    from limaflow.config.loading import parse
    from limaflow.config.merge_configs import merged
    from limaflow.report.answer import answer_of
    from limaflow.report.answer_text import as_text
    from limaflow.results import Results

    place = Results(results)
    config = parse(merged([place.config]), origin=str(place.config))
    print(as_text(answer_of(place, config), miniature=config.miniature is not None))


@app.command()
def browse(
    *,
    results: Annotated[Path, typer.Option(help="Folder of the experiment: results/<experiment>.")],
    config: Annotated[list[Path], typer.Option(help="config.yaml and overlays; repeat, in order.")],
    prompts: Annotated[Path, typer.Option(help="JSONL of the test prompts.")],
    output: Annotated[Path, typer.Option(help="Writes this HTML file.")],
) -> None:
    """All test prompts, responses and verdicts as one page to search, filter and read."""
    from limaflow.config.loading import parse
    from limaflow.config.merge_configs import merged
    from limaflow.jsonl import read_records, replacing
    from limaflow.records import Example
    from limaflow.report.browser import page_of
    from limaflow.report.side_by_side import side_by_side

    parsed = parse(merged(config), origin=" + ".join(map(str, config)))
    shown = side_by_side(results, parsed, list(read_records(prompts, Example)))
    # The arm that the study is about is the view that the page opens with.
    arms = sorted((arm.name for arm in parsed.arms), key=lambda n: n != parsed.analysis.lima_arm)
    title = f"{'Miniature: ' if parsed.miniature else ''}{parsed.title}: responses"
    with replacing(output) as file:
        file.write(page_of(title, arms, shown))
    print(f"{output}: {len(shown)} rows, {output.stat().st_size / 1024:.0f} KiB")
