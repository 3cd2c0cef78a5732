"""Absolute grades: how helpful one response is, from 1 to 6.

The scale is that of the paper's ablations (Zhou et al. 2023, appendix D). Its levels 5 and 6 differ
by layout only, which favours texts with headings and lists; see docs/judging.md.
"""

import re
from collections.abc import Callable, Sequence

from limaflow.judging.client import Question
from limaflow.judging.instrument import Instrument, question_of
from limaflow.judging.responses import by_prompt_and_sample
from limaflow.judging.store import Answer
from limaflow.records import Example, Grade, Response


def grade_of(reply: str) -> int | None:
    """The grade on a reply's last non-empty line, or None where it is not one digit from 1 to 6."""
    line = reply.strip().rpartition("\n")[2].strip()
    return int(line) if re.fullmatch("[1-6]", line) else None


def grades(
    prompts: Sequence[Example],
    responses: Sequence[Response],
    instrument: Instrument,
    annotator: str,
    ask: Callable[[Sequence[Question]], list[Answer]],
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
    answers = ask([Question(text, instrument.hash) for text in texts])
    return [
        Grade(
            prompt_id=prompt_id,
            sample=sample,
            model=response.model,
            response_id=response.id,
            scale="likert-6",
            annotator=annotator,
            value=grade_of(answer.reply) if answer.error is None else None,
            error=answer.error,
            reply=answer.reply,
            template=instrument.hash,
            answered_by=answer.answered_by,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            cost=answer.cost,
        )
        for ((prompt_id, sample), response), answer in zip(graded, answers, strict=True)
    ]
