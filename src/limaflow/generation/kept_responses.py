"""Responses kept beside a job's output as they come.

A kill loses none, and a repeated job makes none again: Snakemake deletes the output before it
repeats a job, and not these.

The name of the file holds a hash of all that its responses depend on: those of another model,
prompt file or decoding are never taken for these.
"""

from collections.abc import Collection
from pathlib import Path

from limaflow.errors import InputError
from limaflow.generation.kept_lines import KeptLines
from limaflow.records import Response

Key = tuple[str, int]
"""Prompt id and sample number."""


class KeptResponses:
    """Responses so far by prompt and sample, in a file of their own."""

    def __init__(self, path: Path) -> None:
        self._lines = KeptLines(path, Response)
        self.done: dict[Key, Response] = {(r.prompt_id, r.sample): r for r in self._lines.records}

    def add(self, response: Response) -> None:
        """Keep a response, at once."""
        self._lines.add([response])
        self.done[response.prompt_id, response.sample] = response

    def sorted(self, wanted: Collection[Key]) -> list[Response]:
        """The wanted responses by prompt and sample, when all are there."""
        self._lines.close()
        return [self.done[key] for key in sorted(wanted)]


def beside(output: Path, identity: str) -> Path:
    """The hidden file beside an output, which outlives the output when a job is repeated."""
    return output.with_name(f".{output.name}.{identity}.kept")


def cut_share(responses: Collection[Response]) -> float:
    """The share of responses that were cut off by length."""
    return sum(r.finish_reason == "length" for r in responses) / max(len(responses), 1)


def check_lengths(responses: Collection[Response], most: float, path: Path) -> None:
    """Refuse responses of which more than a share of `most` were cut off by length.

    Raises:
        InputError: it is more; the responses stay where they are kept.
    """
    cut = cut_share(responses)
    if cut > most:
        raise InputError(
            f"{cut:.1%} of the responses were cut off by length, more than "
            f"generation.max_length_share {most} allows",
            path=path,
            fix="raise it, or generation.decoding.max_tokens; the responses are kept, and "
            "with a higher bound alone the same command ends at once",
        )
