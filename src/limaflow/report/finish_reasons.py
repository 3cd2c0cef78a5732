"""How each arm's responses were made and how they ended."""

from dataclasses import dataclass

from limaflow.config.experiment import Config
from limaflow.jsonl import read_records
from limaflow.records import Response
from limaflow.results import Results


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The responses of one arm to the test prompts; `cut` is the share that hit the limit."""

    arm: str
    responses: int
    mean_tokens: float
    cut: float
    engine: str
    reproducible: bool
    penalized: str


def endings(results: Results, config: Config) -> list[Ending]:
    """One row for each arm whose responses are there."""
    found = []
    for arm in config.arms:
        path = results.responses("test", arm.name)
        rows = list(read_records(path, Response)) if path.is_file() else []
        if not rows:
            continue
        decoding = rows[0].decoding
        penalty, over = decoding.get("repetition_penalty"), decoding.get("penalized", "text")
        found.append(
            Ending(
                arm=arm.name,
                responses=len(rows),
                mean_tokens=sum(row.tokens for row in rows) / len(rows),
                cut=sum(row.finish_reason == "length" for row in rows) / len(rows),
                engine=str(decoding.get("engine", "unknown")),
                reproducible=bool(decoding.get("reproducible")),
                penalized=f"{penalty:g} over the {over}"
                if isinstance(penalty, int | float)
                else "none",
            )
        )
    return found
