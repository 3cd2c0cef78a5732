"""Verdicts that people or other programs made, checked before the statistics take them in."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from limaflow.errors import InputError
from limaflow.records import Example, Verdict


def checked(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """`verdicts` sorted by prompt, sample, model shown first, annotator and reading.

    Raises:
        InputError: one has both or neither of choice and error, or repeats another.
    """
    seen: set[tuple[str, int, str, str, str, int]] = set()
    for number, v in enumerate(verdicts, start=1):
        place = (v.prompt_id, v.sample, v.first, v.second, v.annotator, v.reading)
        if (v.choice is None) == (v.error is None):
            raise InputError(f"{_named(number, v)} must have either a choice or an error")
        if place in seen:
            raise InputError(
                f"{_named(number, v)} stands twice (same prompt, sample, order and annotator)",
                fix="--repeats takes it as a further reading",
            )
        seen.add(place)
    return sorted(
        verdicts, key=lambda v: (v.prompt_id, v.sample, v.first, v.annotator, v.reading, v.second)
    )


def check_comparison(
    verdicts: Sequence[Verdict], prompts: Sequence[Example], first: str, second: str
) -> None:
    """See that the verdicts are on these prompts and compare these two models.

    Raises:
        InputError: one does not.
    """
    known = {prompt.id for prompt in prompts}
    for number, v in enumerate(verdicts, start=1):
        problem = ""
        if {v.first, v.second} != {first, second}:
            problem = f"compares '{v.first}' and '{v.second}'"
        elif v.prompt_id not in known:
            problem = "is on a prompt that is not among the prompts"
        if problem:
            raise InputError(
                f"{_named(number, v)} {problem}",
                fix=f"this is the comparison of '{first}' and '{second}'",
            )


def numbered_readings(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts; what stands a second time, a third time, … is reading 1, 2, …"""
    times: Counter[tuple[str, str, int, str, str]] = Counter()
    numbered = []
    for v in verdicts:
        place = (v.annotator, v.prompt_id, v.sample, v.first, v.second)
        numbered.append(replace(v, reading=times[place]))
        times[place] += 1
    return numbered


def _named(number: int, verdict: Verdict) -> str:
    return f"verdict {number} (prompt {verdict.prompt_id})"
