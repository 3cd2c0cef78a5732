"""Responses kept beside a job's output as they come.

A kill loses none, and a repeated job makes none again: Snakemake deletes the output before it
repeats a job, and not these.

The name of the file holds a hash of all that its responses depend on: those of another model,
prompt file or decoding are never taken for these.
"""

import os
from collections.abc import Collection
from pathlib import Path

from limaflow.errors import InputError
from limaflow.jsonl import line_of, read_records
from limaflow.records import Response

Key = tuple[str, int]
"""Prompt id and sample number."""


class KeptResponses:
    """Responses so far, in a file of their own; a line that a kill has torn is cut off."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        whole = path.read_bytes().rfind(b"\n") + 1
        os.truncate(path, whole)
        self.done: dict[Key, Response] = {
            (r.prompt_id, r.sample): r for r in read_records(path, Response)
        }
        self._file = path.open("a", encoding="utf-8", newline="\n")

    def add(self, response: Response) -> None:
        """Keep a response, at once."""
        self._file.write(line_of(response) + "\n")
        self._file.flush()
        self.done[response.prompt_id, response.sample] = response

    def sorted(self, wanted: Collection[Key]) -> list[Response]:
        """The wanted responses by prompt and sample, when all are there."""
        self._file.close()
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
