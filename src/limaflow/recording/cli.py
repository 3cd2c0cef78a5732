"""`limaflow records`: what made each file, and whether it has changed since."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.command()
def verify(
    results: Annotated[Path, typer.Argument(help="Folder of an experiment: results/NAME.")],
    *,
    models: Annotated[bool, typer.Option(help="Hash weights too, by their checksums.")] = True,
) -> None:
    """Compare every file with the record of the job that made it; name all that differ."""
    from tqdm import tqdm

    from limaflow.errors import InputError, listed
    from limaflow.recording.verify import verify as verified

    with tqdm(unit="B", unit_scale=True, desc="hashing") as bar:

        def show(size: int, total: int) -> None:
            bar.total = total
            bar.update(size)

        found = verified(results, models=models, progress=show)
    folder = results.resolve()
    for path in found.accepted:
        print(f"{path}: changed by hand, and accepted")
    if found.unrecorded:
        names = listed(path.relative_to(folder) for path in found.unrecorded)
        print(f"no job on record made {len(found.unrecorded)} files: {names}")
    for path, reason in found.problems:
        print(f"{path}: {reason}")
    if found.problems:
        wrong = len({path for path, _ in found.problems})
        raise InputError(
            f"{wrong} files are not as they were made",
            path=results,
            fix="delete each and ask Snakemake for it: `snakemake … -- FILE`; where a change is "
            "meant, `limaflow records accept FILE`",
        )
    print(f"{found.files} files of {found.jobs} jobs are as they were made")
    print(f"records {found.digest}")


@app.command()
def accept(
    files: Annotated[list[Path], typer.Argument(help="Files that were changed on purpose.")],
) -> None:
    """Take changed files as they are now; their records say for good that they were changed."""
    from limaflow.recording.changes import accept as accepted

    for path in files:
        print(f"{path}: accepted in place of {accepted(path)[:16]}…")
