"""`limaflow format`: whether responses have the forms that their prompts ask for."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.command()
def check(
    responses: Annotated[Path, typer.Argument(help="One arm's responses, JSON lines.")],
    *,
    prompts: Annotated[Path, typer.Option(help="The prompts, with their tag `format`.")],
    output: Annotated[Path, typer.Option(help="A record for each form of each response.")],
) -> None:
    """Check by rule, strictly and loosely; prompts that ask for no form are left out."""
    from collections import Counter

    from limaflow.format_checks.checking import checks_of
    from limaflow.jsonl import read_records, write_records
    from limaflow.records import Example, Response

    found = checks_of(list(read_records(prompts, Example)), list(read_records(responses, Response)))
    write_records(output, found)
    known = [check for check in found if check.error is None]
    strict, loose = sum(bool(c.strict) for c in known), sum(bool(c.loose) for c in known)
    print(f"{responses}: {strict} of {len(known)} forms kept, {loose} by the loose reading")
    for error, number in Counter(check.error for check in found if check.error).items():
        print(f"not checked: {number} forms: {error}")


@app.command()
def summarize(
    checks: Annotated[list[Path], typer.Argument(help="Records of checks, of one arm each.")],
    *,
    lima: Annotated[str, typer.Option(help="The arm that the others are held against.")],
    seed: Annotated[int, typer.Option(min=0, help="The experiment's seed.")],
    bootstrap: Annotated[int, typer.Option(min=1, help="Bootstrap rounds over prompts.")] = 2000,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.9999, help="Their level.")] = 0.95,
    output: Annotated[Path, typer.Option(help="Writes formats.json.")],
) -> None:
    """The share of prompts and of forms that each arm keeps, with intervals over prompts."""
    from limaflow.format_checks.summary import formats
    from limaflow.intervals import Resampling
    from limaflow.jsonl import read_records, write_json
    from limaflow.records import FormatCheck

    resampling = Resampling(rounds=bootstrap, confidence=confidence, seed=seed)
    files = [list(read_records(path, FormatCheck)) for path in checks]
    found = formats(files, lima, resampling)
    write_json(output, found)
    for row in found.shares:
        if row.rule:
            continue
        i = row.share
        left_out = f", {row.unchecked} not checked" if row.unchecked else ""
        print(
            f"{row.model}, {row.level}, {row.reading}: {i.estimate:.3f} [{i.low:.3f}, {i.high:.3f}]"
            f" of {row.checks} on {row.prompts} prompts{left_out}"
        )


@app.command()
def rules() -> None:
    """The forms that can be checked, with their arguments."""
    from limaflow.format_checks.catalogue import RULES

    print("| rule | arguments | a response |\n|---|---|---|")
    for name, rule in RULES.items():
        arguments = ", ".join(f"`{field}`" for field in rule.arguments.model_fields)
        print(f"| `{name}` | {arguments or '–'} | {rule.asks.replace('|', '&#124;')} |")
