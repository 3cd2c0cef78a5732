"""Whether replies to benchmark items are right, by a model that sees the right answers.

Right, wrong or no answer: the three words of an instrument of form `item`. What no answer can be
read from counts as not right, and is told apart from a wrong one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from limaflow.endpoints.client import Ask
from limaflow.endpoints.session import Question
from limaflow.errors import InputError
from limaflow.judging.front_matter import NO_ANSWER, RIGHT
from limaflow.judging.instrument import Instrument
from limaflow.records import AnswerGrade, BenchmarkItem


@dataclass(frozen=True)
class ItemReply:
    """A reply to a benchmark item as the judge sees it."""

    item: BenchmarkItem

    def question(self, instrument: Instrument) -> Question:
        """The message that shows it."""
        text = instrument.render(
            question=self.item.question,
            right_answers="\n".join(self.item.right_answers),
            answer=self.item.reply or "",
        )
        return Question(text, instrument.key, tuple(instrument.head.words))


def item_replies(items: Iterable[BenchmarkItem]) -> list[ItemReply]:
    """The replies among items; choices that were scored have none.

    Raises:
        InputError: of an item with a reply, the question or the right answers are not known.
    """
    found = [ItemReply(item) for item in items if item.reply is not None]
    for reply in found:
        if not (reply.item.question and reply.item.right_answers):
            lacking = "right answer" if reply.item.question else "question"
            raise InputError(
                f"task '{reply.item.task}': item {reply.item.item_id} has a reply and no {lacking}",
                fix="measure it again; of recorded items name the columns question and right",
            )
    return found


def answer_grades(
    shown: Sequence[ItemReply], instrument: Instrument, annotator: str, ask: Ask
) -> list[AnswerGrade]:
    """One grade for each reply, in order."""

    def is_grade(reply: str) -> bool:
        return instrument.value_of(reply) is not None

    answers = ask([one.question(instrument) for one in shown], is_grade)
    found = []
    for one, answer in zip(shown, answers, strict=True):
        value = instrument.value_of(answer.reply) if answer.error is None else None
        found.append(
            AnswerGrade(
                prompt_id=one.item.item_id,
                sample=0,
                task=one.item.task,
                model=one.item.model,
                format=one.item.format,
                right=None if value is None else value == RIGHT,
                no_answer=value == NO_ANSWER,
                response_id=one.item.response_id,
                **answer.judgment_fields(annotator, instrument.hash),
            )
        )
    return found
