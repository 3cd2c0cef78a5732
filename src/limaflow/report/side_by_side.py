"""Test prompts with every arm's answer side by side, and what the judges said of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from limaflow.config.experiment import Config
from limaflow.jsonl import Record, read_json, read_records
from limaflow.judging.instrument import question_of
from limaflow.measures.summaries import GradeSummary
from limaflow.records import Example, Grade, Response, Verdict
from limaflow.results import Results
from limaflow.seeds import generator_for
from limaflow.tags import is_harmful, labels

Place = tuple[str, int]
"""Prompt id and number of the sample."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One judge's grade of an answer, in a word; `value` is None where the judge failed."""

    judge: str
    instrument: str
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
    tags: list[str] = field(default_factory=list)
    """What it tests, as labels."""
    harmful: bool = False
    """Whether the texts may be harmful to read, so that pages fold them."""
    turns: list[str] = field(default_factory=list)
    """What the user says next, after each answer."""
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
            tags=labels(example.tags),
            harmful=is_harmful(example.tags),
            turns=list(example.tags.turns) if example.tags else [],
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
    files = Results(results)
    summaries = files.analysis("grades")
    words = {
        summary.instrument: summary.words
        for summary in (read_json(summaries, list[GradeSummary]) if summaries.is_file() else ())
    }
    for instrument in config.judging.files:
        for judge in [*config.judging.judges(instrument), *_people(config)]:
            for arm in config.arms:
                for grade in _existing(files.grades(instrument, "test", judge, arm.name), Grade):
                    if grade.prompt_id in wanted:
                        place = (grade.prompt_id, grade.sample)
                        found[place, arm.name].append(_mark(grade, words.get(instrument, {})))
    return found


def _people(config: Config) -> list[str]:
    return ["people"] if config.judging.people else []


def _mark(grade: Grade, words: Mapping[str, str]) -> Mark:
    word = "no grade" if grade.value is None else words.get(str(grade.value), str(grade.value))
    # A number says nothing without the end of its scale.
    of = f" of {max(words, key=int)}" if word.isdigit() and words else ""
    return Mark(
        judge=grade.annotator, instrument=grade.instrument, value=grade.value, word=f"{word}{of}"
    )


def _rulings(results: Path, config: Config, wanted: set[str]) -> dict[Place, list[Ruling]]:
    found: dict[Place, list[Ruling]] = defaultdict(list)
    judges = [judge.name for judge in config.judges]
    for judge in (*judges, *_people(config), "recorded"):
        for comparison in config.comparisons:
            path = Results(results).verdicts(judge, comparison.name)
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
