"""Verdicts that people or other programs made, checked before the statistics take them in."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from limaflow.errors import InputError, listed, shortened
from limaflow.records import Example, Verdict
from limaflow.verdict_import.column_mapping import Layout

Pair = tuple[str, str, str]
"""Prompt and two models in the order of their names."""
Answers = tuple[str | None, str | None]


def checked(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """`verdicts` sorted by prompt, sample, model shown first, annotator and reading.

    Raises:
        InputError: one has both or neither of choice and error, or repeats another; a sample has
            two answers of one model.
    """
    _check_answers(verdicts)
    seen: set[tuple[str, int, str, str, str, int]] = set()
    for number, v in enumerate(verdicts, start=1):
        place = (v.prompt_id, v.sample, v.first, v.second, v.annotator, v.reading)
        if (v.choice is None) == (v.error is None):
            raise InputError(f"{_named(number, v)} must have either a choice or an error")
        if place in seen:
            raise InputError(
                f"{_named(number, v)} stands twice (same prompt, sample, order and annotator)",
                fix="--repeats takes it as a further reading; --column sample=THEIRS tells several "
                "answers to a prompt apart",
            )
        seen.add(place)
    return sorted(
        verdicts, key=lambda v: (v.prompt_id, v.sample, v.first, v.annotator, v.reading, v.second)
    )


def named_alone(
    verdicts: Sequence[Verdict], layout: Layout, first: str, second: str, path: Path
) -> Sequence[Verdict]:
    """The verdicts on these two models, where the layout names models; the others are counted.

    Without names, or without the two, all of them.

    Raises:
        InputError: none is on the two; names the pairs that there are.
    """
    asked = {first, second} if first else set(layout.names)
    if not layout.names:
        return verdicts
    kept = [v for v in verdicts if asked >= {v.first, v.second}]
    others = Counter(
        " with ".join(sorted((v.first, v.second)))
        for v in verdicts
        if not asked >= {v.first, v.second}
    )
    if not kept:
        raise InputError(
            f"compares nothing of {' and '.join(sorted(asked))}, but {listed(others)}",
            path=path,
            fix="`names: {OURS: THEIRS}` says what the file calls them",
        )
    if others:
        print(f"{path}: {others.total()} verdicts on others are passed over: {listed(others, 5)}")
    return kept


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
            problem = f"compares '{shortened(v.first)}' and '{shortened(v.second)}'"
        elif v.prompt_id not in known:
            problem = "is on a prompt that is not among the prompts"
        if problem:
            raise InputError(
                f"{_named(number, v)} {problem}",
                fix=f"this is the comparison of '{first}' and '{second}'",
            )


def numbered_readings(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts; what stands a second time, a third time, … is reading 1, 2, …

    Other answers to the same prompt are no further reading, but another sample.
    """
    times: Counter[tuple[str, str, int, str, str]] = Counter()
    numbered = []
    for v in _samples_by_answers(list(verdicts)):
        place = (v.annotator, v.prompt_id, v.sample, v.first, v.second)
        numbered.append(replace(v, reading=times[place]))
        times[place] += 1
    return numbered


def _samples_by_answers(verdicts: list[Verdict]) -> list[Verdict]:
    """The verdicts, each two answers of a prompt a sample of their own, where one sample has more.

    Answers whose texts are not known count as the same.
    """
    shown: dict[Pair, dict[tuple[int, Answers], int]] = defaultdict(dict)
    for v in verdicts:
        pair, answers = _answers(v)
        shown[pair].setdefault((v.sample, answers), len(shown[pair]))
    several = {pair for pair, found in shown.items() if len({n for n, _ in found}) < len(found)}
    return [
        replace(v, sample=shown[pair][v.sample, answers]) if pair in several else v
        for v, (pair, answers) in ((v, _answers(v)) for v in verdicts)
    ]


def _answers(verdict: Verdict) -> tuple[Pair, Answers]:
    """Prompt and models, and the texts of their answers, whichever was shown first."""
    sides = sorted(
        ((verdict.first, verdict.first_text), (verdict.second, verdict.second_text)),
        key=lambda side: side[0],
    )
    (one, text), (other, other_text) = sides
    return (verdict.prompt_id, one, other), (text, other_text)


def _check_answers(verdicts: Sequence[Verdict]) -> None:
    """See that a model gave one answer to each sample of a prompt."""
    known: dict[tuple[str, int, str], str] = {}
    for number, v in enumerate(verdicts, start=1):
        for model, text in ((v.first, v.first_text), (v.second, v.second_text)):
            if text is not None and known.setdefault((v.prompt_id, v.sample, model), text) != text:
                raise InputError(
                    f"{_named(number, v)} shows another answer of '{shortened(model)}' than one "
                    "before",
                    fix="--column sample=THEIRS numbers the answers to a prompt; "
                    "--repeats numbers them as they come",
                )


def _named(number: int, verdict: Verdict) -> str:
    return f"verdict {number} (prompt {shortened(verdict.prompt_id)}, sample {verdict.sample})"
