"""What lm-eval noted of an item besides its score: reply, answer, and how sure the choice was.

An answer filter that finds nothing gives its fallback, which counts as wrong. That is another thing
than a wrong answer, so it is kept apart: much of what tuning seems to cost is answers that are no
longer read.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from limaflow.lm_evaluation.lenient_reading import gives

QUESTION_KEYS = ("question", "query", "problem", "goal", "prompt", "instruction", "input")
"""Where the data of lm-eval's tasks have their questions."""
FALLBACK = "[invalid]"
"""What lm-eval's filters give where they find no answer (`fallback` of `RegexFilter`, 0.4.13)."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """See the fields of the same names in `BenchmarkItem`."""

    reply: str | None = None
    answer: str | None = None
    unread: bool = False
    lenient: bool | None = None
    question: str = ""
    right_answers: tuple[str, ...] = ()
    choices: int | None = None
    right_probability: float | None = None
    confidence: float | None = None


def reading_of(sample: Mapping[str, Any]) -> Reading:
    """The reading of a logged sample of lm-eval, as it is in memory or in `samples_*.jsonl`."""
    filtered, replies = sample.get("filtered_resps"), sample.get("resps")
    if not filtered:
        return Reading()
    found = _first_text(filtered)
    if found is not None:
        answer, reply = found.strip(), _first_text(replies or [])
        unread = answer in ("", FALLBACK)
        targets = _texts(sample.get("target"))
        return Reading(
            reply=reply,
            answer=None if unread else answer,
            unread=unread,
            lenient=gives(reply, targets) if reply is not None and targets else None,
            question=_question(sample),
            right_answers=tuple(targets),
        )
    scores = [_log_likelihood(scored) for scored in filtered]
    if len(scores) < 2 or None in scores:
        return Reading()
    if "acc_mutual_info" in sample.get("metrics", sample):
        # The second half are the choices without the question.
        scores = scores[: len(scores) // 2]
    return _choice([score for score in scores if score is not None], sample)


def _question(sample: Mapping[str, Any]) -> str:
    """What was asked without worked examples: the prompt from the data's own question on."""
    first = next(iter(_arguments(sample)), "")
    if isinstance(first, Mapping):
        prompt = str(first.get("arg_0", ""))
    else:
        prompt = str(first[0] if isinstance(first, (list, tuple)) and first else first)
    doc = sample.get("doc")
    own = own_question(doc, prompt) if isinstance(doc, Mapping) else ""
    return prompt[prompt.rfind(own) :].strip() if own else prompt.strip()


def own_question(doc: Mapping[str, Any], asked: str) -> str:
    """The question that the data have and that stands in what is asked; "" if there is none."""
    for key in QUESTION_KEYS:
        own = doc.get(key)
        if isinstance(own, str) and own.strip() and own.strip() in asked:
            return own.strip()
    return ""


def _texts(target: Any) -> list[str]:
    """The right answers as texts."""
    values = target if isinstance(target, (list, tuple)) else [target]
    return [str(value) for value in values if isinstance(value, (str, int, float))]


def _choice(scores: Sequence[float], sample: Mapping[str, Any]) -> Reading:
    """The reading of choices that were scored; nats each."""
    highest = max(scores)
    if not math.isfinite(highest):
        return Reading(choices=len(scores))
    shares = [math.exp(score - highest) for score in scores]
    total = math.fsum(shares)
    right = _right_choice(sample, len(scores))
    return Reading(
        answer=str(scores.index(highest)),
        choices=len(scores),
        right_probability=None if right is None else shares[right] / total,
        confidence=1 / total,
    )


def _right_choice(sample: Mapping[str, Any], choices: int) -> int | None:
    """Which choice is right; None where several are, or the task does not say."""
    target = sample.get("target")
    if isinstance(target, str) and not target.isdecimal():
        texts = [_continuation(words) for words in _arguments(sample)][:choices]
        return texts.index(target.strip()) if texts.count(target.strip()) == 1 else None
    try:
        index = int(target)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return index if 0 <= index < choices else None


def _arguments(sample: Mapping[str, Any]) -> list[Any]:
    """The requests; lm-eval's files have them by name, `gen_args_0`."""
    given = sample.get("arguments", [])
    return list(given.values()) if isinstance(given, Mapping) else list(given)


def _continuation(words: Any) -> str:
    if isinstance(words, Mapping):
        return str(words.get("arg_1", "")).strip()
    return str(words[1]).strip() if len(words) > 1 else ""


def _first_text(values: Any) -> str | None:
    """The first text in nested lists, unless they hold something else first."""
    while isinstance(values, (list, tuple)) and values:
        if len(values) == 2 and _log_likelihood(values) is not None:
            return None
        values = values[0]
    return values if isinstance(values, str) else None


def _log_likelihood(scored: Any) -> float | None:
    """Of a pair of log-likelihood and whether the choice is greedy, which files hold as texts."""
    if not isinstance(scored, (list, tuple)):
        return None
    if len(scored) == 1:
        return _log_likelihood(scored[0])
    if len(scored) != 2 or str(scored[1]) not in ("True", "False", "0", "1"):
        return None
    try:
        return float(scored[0])
    except (TypeError, ValueError):
        return None
