"""Summaries of grades by the kind of scale that their instrument has."""

from collections.abc import Iterable, Sequence

from limaflow.measures.summaries import GradeSummary


def are_numbers(words: Iterable[str]) -> bool:
    """Whether a scale counts (1, 2, 3), as opposed to one of words (excellent, pass, fail)."""
    return all(word.removeprefix("-").isdigit() for word in words)


def by_instrument(
    grades: Sequence[GradeSummary], *, numbers: bool
) -> dict[str, list[GradeSummary]]:
    """Instrument → its summaries, of the ordered scales of numbers or of the scales of words."""
    found: dict[str, list[GradeSummary]] = {}
    for grade in grades:
        counts = are_numbers(grade.words.values())
        if counts == numbers and (grade.ordered or not numbers):
            found.setdefault(grade.instrument or grade.scale, []).append(grade)
    return found
