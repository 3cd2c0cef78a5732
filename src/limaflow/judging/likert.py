"""Absolute grades: how helpful one response is, from 1 to 6.

The scale is that of the paper's ablations (Zhou et al. 2023, appendix D). Its levels 5 and 6 differ
by layout only, which favours texts with headings and lists; see docs/judging.md.
"""

import re
from collections.abc import Sequence

from limaflow.judging.client import Ask
from limaflow.judging.instrument import Instrument, question_of
from limaflow.judging.responses import by_prompt_and_sample
from limaflow.judging.session import Question
from limaflow.records import Example, Grade, Response


def grade_of(reply: str) -> int | None:
    """The grade on a reply's last non-empty line, or None where it is not one digit from 1 to 6."""
    line = reply.strip().rpartition("\n")[2].strip()
    return int(line) if re.fullmatch("[1-6]", line) else None


def _is_grade(reply: str) -> bool:
    return grade_of(reply) is not None


def grades(
    prompts: Sequence[Example],
    responses: Sequence[Response],
    instrument: Instrument,
    annotator: str,
    ask: Ask,
) -> list[Grade]:
    """One grade for each response of one model, sorted by prompt and sample.

    Raises:
        InputError: several models, a prompt without response, a response without prompt.
    """
    asked = {prompt.id: prompt for prompt in prompts}
    graded = sorted(by_prompt_and_sample(prompts, responses).items())
    texts = [
        instrument.render(question=question_of(asked[prompt_id]), answer=response.text)
        for (prompt_id, _), response in graded
    ]
    answers = ask([Question(text, instrument.hash) for text in texts], _is_grade)
    return [
        Grade(
            prompt_id=prompt_id,
            sample=sample,
            model=response.model,
            response_id=response.id,
            scale="likert-6",
            value=grade_of(answer.reply) if answer.error is None else None,
            **answer.told(annotator, instrument.hash),
        )
        for ((prompt_id, sample), response), answer in zip(graded, answers, strict=True)
    ]
