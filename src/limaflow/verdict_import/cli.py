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
Names = Annotated[
    list[str] | None,
    typer.Option(
        "--name", help="OURS=THEIRS: what the file calls a model; others are passed over."
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", help="COLUMN=TEXT: only rows that hold it are read; repeat."),
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
    name: Names = None,
    where: Where = None,
    layout: Annotated[
        list[str] | None,
        typer.Option(
            help="All of these options for one file as JSON (config: "
            "comparisons[].verdicts), in place of these options; one for each file, in order."
        ),
    ] = None,
) -> None:
    """Take in verdicts that were made elsewhere, in whatever columns and words; check them."""
    from limaflow.errors import InputError
    from limaflow.generation.prompts import finder
    from limaflow.jsonl import read_records, write_records
    from limaflow.judging.settings import VerdictLayout
    from limaflow.mistakes import parse_block
    from limaflow.records import Example, Verdict
    from limaflow.verdict_import.checks import check_comparison, checked, named_alone
    from limaflow.verdict_import.column_mapping import configured, layout_of
    from limaflow.verdict_import.tables import read_verdicts

    if len({bool(prompts), bool(first), bool(second)}) > 1:
        raise InputError("--prompts, --first and --second are given together or not at all")
    if layout and (column or value or word or rows or repeats or name or where):
        raise InputError(
            "--layout says all of --column, --value, --word, --name, --where and the like"
        )
    if layout and len(layout) != len(files):
        raise InputError(f"there are {len(files)} files and {len(layout)} times --layout")
    layouts = [configured(parse_block(VerdictLayout, text, "--layout")) for text in layout or ()]
    layouts = layouts or [
        layout_of(column, value, word, rows, repeats=repeats, names=name, where=where)
    ] * len(files)
    asked = list(read_records(prompts, Example)) if prompts else []
    find = finder(asked) if prompts else None
    verdicts: list[Verdict] = []
    for file, described in zip(files, layouts, strict=True):
        made = named_alone(read_verdicts(file, described, find), described, first, second, file)
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
    files: Annotated[
        list[Path], typer.Argument(help="Grades: JSON lines, .json, .csv, .tsv, .parquet.")
    ],
    *,
    output: Output,
    column: Columns = None,
    value: Values = None,
    word: Annotated[
        list[str] | None,
        typer.Option(help="THEIRS=OURS: a word of the file and its value; repeat."),
    ] = None,
    rows: Rows = "",
    name: Names = None,
    where: Where = None,
    prompts: Annotated[
        Path | None, typer.Option(help="See that the grades are on these prompts (JSONL).")
    ] = None,
    model: Annotated[str, typer.Option(help="Take the grades of this model alone.")] = "",
    layout: Annotated[
        list[str] | None,
        typer.Option(help="All of these for one file as JSON; one for each file, in order."),
    ] = None,
    instrument: Annotated[
        list[str] | None,
        typer.Option(help="File of an instrument that is not the package's; repeat."),
    ] = None,
) -> None:
    """Take in grades that were given elsewhere, on a scale of ours or any other; check them."""
    from limaflow.errors import InputError, listed
    from limaflow.generation.prompts import finder
    from limaflow.jsonl import read_records, write_records
    from limaflow.judging.instrument import known
    from limaflow.judging.settings import VerdictLayout
    from limaflow.mistakes import parse_block
    from limaflow.records import Example
    from limaflow.verdict_import.column_mapping import configured, layout_of
    from limaflow.verdict_import.grade_tables import read_grades

    if layout and (column or value or word or rows or name or where):
        raise InputError(
            "--layout says all of --column, --value, --word, --name, --where and the like"
        )
    if layout and len(layout) != len(files):
        raise InputError(f"there are {len(files)} files and {len(layout)} times --layout")
    layouts = [configured(parse_block(VerdictLayout, text, "--layout")) for text in layout or ()]
    layouts = layouts or [layout_of(column, value, word, rows, names=name, where=where)] * len(
        files
    )
    find = finder(read_records(prompts, Example)) if prompts else None
    instruments = known(instrument or ())
    grades = []
    for file, described in zip(files, layouts, strict=True):
        read = read_grades(file, described, instruments, find)
        of_models = [grade for grade in read if not model or grade.model == model]
        if not of_models:
            raise InputError(
                f"grades nothing of '{model}', but of {listed({g.model: 0 for g in read})}",
                path=file,
                fix="`names: {OURS: THEIRS}` says what the file calls it",
            )
        grades += of_models
    write_records(output, grades, key=lambda g: (g.model, g.prompt_id, g.sample, g.annotator))
    failed = sum(grade.value is None for grade in grades)
    judged = len({grade.prompt_id for grade in grades})
    said = f"{len(grades)} grades on {judged} prompts"
    print(said + (f"; {failed} of them failed" if failed else ""))
