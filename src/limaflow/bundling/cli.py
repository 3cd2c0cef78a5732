"""`limaflow bundle` and `limaflow verify`: a study for others, and what they check of it."""

from pathlib import Path
from typing import Annotated

import typer


def bundle(
    results: Annotated[Path, typer.Argument(help="Folder of the experiment: results/NAME.")],
    *,
    output: Annotated[Path, typer.Option(help="Writes this ZIP.")],
    with_texts: Annotated[
        bool, typer.Option("--with-texts", help="Texts of gated sources and of Reddit enter too.")
    ] = False,
) -> None:
    """Pack a finished study so that others can verify it."""
    from limaflow.bundling.pack import pack

    packed = pack(results.resolve(), output, with_texts=with_texts)
    size = output.stat().st_size / 2**20
    print(f"{output}: {packed.files} files, {size:.1f} MiB; {packed.by_hash} more by hash alone")
    for name, rows in packed.changed.items():
        print(f"{name}: the texts of {rows} rows are withheld")
    print(f"sums {packed.sums}")


def verify(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The ZIP, or its folder.")],
    *,
    hashes_only: Annotated[
        bool, typer.Option("--hashes-only", help="Compare hashes; make no number again.")
    ] = False,
) -> None:
    """Compare every file of a bundle with its hash, and make every number again, offline."""
    from limaflow.bundling.verdict import told
    from limaflow.bundling.verify import verify as verified
    from limaflow.errors import InputError

    # The commands of the graph are those of the program that this one belongs to.
    program = context.find_root().command

    def run(words: list[str]) -> None:
        program.main(args=words, prog_name="limaflow", standalone_mode=False)

    found = verified(path, None if hashes_only else run)
    print("\n".join(told(found)))
    if not found.sound:
        raise InputError("this bundle is not what it says it is", path=path)
