"""Live calls to a judge: bounded concurrency, waiting where the server says so, a budget."""

import asyncio
import random
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import openai

from limaflow.endpoints.answer import FAILED, WITHHELD, in_vain
from limaflow.endpoints.budget import BudgetAccount
from limaflow.endpoints.connection import complete, connected, error_text, refused, withheld
from limaflow.endpoints.session import Question, Session
from limaflow.endpoints.spending import BudgetReached, Spending, bound_of
from limaflow.endpoints.store import Answer, GroupCommit


async def ask_live(session: Session, questions: Mapping[str, Question]) -> None:
    """Ask `questions` with at most `judge.concurrency` calls under way."""
    judge = session.terms.judge
    # In an order of its own: two processes with the same questions find each other's answers.
    todo = iter(random.sample(list(questions.items()), len(questions)))
    async with connected(judge, session.secrets, timeout=judge.timeout_seconds) as connection:
        asking = _Asking(session, connection)
        workers = min(judge.concurrency, len(questions))
        await asyncio.gather(*(asking.work(todo) for _ in range(workers)))


class _Asking:
    """The calls under way."""

    def __init__(self, session: Session, connection: openai.AsyncOpenAI) -> None:
        self._session = session
        self._connection = connection
        self._judge = session.terms.judge
        self._committed = GroupCommit(session.store)
        self._account = BudgetAccount(
            session.store, self._committed, session.terms.run, session.terms.budget
        )

    async def work(self, todo: Iterator[tuple[str, Question]]) -> None:
        """Answer one question after the other until there are none or the session stops."""
        session, judge = self._session, self._judge
        for key, question in todo:
            if session.stop:
                return
            answer = await self._committed(partial(session.store.get, key))
            if answer is None:
                try:
                    answer = await self._answer(question)
                except BudgetReached as reached:
                    session.stop = session.stop or reached
                    return
                if session.stop and answer.error is not None:
                    return
                if answer.error is None:
                    named = {"judge": judge.name, "model": judge.model}
                    answer = await self._committed(
                        partial(session.store.put, key, answer, template=question.template, **named)
                    )
            session.add(key, answer)

    async def _answer(self, question: Question) -> Answer:
        """Ask until a reply can be read; tokens and cost of all attempts are summed."""
        answer: Answer | None = None
        for _ in range(self._judge.attempts):
            body = question.request(self._judge, answer)
            bound = bound_of(self._judge, body)
            latest = await self._account.pay(bound, partial(self._call, body, bound))
            answer = latest if answer is None else latest.after(answer)
            if in_vain(answer) or self._session.stop:
                break
        return answer or Answer(error="never asked")

    async def _call(self, body: dict[str, Any], bound: Spending) -> tuple[Answer, Spending]:
        """One call: what became of it, and what it cost."""
        session = self._session
        if session.stop:
            return Answer(error="stopped"), Spending()
        try:
            sent_back = await complete(
                self._connection, self._judge, body, going=lambda: not session.stop
            )
        except openai.OpenAIError as error:
            reason = error_text(error, session.secrets)
            if withheld(error):
                return Answer(error=f"{WITHHELD}: {reason}"), Spending()
            if refused(error):
                session.refuse(reason)
            return Answer(error=f"{FAILED}: {reason}"), Spending()
        answer = session.read(sent_back, bound)
        session.pay(answer.spending)
        return answer, answer.spending
