"""`limaflow source`: fetch raw dumps, read candidates from them."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.command()
def fetch(
    url: Annotated[str, typer.Option(help="http(s) or file URL, or a local path.")],
    output: Annotated[Path, typer.Option(help="Final name of the raw file.")],
    sha256: Annotated[str | None, typer.Option(help="Checksum that the file must have.")] = None,
    mirror: Annotated[
        list[str] | None, typer.Option(help="Another address of the same file, tried in turn.")
    ] = None,
    token_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the token of a gated URL.")
    ] = None,
) -> None:
    """Fetch one raw file and verify it; an interrupted download goes on."""
    from limaflow.sources.fetching import fetch as fetch_file
    from limaflow.sources.fetching import pin_of

    is_first = sha256 is None and not pin_of(output).is_file()
    found = fetch_file(url, output, sha256, mirrors=mirror or (), token_env=token_env)
    print(f"{found}  {output}")
    if is_first:
        print(
            f"pinned by its first fetch ({pin_of(output)}); for the same file everywhere, write "
            f"sha256: {found} beside its url in the configuration"
        )


@app.command()
def extract(
    raw: Annotated[list[Path], typer.Argument(help="Raw files of the shard.")],
    *,
    kind: Annotated[str, typer.Option(help="Kind of the source; see config.yaml.")],
    source: Annotated[str, typer.Option(help="Name of the source.")],
    shard: Annotated[str, typer.Option(help="Name of the shard; a site's name for dumps.")],
    output: Annotated[Path, typer.Option(help="Candidates, JSON lines.")],
    counts: Annotated[
        Path | None, typer.Option(help="Writes what became of the shard's rows, JSON.")
    ] = None,
    options: Annotated[
        str, typer.Option(help="JSON of the kind's options, as a source has them in config.yaml.")
    ] = "{}",
    processes: Annotated[
        int,
        typer.Option(
            min=1, help="Processes that read, where the kind can share a file; same output."
        ),
    ] = 1,
) -> None:
    """Read the candidates of one shard."""
    from collections import Counter

    from limaflow.jsonl import write_json
    from limaflow.mistakes import parse_block
    from limaflow.records import Extracted
    from limaflow.sources.extraction import extract as extract_to
    from limaflow.sources.extraction import reader_of
    from limaflow.sources.shard import Shard

    output.parent.mkdir(parents=True, exist_ok=True)
    passed_over: Counter[str] = Counter()
    read = Shard(
        kind=kind,
        source=source,
        name=shard,
        files=tuple(raw),
        scratch=output.parent,
        options=parse_block(reader_of(kind).options, options, "--options"),
    )
    count = extract_to(read, output, passed_over, processes)
    reasons = "".join(f"; {n} {reason}" for reason, n in sorted(passed_over.items()))
    if counts:
        found = {reason: n for reason, n in sorted(passed_over.items()) if n}
        write_json(
            counts, Extracted(source=source, shard=shard, candidates=count, passed_over=found)
        )
    print(f"{source}/{shard}: {count} candidates{reasons}")


@app.command()
def text(
    candidates: Annotated[list[Path], typer.Argument(help="Candidates, JSON lines.")],
    *,
    output: Annotated[Path, typer.Option(help='Documents, JSON lines of {"text": …}.')],
) -> None:
    """Write the plain text of candidates, to pretrain a stand-in on."""
    from limaflow.jsonl import write_records
    from limaflow.sources.plain_text import documents

    print(f"{output}: {write_records(output, documents(candidates))} documents")
