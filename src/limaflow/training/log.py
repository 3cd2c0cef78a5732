"""The log of a run: one row an optimizer step, as CSV and as TensorBoard events."""

import csv
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from limaflow.jsonl import replacing


@dataclass(frozen=True, kw_only=True)
class StepRow:
    """What one optimizer step did."""

    step: int
    """Counted from 1."""
    epoch: int
    loss: float
    """Mean over the step's trained tokens (or examples), the recipe's `loss_mean`."""
    learning_rate: float
    gradient_norm: float
    """Before clipping."""
    tokens_per_second: float
    """Tokens of the examples, padding not counted, of all ranks together."""
    memory: float
    """GiB at the highest so far on the first rank: of its GPU, else resident."""
    trained_token_share: float
    padding_share: float
    """Share of the positions computed that were padding."""


COLUMNS = [field.name for field in fields(StepRow)]


class StepLog:
    """log.csv, cut back to the steps that a resumed run has really done, and `events/` beside it.

    TensorBoard does the cutting there: a resumed run's file says from which step on older files no
    longer count.
    """

    def __init__(self, path: Path, done: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        kept = [row for row in _rows(path) if int(row["step"]) <= done]
        with replacing(path) as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(kept)
        self._file = path.open("a", encoding="utf-8", newline="", buffering=1)
        self._writer = csv.DictWriter(self._file, COLUMNS, lineterminator="\n")
        # torch leaves its writer untyped.
        events: Any = SummaryWriter
        self._events = events(str(path.with_name("events")), purge_step=done + 1)

    def add(self, row: StepRow) -> None:
        """Append a row, visible at once."""
        values = asdict(row)
        self._writer.writerow(values)
        for name in COLUMNS[1:]:
            self._events.add_scalar(name, values[name], row.step)
        self._events.flush()

    def add_epoch(self, step: int, dev_perplexity: float | None) -> None:
        """Note dev perplexity after the last step of an epoch."""
        if dev_perplexity is not None:
            self._events.add_scalar("dev_perplexity", dev_perplexity, step)

    def close(self) -> None:
        """Make the rows lasting."""
        self._events.close()
        os.fsync(self._file.fileno())
        self._file.close()


def _rows(path: Path) -> list[dict[str, str]]:
    """The whole rows of a log that a kill may have torn."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        whole = (line for line in file if line.endswith("\n"))
        return list(csv.DictReader(whole))
