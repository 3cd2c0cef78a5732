"""Test prompts with every arm's answer side by side, and what the judges said of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from limaflow.config.experiment import Config
from limaflow.jsonl import Record, read_records
from limaflow.judging.instrument import question_of
from limaflow.judging.scales import word
from limaflow.records import Example, Grade, Response, Verdict
from limaflow.seeds import generator_for

Place = tuple[str, int]
"""Prompt id and number of the sample."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One judge's grade of an answer, in a word; `value` is None where the judge failed."""

    judge: str
    scale: str
    value: int | None
    word: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One arm's answer with its grades."""

    arm: str
    text: str
    tokens: int
    finish_reason: str
    grades: list[Mark] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """One reading of one pair by one judge; `winner` is an arm, "tie" or None for an error."""

    judge: str
    shown_first: str
    shown_second: str
    winner: str | None
    error: str | None
    reply: str


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One prompt with one sample of every arm's answer."""

    id: str
    sample: int
    prompt: str
    source: str
    answers: list[Answer] = field(default_factory=list)
    rulings: list[Ruling] = field(default_factory=list)


def shown_prompts(results: Path, config: Config, prompts: Path, count: int) -> list[Shown]:
    """`count` prompts drawn by the experiment's seed, whatever their verdicts; sample 0."""
    examples = sorted(read_records(prompts, Example), key=lambda example: example.id)
    drawn = generator_for(config.seed, "report").sample(examples, min(count, len(examples)))
    return [shown for shown in side_by_side(results, config, drawn) if shown.sample == 0]


def side_by_side(results: Path, config: Config, examples: Sequence[Example]) -> list[Shown]:
    """Every sample of every prompt, in the order of `examples`."""
    wanted = {example.id for example in examples}
    grades = _grades(results, config, wanted)
    rulings = _rulings(results, config, wanted)
    answers: dict[Place, list[Answer]] = defaultdict(list)
    for arm in config.arms:
        for response in _existing(results / f"responses/test/{arm.name}.jsonl", Response):
            place = (response.prompt_id, response.sample)
            if response.prompt_id in wanted:
                answers[place].append(
                    Answer(
                        arm=arm.name,
                        text=response.text,
                        tokens=response.tokens,
                        finish_reason=response.finish_reason,
                        grades=grades[place, arm.name],
                    )
                )
    samples: dict[str, set[int]] = defaultdict(lambda: {0})
    for prompt_id, sample in answers:
        samples[prompt_id].add(sample)
    return [
        Shown(
            id=example.id,
            sample=sample,
            prompt=question_of(example),
            source=example.source,
            answers=answers[example.id, sample],
            rulings=rulings[example.id, sample],
        )
        for example in examples
        for sample in sorted(samples[example.id])
    ]


def _existing(path: Path, kind: type[Record]) -> Iterable[Record]:
    return read_records(path, kind) if path.is_file() else []


def _grades(results: Path, config: Config, wanted: set[str]) -> dict[tuple[Place, str], list[Mark]]:
    found: dict[tuple[Place, str], list[Mark]] = defaultdict(list)
    people = ["people"] if config.judging.people else []
    folders = [
        *(f"test/{judge}" for judge in (*config.judging.likert, *people)),
        *(f"quality/{judge}" for judge in (*config.judging.quality, *people)),
        *(f"safety/{judge}" for judge in (*config.judging.safety, *people)),
    ]
    for folder in folders:
        for arm in config.arms:
            for grade in _existing(results / f"grades/{folder}/{arm.name}.jsonl", Grade):
                if grade.prompt_id in wanted:
                    found[(grade.prompt_id, grade.sample), arm.name].append(_mark(grade))
    return found


def _mark(grade: Grade) -> Mark:
    told = "no grade" if grade.value is None else word(grade.scale, grade.value)
    of = " of 6" if grade.scale == "likert-6" and grade.value is not None else ""
    return Mark(judge=grade.annotator, scale=grade.scale, value=grade.value, word=f"{told}{of}")


def _rulings(results: Path, config: Config, wanted: set[str]) -> dict[Place, list[Ruling]]:
    found: dict[Place, list[Ruling]] = defaultdict(list)
    people = ["people"] if config.judging.people else []
    for judge in (*config.judging.pairwise, *people, "recorded"):
        for comparison in config.comparisons:
            path = results / f"verdicts/{judge}/{comparison.name}.jsonl"
            for verdict in _existing(path, Verdict):
                if verdict.prompt_id in wanted:
                    names = {"first": verdict.first, "second": verdict.second, "tie": "tie"}
                    found[verdict.prompt_id, verdict.sample].append(
                        Ruling(
                            judge=verdict.annotator,
                            shown_first=verdict.first,
                            shown_second=verdict.second,
                            winner=names[verdict.choice] if verdict.choice else None,
                            error=verdict.error,
                            reply=verdict.reply,
                        )
                    )
    return found
