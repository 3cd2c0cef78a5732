"""`limaflow judge import` and `import-grades`: what was judged elsewhere, as our records."""

from pathlib import Path
from typing import Annotated

import typer

Output = Annotated[Path, typer.Option(help="Writes our records, as JSON lines.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", help="OURS=THEIRS: what the file calls one of our columns; repeat."),
]
Values = Annotated[
    list[str] | None,
    typer.Option("--value", help="OURS=TEXT: what one of our columns holds in every row; repeat."),
]
Rows = Annotated[
    str, typer.Option(help="Where a JSON document holds its rows: NAME, or NAME.NAME within it.")
]


def import_verdicts(
    files: Annotated[
        list[Path], typer.Argument(help="Verdicts: JSON lines, .json, .csv, .tsv or .parquet.")
    ],
    *,
    output: Output,
    prompts: Annotated[
        Path | None, typer.Option(help="See that the verdicts are on these prompts (JSONL).")
    ] = None,
    first: Annotated[str, typer.Option(help="… and compare this model …")] = "",
    second: Annotated[str, typer.Option(help="… with this one.")] = "",
    column: Columns = None,
    value: Values = None,
    word: Annotated[
        list[str] | None,
        typer.Option(help="THEIRS=OURS: what it calls first, second, tie; repeat."),
    ] = None,
    rows: Rows = "",
    repeats: Annotated[
        bool,
        typer.Option(
            "--repeats", help="Take what stands twice as a further reading; else it is refused."
        ),
    ] = False,
    layout: Annotated[
        list[str] | None,
        typer.Option(
            help="columns, words, values, rows and repeats of one file as JSON (config: "
            "comparisons[].verdicts), in place of these options; one for each file, in order."
        ),
    ] = None,
) -> None:
    """Take in verdicts that were made elsewhere, in whatever columns and words; check them."""
    from limaflow.errors import InputError
    from limaflow.jsonl import read_records, write_records
    from limaflow.judging.settings import VerdictLayout
    from limaflow.mistakes import parse_block
    from limaflow.records import Example, Verdict
    from limaflow.verdict_import.checks import check_comparison, checked
    from limaflow.verdict_import.column_mapping import configured, layout_of
    from limaflow.verdict_import.tables import read_verdicts

    if len({bool(prompts), bool(first), bool(second)}) > 1:
        raise InputError("--prompts, --first and --second are given together or not at all")
    if layout and (column or value or word or rows or repeats):
        raise InputError("--layout says all of --column, --value, --word, --rows and --repeats")
    if layout and len(layout) != len(files):
        raise InputError(f"there are {len(files)} files and {len(layout)} times --layout")
    layouts = [configured(parse_block(VerdictLayout, text, "--layout")) for text in layout or ()]
    layouts = layouts or [layout_of(column, value, word, rows, repeats=repeats)] * len(files)
    asked = list(read_records(prompts, Example)) if prompts else []
    verdicts: list[Verdict] = []
    for file, described in zip(files, layouts, strict=True):
        made = read_verdicts(file, described)
        verdicts += made
        try:
            checked(made)
            if prompts:
                check_comparison(made, asked, first, second)
        except InputError as error:
            raise InputError(str(error), path=file) from None
    try:
        verdicts = checked(verdicts)
    except InputError as error:
        raise InputError(str(error), path=", ".join(map(str, files))) from None
    write_records(output, verdicts)
    judged = len({verdict.prompt_id for verdict in verdicts})
    failed = sum(verdict.choice is None for verdict in verdicts)
    print(
        f"{len(verdicts)} verdicts on {judged}{f' of {len(asked)}' if prompts else ''} prompts"
        + (f"; {failed} of them failed" if failed else "")
    )


def import_grades(
    file: Annotated[Path, typer.Argument(help="Grades: JSON lines, .json, .csv, .tsv, .parquet.")],
    *,
    output: Output,
    column: Columns = None,
    value: Values = None,
    word: Annotated[
        list[str] | None,
        typer.Option(help="THEIRS=OURS: a word of the file and its value; repeat."),
    ] = None,
    rows: Rows = "",
    instrument: Annotated[
        list[str] | None,
        typer.Option(help="File of an instrument that is not the package's; repeat."),
    ] = None,
) -> None:
    """Take in grades that were given elsewhere, on a scale of ours or any other; check them."""
    from limaflow.jsonl import write_records
    from limaflow.judging.instrument import known
    from limaflow.verdict_import.column_mapping import layout_of
    from limaflow.verdict_import.grade_tables import read_grades

    layout = layout_of(column, value, word, rows)
    grades = read_grades(file, layout, known(instrument or ()))
    write_records(output, grades)
    failed = sum(grade.value is None for grade in grades)
    judged = len({grade.prompt_id for grade in grades})
    said = f"{len(grades)} grades on {judged} prompts"
    print(said + (f"; {failed} of them failed" if failed else ""))
