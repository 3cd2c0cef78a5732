"""What the terminal shows of a run."""

import logging

from hypothesis import given
from hypothesis import strategies as st

from limaflow.terminal_lines import LONGEST, TerminalLines, longest_first, shortened_line


def record(text: str, level: int = logging.INFO, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("snakemake", level, "", 0, text, (), None)
    made.__dict__.update(fields)
    return made


@given(st.text(alphabet=st.characters(exclude_characters="\n"), max_size=3000))
def test_no_line_is_long_and_short_ones_stay(line: str) -> None:
    shown = shortened_line(line)
    assert len(shown) <= LONGEST + 3
    assert len(line) > LONGEST or shown == line


def test_blocks_of_parameters_go_first() -> None:
    block = "{" + '"key": 1, ' * 30 + "}"
    assert shortened_line(f"limaflow judge --judge '{block}' --output o") == (
        "limaflow judge --judge '…' --output o"
    )


def test_what_failed_is_shown_whole() -> None:
    text = "x" * 1000
    lines = TerminalLines(logging.Formatter(), {})
    assert lines.format(record(text, logging.ERROR)) == text
    assert len(lines.format(record(text))) < len(text)


def test_progress_is_by_time_and_not_by_jobs() -> None:
    lines = TerminalLines(logging.Formatter(), {1: "filter", 2: "pretrain_stand_in"})
    lines.format(record("Finished", event="job_finished", job_id=1))
    assert lines.format(record("1 of 2", event="progress")) == "1 of 2, about 3% of the time"
    lines.format(record("Finished", event="job_finished", job_id=2))
    assert lines.format(record("2 of 2", event="progress")).endswith("about 100% of the time")


def test_what_takes_longest_is_named_first() -> None:
    jobs = {1: "filter", 2: "pretrain_stand_in", 3: "fine_tune"}
    assert longest_first(jobs) == "pretrain_stand_in 67%, fine_tune 31%"
    assert longest_first({1: "filter"}) == ""
