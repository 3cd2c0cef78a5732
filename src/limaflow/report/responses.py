"""Test prompts with every arm's answer side by side, and what the judges said of them."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from limaflow.config import Config
from limaflow.jsonl import Record, read_records
from limaflow.records import Example, Grade, Response, Verdict
from limaflow.seeds import generator_for


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One arm's answer (sample 0) with its grades: judge → value."""

    arm: str
    text: str
    tokens: int
    finish_reason: str
    grades: dict[str, int | None]


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
    """One prompt of the sample."""

    prompt: str
    source: str
    answers: list[Answer] = field(default_factory=list)
    rulings: list[Ruling] = field(default_factory=list)


def shown_prompts(results: Path, config: Config, prompts: Path, count: int) -> list[Shown]:
    """`count` prompts drawn by the experiment's seed, whatever their verdicts."""
    examples = sorted(read_records(prompts, Example), key=lambda example: example.id)
    drawn = generator_for(config.seed, "report").sample(examples, min(count, len(examples)))
    wanted = {example.id for example in drawn}
    grades = _grades(results, config, wanted)
    answers: dict[str, list[Answer]] = defaultdict(list)
    for arm in config.arms:
        for response in _existing(results / f"responses/test/{arm.name}.jsonl", Response):
            if response.prompt_id in wanted and response.sample == 0:
                answers[response.prompt_id].append(
                    Answer(
                        arm=arm.name,
                        text=response.text,
                        tokens=response.tokens,
                        finish_reason=response.finish_reason,
                        grades=grades.get((response.prompt_id, arm.name), {}),
                    )
                )
    rulings = _rulings(results, config, wanted)
    return [
        Shown(
            prompt=example.prompt,
            source=example.source,
            answers=answers[example.id],
            rulings=rulings[example.id],
        )
        for example in drawn
    ]


def _existing(path: Path, kind: type[Record]) -> list[Record]:
    return list(read_records(path, kind)) if path.is_file() else []


def _grades(
    results: Path, config: Config, wanted: set[str]
) -> dict[tuple[str, str], dict[str, int | None]]:
    found: dict[tuple[str, str], dict[str, int | None]] = defaultdict(dict)
    for judge in config.judging.likert:
        for arm in config.arms:
            for grade in _existing(results / f"grades/test/{judge}/{arm.name}.jsonl", Grade):
                if grade.prompt_id in wanted and grade.sample == 0:
                    found[grade.prompt_id, arm.name][judge] = grade.value
    return found


def _rulings(results: Path, config: Config, wanted: set[str]) -> dict[str, list[Ruling]]:
    found: dict[str, list[Ruling]] = defaultdict(list)
    people = ["people"] if config.judging.people else []
    for judge in [*config.judging.pairwise, *people]:
        for comparison in config.comparisons:
            path = results / f"verdicts/{judge}/{comparison.name}.jsonl"
            for verdict in _existing(path, Verdict):
                if verdict.prompt_id in wanted and verdict.sample == 0:
                    names = {"first": verdict.first, "second": verdict.second, "tie": "tie"}
                    found[verdict.prompt_id].append(
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
