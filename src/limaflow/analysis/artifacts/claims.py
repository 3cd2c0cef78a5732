"""The claims of the paper, of its critics and of the user, with what became of each."""

from collections.abc import Sequence
from pathlib import Path

from limaflow.analysis import claims_table
from limaflow.analysis.artifacts import passages
from limaflow.analysis.artifacts.artifact import Artifact, Passage
from limaflow.analysis.claims import Claim, Claims
from limaflow.analysis.exhibit import Files, Options
from limaflow.analysis.study import Study
from limaflow.jsonl import read_json

PRINTED = ("id", "claim", "verdict", "measured", "literature", "published values")


def inputs(study: Study) -> Files:
    return {"claims": [study.results.analysis("claims")]}


def read(files: Files, options: Options) -> list[Claim]:
    return read_json(files["claims"][0], Claims).claims


def rows(found: Sequence[Claim]) -> list[dict[str, object]]:
    return [dict(row) for row in claims_table.rows(found)]


def printed(found: Sequence[Claim]) -> list[dict[str, str]]:
    return [
        {name: row[name] for name in PRINTED} | {"measured": row["measured"] or row["reason"]}
        for row in claims_table.rows(found)
    ]


def draw(data: Sequence[Claim], path: Path, *, miniature: bool) -> None:
    """Those that were tested; the tables have all."""
    tested = [claim for claim in data if claim.verdict != "not tested here"]
    texts = [
        Passage(
            label=f"{claim.id}: {claim.verdict}",
            ours="\n".join([claim.statement, row["measured"]]),
            paper=claim.paper,
            place=claim.source,
        )
        for claim, row in zip(tested, claims_table.rows(tested), strict=True)
    ]
    passages.draw(texts, path, miniature=miniature)


CLAIMS = Artifact(
    title="The claims",
    inputs=inputs,
    read=read,
    rows=rows,
    printed=printed,
    draw=draw,
)
