"""Conversations with labels of their safety, as DICES has them (Aroyo et al. 2023, 2306.11247).

Two forms are read: the tables of its authors (`diverse_safety_adversarial_dialog_{350,990}.csv`:
a row a conversation and rater; 350 has an expert's label too) and the files of JUDGE-BENCH
(arXiv 2406.18403). The last answer of a conversation is what was labelled. `safety_gold: Yes` says
that it is safe, `Q_overall: Yes` that the rater finds it unsafe.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from limaflow.errors import InputError
from limaflow.foreign_rows import Row, at, read_rows
from limaflow.jsonl import read_json
from limaflow.records import AnnotatorKind, Example, Grade, Message, Response
from limaflow.refusals.classes import refuses
from limaflow.refusals.rules import RULES, class_by_rule

EXPERT, CROWD, MODEL = "expert", "crowd", "lamda"
INSTRUMENT, SCALE = "safety", "safe-unsafe"
SAFE = {"Yes": 1, "No": 0}
"""Of an expert's label."""
FOUND = {"Yes": 0, "No": 1}
"""Of a rater's: whether the answer was found unsafe."""
SPEAKER = re.compile(r"^(USER|LAMDA):[ \t]*", re.MULTILINE)
_ROLES: dict[str, Literal["user", "assistant"]] = {"USER": "user", "LAMDA": "assistant"}


@dataclass(kw_only=True)
class Labelled:
    """A conversation up to its last answer, that answer, and what people said of it."""

    id: str
    context: str
    answer: str
    expert: str = ""
    raters: list[tuple[str, str]] = field(default_factory=list)
    """Who, and whether the answer is unsafe: Yes, No or Unsure."""


def read_dices(path: Path) -> list[Labelled]:
    """The conversations of a file, in its order.

    Raises:
        InputError: a column or part is missing, a label is none of the words, or one conversation
            stands with two answers; names the line.
    """
    found: dict[str, Labelled] = {}
    rows = _of_judge_bench(path) if path.suffix == ".json" else _of_table(path)
    for line, one in rows:
        held = found.setdefault(one.id, one)
        if (held.context, held.answer) != (one.context, one.answer):
            raise InputError(f"conversation {one.id} stands with two texts", path=path, line=line)
        if held.expert != one.expert:
            raise InputError(f"conversation {one.id} has two labels", path=path, line=line)
        if held is not one:
            held.raters += one.raters
        for word in (one.expert, *(word for _, word in one.raters)):
            if word not in ("", "Yes", "No", "Unsure"):
                raise InputError(f"'{word}' is no label: Yes, No, Unsure", path=path, line=line)
    if not found:
        raise InputError("holds no conversations", path=path)
    return list(found.values())


def prompt_of(one: Labelled) -> Example:
    """What was said before the answer.

    Raises:
        InputError: no line of it begins with `USER:`.
    """
    first, *parts = SPEAKER.split(one.context)
    turns = zip(parts[::2], parts[1::2], strict=True)
    messages = tuple(Message(role=_ROLES[who], content=said.strip()) for who, said in turns)
    if first.strip() or not any(turn.role == "user" for turn in messages):
        raise InputError(f"conversation {one.id} does not begin with USER: or LAMDA:")
    return Example(id=f"dices-{one.id}", messages=messages, source="dices", split="test")


def response_of(one: Labelled) -> Response:
    """The answer that was labelled."""
    return Response(
        prompt_id=f"dices-{one.id}",
        model=MODEL,
        sample=0,
        text=one.answer,
        tokens=0,
        finish_reason="stop",
        decoding={"engine": "recorded"},
    )


def grades_of(one: Labelled) -> list[Grade]:
    """What the expert, each rater, most raters and a rule say; who is unsure gives no grade.

    The rule takes an answer that begins with a refusal for safe, and every other for unsafe: what a
    grader does that looks at the words of the answer alone.
    """
    found = []
    if one.expert:
        found.append(_grade(one, EXPERT, SAFE.get(one.expert)))
    found += [_grade(one, f"rater-{who}", FOUND.get(word)) for who, word in one.raters if who]
    if one.raters:
        counts = Counter(word for _, word in one.raters)
        safe, unsafe = counts["No"], counts["Yes"]
        most = None if safe == unsafe else int(safe > unsafe)
        found.append(_grade(one, CROWD, most, pool=len(one.raters)))
    by_rule = int(refuses(class_by_rule(one.answer)))
    return [*found, _grade(one, RULES, by_rule, kind="unspecified")]


def _grade(
    one: Labelled,
    annotator: str,
    value: int | None,
    *,
    pool: int = 0,
    kind: AnnotatorKind = "person",
) -> Grade:
    response = response_of(one)
    return Grade(
        prompt_id=response.prompt_id,
        sample=0,
        annotator=annotator,
        annotator_kind=kind,
        pool=pool,
        model=MODEL,
        response_id=response.id,
        instrument=INSTRUMENT,
        scale=SCALE,
        value=value,
        error="unsure" if value is None else None,
    )


def _of_table(path: Path) -> Iterator[tuple[int, Labelled]]:
    for line, row in read_rows(path):
        yield (
            line,
            Labelled(
                id=_text(row, "item_id", path, line),
                context=_text(row, "context", path, line),
                answer=_text(row, "response", path, line),
                expert=str(row.get("safety_gold") or ""),
                raters=[(_text(row, "rater_id", path, line), _text(row, "Q_overall", path, line))],
            ),
        )


def _of_judge_bench(path: Path) -> Iterator[tuple[int, Labelled]]:
    by_expert = str(read_json(path, dict[str, Any]).get("expert_annotator")).lower() == "true"
    for number, row in read_rows(path, "instances"):
        words = _part(row, "annotations.safety.individual_human_scores", path, number)
        if not isinstance(words, list):
            raise InputError("individual_human_scores: not a list", path=path, line=number)
        yield (
            number,
            Labelled(
                id=_text(row, "id", path, number),
                context=_text(row, "instance.user_prompt", path, number),
                answer=_text(row, "instance.response", path, number),
                expert=str(words[0]) if by_expert and words else "",
                # It does not say which rater gave which label.
                raters=[] if by_expert else [("", str(word)) for word in words],
            ),
        )


def _part(row: Row, name: str, path: Path, line: int) -> Any:
    try:
        return at(row, name)
    except KeyError:
        raise InputError(f"lacks '{name}'", path=path, line=line) from None


def _text(row: Row, name: str, path: Path, line: int) -> str:
    return str(_part(row, name, path, line))
