"""Absolute grades: one response at a time, on a scale whose level ends the reply.

likert   helpfulness from 1 to 6 (Zhou et al. 2023, appendix D). Its levels 5 and 6 differ by layout
         only, which favours texts with headings and lists; see docs/judging.md
quality  excellent, pass or fail (sec. 4.3, Figure 3, and of dialogues Figure 7)
safety   safe or unsafe (sec. 4.3)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from limaflow.endpoints.client import Ask
from limaflow.endpoints.session import Question
from limaflow.judging.instrument import Instrument, delimited
from limaflow.judging.response_index import by_prompt_and_sample
from limaflow.judging.scales import LEVELS, SCALES
from limaflow.judging.settings import Grading
from limaflow.records import Example, Grade, Response


@dataclass(frozen=True)
class Graded:
    """A response as the judge sees it."""

    prompt: Example
    response: Response

    def question(self, instrument: Instrument) -> Question:
        """The message that shows it."""
        text = instrument.render(question=delimited(self.prompt), answer=self.response.text)
        return Question(text, instrument.hash)


def graded(prompts: Sequence[Example], responses: Sequence[Response]) -> list[Graded]:
    """Each response of one model beside its prompt, sorted by prompt and sample.

    Raises:
        InputError: several models, a prompt without response, a response without prompt.
    """
    asked = {prompt.id: prompt for prompt in prompts}
    found = sorted(by_prompt_and_sample(prompts, responses).items())
    return [Graded(asked[prompt_id], response) for (prompt_id, _), response in found]


def value_of(reply: str, name: Grading) -> int | None:
    """The grade on a reply's last non-empty line, or None where it is not exactly a level."""
    return LEVELS[name].get(reply.strip().rpartition("\n")[2].strip())


def grades(
    shown: Sequence[Graded], name: Grading, instrument: Instrument, annotator: str, ask: Ask
) -> list[Grade]:
    """One grade for each response, in order."""

    def is_grade(reply: str) -> bool:
        return value_of(reply, name) is not None

    answers = ask([one.question(instrument) for one in shown], is_grade)
    return [
        Grade(
            prompt_id=one.prompt.id,
            sample=one.response.sample,
            model=one.response.model,
            response_id=one.response.id,
            scale=SCALES[name],
            value=value_of(answer.reply, name) if answer.error is None else None,
            **answer.told(annotator, instrument.hash),
        )
        for one, answer in zip(shown, answers, strict=True)
    ]
