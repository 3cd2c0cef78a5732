"""Grades as means with intervals, and the share of each level.

The unit is the prompt: samples of one prompt are averaged within it before anything is resampled.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from limaflow.errors import InputError, shortened
from limaflow.intervals import Interval, Resampling
from limaflow.judging.instrument import Instrument, numbered_scale
from limaflow.measures.summaries import GradeSummary
from limaflow.measures.training_seeds import mean_over_seeds
from limaflow.records import Grade

Values = dict[str, list[int]]
"""Prompt → the grades that its responses were given."""


def grade_summaries(
    grades: Sequence[Grade],
    instruments: Mapping[str, Instrument],
    resampling: Resampling,
    again: Mapping[str, str] | None = None,
) -> list[GradeSummary]:
    """One summary for each model, judge and instrument.

    Args:
        again: arm → the arm that it is once more, trained with another seed, and has no summary of
            its own. From five seeds on, mean and shares are over all seeds, and their intervals
            hold both prompts and seeds; counts and errors stay those of the first.

    Raises:
        InputError: a model has no readable grade, or as `instrument_of`.
    """
    groups: dict[tuple[str, str, str, str], list[Grade]] = defaultdict(list)
    for grade in grades:
        groups[grade.model, grade.annotator, grade.scale, grade.instrument].append(grade)
    further: dict[tuple[str, str, str, str], list[Values]] = defaultdict(list)
    for (model, *by), group in sorted(groups.items()):
        if again and model in again:
            further[again[model], by[0], by[1], by[2]].append(_by_prompt(group))
    return [
        _summary(group, further[key], instrument_of(group[0], instruments), resampling)
        for key, group in sorted(groups.items())
        if not (again and key[0] in again)
    ]


def instrument_of(grade: Grade, instruments: Mapping[str, Instrument]) -> Instrument:
    """The instrument that a grade was given by, or its mere numbers on a scale as `1-to-7`.

    Raises:
        InputError: it is none of these, or has another scale now.
    """
    found = instruments.get(grade.instrument) or numbered_scale(grade.instrument, grade.scale)
    if found is None:
        raise InputError(
            f"there are grades by the instrument '{grade.instrument}', whose file is not given",
            fix="--instrument FILE names it",
        )
    if found.head.scale != grade.scale:
        raise InputError(
            f"there are grades by '{grade.instrument}' on the scale {grade.scale}, and the scale "
            f"of that instrument is {found.head.scale}",
            fix="--instrument FILE names the text that was used",
        )
    return found


def _by_prompt(grades: Sequence[Grade]) -> Values:
    values: Values = defaultdict(list)
    for grade in grades:
        if grade.value is not None:
            values[grade.prompt_id].append(grade.value)
    return values


def _summary(
    grades: Sequence[Grade],
    further: Sequence[Values],
    instrument: Instrument,
    resampling: Resampling,
) -> GradeSummary:
    model, judge, scale = grades[0].model, grades[0].annotator, grades[0].scale
    values = _by_prompt(grades)
    if not values:
        raise InputError(f"'{shortened(model)}' has no readable grade of '{shortened(judge)}'")
    counts = Counter(value for of_prompt in values.values() for value in of_prompt)
    words = {value: word for word, value in instrument.head.words.items()}
    levels = sorted(words)
    drawn = resampling.seeded(judge, model, scale)

    def mean(of: Callable[[list[int]], float], least: float, most: float) -> Interval:
        seeds = [{prompt: of(v) for prompt, v in seed.items()} for seed in (values, *further)]
        return mean_over_seeds(seeds, least, most, drawn)

    def share(level: int) -> Interval:
        return mean(lambda of_prompt: of_prompt.count(level) / len(of_prompt), 0, 1)

    return GradeSummary(
        model=model,
        judge=judge,
        instrument=instrument.name,
        title=instrument.head.title,
        scale=scale,
        ordered=instrument.head.ordered,
        words={str(level): words[level] for level in levels},
        prompts=len(values),
        errors=sum(grade.value is None for grade in grades),
        mean=mean(lambda of_prompt: float(np.mean(of_prompt)), levels[0], levels[-1]),
        counts={str(level): counts[level] for level in levels},
        shares={str(level): share(level) for level in levels},
    )
