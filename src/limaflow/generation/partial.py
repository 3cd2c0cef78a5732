"""Finished responses of an unfinished run, beside the output, so that a kill loses next to nothing.

Those that cost money stay when the run is finished: the workflow deletes an output that it repeats.

The file's name holds the identity of all that its responses depend on; responses of another model,
prompt file or decoding are never taken for these.
"""

import os
from collections.abc import Collection
from pathlib import Path

from limaflow.errors import InputError
from limaflow.jsonl import line_of, read_records, write_records
from limaflow.records import Response

Key = tuple[str, int]
"""Prompt id and sample number."""


class Partial:
    """Responses so far; a line that a kill has torn is cut off."""

    def __init__(self, output: Path, identity: str) -> None:
        self.output = output
        self.path = output.with_name(f".{output.name}.{identity}.partial")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        whole = self.path.read_bytes().rfind(b"\n") + 1
        os.truncate(self.path, whole)
        self.done: dict[Key, Response] = {
            (r.prompt_id, r.sample): r for r in read_records(self.path, Response)
        }
        self._file = self.path.open("a", encoding="utf-8", newline="\n")

    def add(self, response: Response) -> None:
        """Keep a response, at once."""
        self._file.write(line_of(response) + "\n")
        self._file.flush()
        self.done[response.prompt_id, response.sample] = response

    def publish(
        self, wanted: Collection[Key], *, max_length_share: float = 1.0, paid: bool = False
    ) -> float:
        """Write the output, sorted by prompt and sample, and return the share cut by length.

        Args:
            paid: the responses cost money, so they stay here for a second run.

        Raises:
            InputError: that share exceeds `max_length_share`; the responses so far are kept.
        """
        responses = [self.done[key] for key in sorted(wanted)]
        cut = sum(r.finish_reason == "length" for r in responses) / max(len(responses), 1)
        if cut > max_length_share:
            raise InputError(
                f"{cut:.1%} of the responses were cut off by length, more than "
                f"generation.max_length_share {max_length_share} allows",
                path=self.output,
                fix="raise it, or generation.decoding.max_tokens; the responses are kept, and "
                "with a higher bound alone the same command ends at once",
            )
        write_records(self.output, responses)
        self._file.close()
        if paid:
            return cut
        for old in self.output.parent.glob(f".{self.output.name}.*.partial"):
            old.unlink()
        return cut
