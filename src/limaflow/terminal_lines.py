"""What Snakemake shows of a run in the terminal: shorter lines, and how much of the time is over.

The log in `.snakemake/log`, the jobs' own logs and `snakemake -np` hold every command whole, and so
does the terminal where a job fails.
"""

import logging
import re
from collections import Counter
from collections.abc import Mapping

LONGEST = 200
"""Characters of a line."""
SHOWN_END = 60
BLOCK = re.compile(r"'[\[{][^']{30,}[\]}]'")
"""A block of parameters on a command line."""
SECONDS: Mapping[str, int] = {
    "pretrain_stand_in": 88,
    "fine_tune": 40,
    "prefer": 40,
    "lm_eval": 17,
    "respond_dev": 15,
    "respond": 8,
}
"""Of a job in the miniature, on two cores; others take about `OTHERS`."""
OTHERS = 3


class TerminalLines(logging.Formatter):
    """Snakemake's own formatter, its lines shortened and its progress weighted by time."""

    def __init__(self, inner: logging.Formatter, jobs: Mapping[int, str]) -> None:
        """Args:
        inner: what writes the lines in full.
        jobs: those that are to run, id → rule.
        """
        super().__init__()
        self.inner = inner
        self.jobs = dict(jobs)
        self.finished = set[int]()

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record."""
        text = self.inner.format(record)
        if record.levelno >= logging.WARNING:
            return text
        event = str(getattr(record, "event", ""))
        if "job_finished" in event.lower():
            self.finished.add(int(getattr(record, "job_id", -1)))
        if "progress" in event.lower() and self.jobs:
            text += f", about {self.share():.0%} of the time"
        return "\n".join(map(shortened_line, text.split("\n")))

    def share(self) -> float:
        """The part of all jobs' time that is over, by what jobs of their kind take."""
        over = sum(_seconds(rule) for job, rule in self.jobs.items() if job in self.finished)
        return over / sum(map(_seconds, self.jobs.values()))


def shortened_line(line: str) -> str:
    """A line without its blocks of parameters, and without its middle where it is still long."""
    if len(line) <= LONGEST:
        return line
    line = BLOCK.sub("'…'", line)
    if len(line) <= LONGEST:
        return line
    return f"{line[: LONGEST - SHOWN_END]} … {line[-SHOWN_END:]}"


def longest_first(jobs: Mapping[int, str]) -> str:
    """What most of the time goes to, as a line: the rules of over a tenth of it.

    "" where no job is known to take long.
    """
    if not set(jobs.values()) & SECONDS.keys():
        return ""
    seconds: Counter[str] = Counter()
    for rule in jobs.values():
        seconds[rule] += _seconds(rule)
    total = seconds.total()
    named = [
        f"{rule} {time / total:.0%}" for rule, time in seconds.most_common() if time > total / 10
    ]
    return ", ".join(named)


def _seconds(rule: str) -> int:
    return SECONDS.get(rule, OTHERS)
