"""Grades and verdicts of the prompts that share a tag, each label for itself.

The numbers are those of the whole, by the same rules, on fewer prompts.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from limaflow.errors import InputError
from limaflow.intervals import Interval, Resampling
from limaflow.judging.instrument import Instrument
from limaflow.measures.grade_means import grade_summaries
from limaflow.measures.preferences import preferences
from limaflow.measures.summaries import Merge
from limaflow.records import Example, Grade, Judgment, Verdict
from limaflow.tags import labels

Given = TypeVar("Given", bound=Judgment)


@dataclass(frozen=True, kw_only=True)
class TaggedNumber:
    """A mean grade, or the share of wins and half the ties, of an arm on the prompts of a label."""

    label: str
    arm: str
    against: str = ""
    """The other arm of a comparison; "" of grades."""
    judge: str
    instrument: str = ""
    """Of grades; "" of verdicts."""
    prompts: int
    judged: int
    """Prompts with a readable judgment."""
    number: Interval


def by_tag(
    prompts: Iterable[Example],
    names: Sequence[str],
    *,
    grades: Sequence[Grade],
    verdicts: Sequence[tuple[str, Sequence[Verdict]]],
    instruments: Mapping[str, Instrument],
    rule: Merge,
    resampling: Resampling,
) -> list[TaggedNumber]:
    """The numbers of every label of the tags `names`, by label.

    Args:
        verdicts: of each comparison, with its name.

    Raises:
        InputError: no prompt has one of the tags, or as `grade_summaries`.
    """
    tagged: dict[str, set[str]] = defaultdict(set)
    for prompt in prompts:
        for label in labels(prompt.tags):
            if label.partition(": ")[0] in names:
                tagged[label].add(prompt.id)
    if not tagged:
        raise InputError(
            f"no prompt has one of the tags {', '.join(names)}", fix="analysis.by_tag names them"
        )
    found: list[TaggedNumber] = []
    for label, ids in sorted(tagged.items()):
        found += _graded(label, ids, _of(ids, grades), instruments, resampling)
        for comparison, given in verdicts:
            found += _compared(
                label, ids, comparison, _of(ids, given), rule=rule, resampling=resampling
            )
    return found


def _of(ids: set[str], judgments: Iterable[Given]) -> list[Given]:
    return [judgment for judgment in judgments if judgment.prompt_id in ids]


def _graded(
    label: str,
    ids: set[str],
    grades: Sequence[Grade],
    instruments: Mapping[str, Instrument],
    resampling: Resampling,
) -> Iterator[TaggedNumber]:
    readable = {(g.model, g.annotator, g.instrument) for g in grades if g.value is not None}
    shown = [g for g in grades if (g.model, g.annotator, g.instrument) in readable]
    for summary in grade_summaries(shown, instruments, resampling):
        yield TaggedNumber(
            label=label,
            arm=summary.model,
            judge=summary.judge,
            instrument=summary.instrument,
            prompts=len(ids),
            judged=summary.prompts,
            number=summary.mean,
        )


def _compared(
    label: str,
    ids: set[str],
    comparison: str,
    verdicts: Sequence[Verdict],
    *,
    rule: Merge,
    resampling: Resampling,
) -> Iterator[TaggedNumber]:
    judges = {v.annotator for v in verdicts if v.error is None}
    shown = [v for v in verdicts if v.annotator in judges]
    for found in preferences(shown, rule=rule, resampling=resampling, comparison=comparison):
        yield TaggedNumber(
            label=label,
            arm=found.first,
            against=found.second,
            judge=found.judge,
            prompts=len(ids),
            judged=found.prompts,
            number=found.adjusted_win,
        )
