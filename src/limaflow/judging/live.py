"""Live calls to a judge: bounded concurrency, waiting where the server says so, a budget."""

import asyncio
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

import openai

from limaflow.connection import connected, told
from limaflow.judging.completion import UNREADABLE, read
from limaflow.judging.session import REFUSALS, Question, Session
from limaflow.judging.spending import Spending, bound_of, reached
from limaflow.judging.store import Answer, GroupCommit

STORM_SECONDS = 900.0
"""How long one question waits while the server keeps saying 429; the SDK itself gives up sooner."""
STORM_PAUSE_SECONDS = 8.0


async def ask_live(session: Session, questions: Mapping[str, Question]) -> None:
    """Ask `questions` with at most `judge.concurrency` calls under way."""
    judge = session.terms.judge
    async with connected(
        judge.base_url, session.secret, timeout=judge.timeout_seconds
    ) as connection:
        asking = _Asking(session, connection)
        todo = iter(questions.items())
        workers = min(judge.concurrency, len(questions))
        await asyncio.gather(*(asking.work(todo) for _ in range(workers)))


class _Asking:
    """The calls under way."""

    def __init__(self, session: Session, connection: openai.AsyncOpenAI) -> None:
        self._session = session
        self._connection = connection
        self._judge = session.terms.judge
        self._committed = GroupCommit(session.store)
        self._settled = asyncio.Event()
        self._under_way = 0

    async def work(self, todo: Iterator[tuple[str, Question]]) -> None:
        """Answer one question after the other until there are none or the session stops."""
        session, judge = self._session, self._judge
        for key, question in todo:
            if session.stop:
                return
            answer = await self._answer(question)
            if session.stop and answer.error is not None:
                return
            if answer.error is None:
                named = {"judge": judge.name, "model": judge.model, "template": question.template}
                answer = await self._committed(partial(session.store.put, key, answer, **named))
            session.add(key, answer)

    async def _answer(self, question: Question) -> Answer:
        """Ask until a reply can be read; tokens and cost of all attempts are summed."""
        answer = Answer(error="never asked")
        for _ in range(self._judge.attempts):
            latest = await self._paid_call(question)
            answer = replace(
                latest,
                prompt_tokens=answer.prompt_tokens + latest.prompt_tokens,
                completion_tokens=answer.completion_tokens + latest.completion_tokens,
                cost=answer.cost + latest.cost,
            )
            if (
                answer.error is None
                or self._session.stop
                or not answer.error.startswith(UNREADABLE)
            ):
                break
        return answer

    async def _paid_call(self, question: Question) -> Answer:
        """One call within the budget; stops the session where the budget forbids it."""
        session, store = self._session, self._session.store
        run, budget = session.terms.run, session.terms.budget
        bound = bound_of(question.text, self._judge)
        while not await self._committed(partial(store.reserve, run, bound, budget)):
            if not self._under_way:
                session.stop = session.stop or reached(budget, store.spent(run), bound)
                return Answer(error="budget")
            # Reservations are upper bounds: a call that ends may leave room for this one.
            self._settled.clear()
            await self._settled.wait()
            if session.stop:
                return Answer(error="stopped")
        self._under_way += 1
        paid = bound
        try:
            answer = await self._call(question, bound)
            paid = Spending(answer.cost, answer.prompt_tokens + answer.completion_tokens)
        finally:
            await self._committed(partial(store.settle, run, bound, paid))
            session.pay(paid)
            self._under_way -= 1
            self._settled.set()
        return answer

    async def _call(self, question: Question, bound: Spending) -> Answer:
        started = time.monotonic()
        while True:
            try:
                response = await self._connection.chat.completions.with_raw_response.create(
                    model=self._judge.model,
                    messages=[{"role": "user", "content": question.text}],
                    temperature=self._judge.temperature,
                    max_tokens=self._judge.max_tokens,
                )
            except REFUSALS as error:
                self._session.refuse(told(error, self._session.secret))
                return Answer(error="refused")
            except openai.RateLimitError as error:
                if error.code == "insufficient_quota":
                    self._session.refuse(told(error, self._session.secret))
                    return Answer(error="refused")
                pause = _asked_pause(error)
                if self._session.stop or time.monotonic() + pause - started > STORM_SECONDS:
                    return Answer(error=f"call failed: {told(error, self._session.secret)}")
                await asyncio.sleep(pause)
                continue
            except openai.OpenAIError as error:
                return Answer(error=f"call failed: {told(error, self._session.secret)}")
            return read(response.content, self._judge, self._session.readable, bound)


def _asked_pause(error: openai.RateLimitError) -> float:
    """Seconds that the server asks for, with up to a tenth more, so that not all come at once."""
    try:
        asked = float(error.response.headers.get("retry-after", STORM_PAUSE_SECONDS))
    except ValueError:
        asked = STORM_PAUSE_SECONDS
    return max(asked, 1.0) * random.uniform(1.0, 1.1)
