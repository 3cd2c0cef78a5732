"""Grades: one response at a time, on the instrument's scale, whose word ends the reply."""

from collections.abc import Sequence
from dataclasses import dataclass

from limaflow.endpoints.client import Ask
from limaflow.endpoints.session import Question
from limaflow.judging.instrument import Instrument, conversation, delimited
from limaflow.judging.response_index import by_model, by_prompt_and_sample
from limaflow.records import Example, Grade, Response


@dataclass(frozen=True)
class Graded:
    """A response as the judge sees it."""

    prompt: Example
    response: Response

    def question(self, instrument: Instrument) -> Question:
        """The message that shows it."""
        if instrument.head.form == "turn":
            asked = {"conversation": conversation(self.prompt)}
        else:
            asked = {"question": delimited(self.prompt)}
        text = instrument.render(**asked, answer=self.response.text)
        return Question(text, instrument.key, tuple(instrument.head.words))


def graded(prompts: Sequence[Example], responses: Sequence[Response]) -> list[Graded]:
    """Each response beside its prompt, sorted by model, prompt and sample.

    Raises:
        InputError: of one of the models, a prompt has no response or a response no prompt.
    """
    asked = {prompt.id: prompt for prompt in prompts}
    return [
        Graded(asked[prompt_id], response)
        for of_model in by_model(responses)
        for (prompt_id, _), response in sorted(by_prompt_and_sample(prompts, of_model).items())
    ]


def grades(
    shown: Sequence[Graded], instrument: Instrument, annotator: str, ask: Ask
) -> list[Grade]:
    """One grade for each response, in order."""

    def is_grade(reply: str) -> bool:
        return instrument.value_of(reply) is not None

    answers = ask([one.question(instrument) for one in shown], is_grade)
    return [
        Grade(
            prompt_id=one.prompt.id,
            sample=one.response.sample,
            model=one.response.model,
            response_id=one.response.id,
            instrument=instrument.name,
            scale=instrument.head.scale,
            value=instrument.value_of(answer.reply) if answer.error is None else None,
            **answer.judgment_fields(annotator, instrument.hash),
        )
        for one, answer in zip(shown, answers, strict=True)
    ]
