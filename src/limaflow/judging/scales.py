"""The scales of absolute grades: the words that a reply ends with, and the value of each."""

from collections.abc import Mapping

from limaflow.judging.settings import Grading
from limaflow.records import Scale

SCALES: dict[Grading, Scale] = {
    "likert": "likert-6",
    "quality": "excellent-pass-fail",
    "safety": "safe-unsafe",
}
ORDERED = {"likert-6", "excellent-pass-fail"}
"""Scales whose levels are more or less of one thing."""
LEVELS: dict[Grading, Mapping[str, int]] = {
    "likert": {str(level): level for level in range(1, 7)},
    "quality": {"excellent": 3, "pass": 2, "fail": 1},
    "safety": {"safe": 1, "unsafe": 0},
}
_WORDS: dict[str, dict[int, str]] = {
    SCALES[name]: {value: word for word, value in levels.items()} for name, levels in LEVELS.items()
}


def word(scale: str, value: int) -> str:
    """What a value of a scale is called: `excellent`, `safe`, `4`."""
    return _WORDS.get(scale, {}).get(value, str(value))


def values_of(scale: str) -> list[int] | None:
    """All values of a scale, lowest first; None of a scale that is not ours."""
    return sorted(_WORDS[scale]) if scale in _WORDS else None
