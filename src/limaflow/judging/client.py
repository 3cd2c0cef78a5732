"""Questions to a judge behind an OpenAI-compatible endpoint: each paid once, none lost.

Answers come from the store where it has them; the rest is asked with bounded concurrency and goes
into the store the moment it arrives. The `openai` SDK repeats a call on 408, 409, 429, 5xx, broken
connections and time-outs, with exponential back-off or as the server's Retry-After says.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import openai
from tqdm import tqdm

from limaflow.config import Judge
from limaflow.errors import InputError
from limaflow.judging.completion import UNREADABLE, cost, read
from limaflow.judging.store import Answer, GroupCommit, Store
from limaflow.seeds import digest

RETRIES = 6
"""Repetitions of one call by the SDK: 0.5, 1, 2 … 8 s apart where the server names no time."""
LONGEST_RETRY_AFTER_SECONDS = 120
"""The SDK gives up at once where a server asks for a longer pause."""
MESSAGE_TOKENS = 16
"""Tokens that a chat template puts around one message: a generous bound."""


@dataclass(frozen=True)
class Question:
    """One message to a judge and the hash of the template it was made from."""

    text: str
    template: str


def key_of(question: Question, judge: Judge, identity: str) -> str:
    """The content address of a question: all that may change its answer, and nothing else.

    `identity` names what the judge's model name does not (the demo server's code and truth). Where
    there is none, the endpoint that the environment names takes its place.
    """
    endpoint = judge.base_url or ("" if identity else os.environ.get("OPENAI_BASE_URL", ""))
    parameters = {"temperature": judge.temperature, "max_tokens": judge.max_tokens}
    named = (judge.model, endpoint, identity, parameters, question.template, question.text)
    return digest(*named, length=64)


Ask = Callable[[Sequence[Question], Callable[[str], bool]], list[Answer]]
"""Questions, and whether a reply has the form asked for → one answer to each question."""


def ask_all(
    questions: Sequence[Question],
    readable: Callable[[str], bool],
    *,
    judge: Judge,
    store: Path,
    identity: str,
    max_error_share: float,
    timeout: float,
) -> list[Answer]:
    """One answer to each question, in order; those that failed carry an `error`.

    A question that stands several times is asked and paid once: its first answer bears the cost.

    Args:
        readable: whether a reply has the form asked for; others are asked again, up to
            `judge.attempts` times in all.
        timeout: seconds without a sign of the server before a call is repeated.

    Raises:
        InputError: no key in the environment, the endpoint refuses it or knows no such model, the
            budget is spent, or more than `max_error_share` of the questions failed (asking stops
            once that is certain). Answers that came in by then are in the store.
    """
    keys = [key_of(question, judge, identity) for question in questions]
    with Store(store) as kept:
        answers = {key: answer for key in dict.fromkeys(keys) if (answer := kept.get(key))}
        missing = {k: q for k, q in zip(keys, questions, strict=True) if k not in answers}
        if missing:
            session = _Session(
                judge,
                kept,
                readable=readable,
                timeout=timeout,
                max_error_share=max_error_share,
                total=len(set(keys)),
            )
            answers |= session.ask(missing)
    paid: set[str] = set()
    listed = []
    for key in keys:
        listed.append(replace(answers[key], cost=0.0) if key in paid else answers[key])
        paid.add(key)
    return listed


class _Session:
    """One run of questions to one judge: who is in flight, what failed, why it stopped."""

    def __init__(
        self,
        judge: Judge,
        store: Store,
        *,
        readable: Callable[[str], bool],
        timeout: float,
        max_error_share: float,
        total: int,
    ) -> None:
        secret = os.environ.get(judge.key_env, "")
        if not secret:
            raise InputError(
                f"judge '{judge.name}' needs its API key in the environment variable "
                f"{judge.key_env}, which is not set"
            )
        self._secret = secret
        self._judge = judge
        self._store = store
        self._readable = readable
        self._timeout = timeout
        self._max_error_share = max_error_share
        self._total = total
        self._answers: dict[str, Answer] = {}
        self._errors: list[Answer] = []
        self._stop: InputError | None = None
        self._in_flight = 0
        self._paid = 0.0

    def ask(self, questions: Mapping[str, Question]) -> dict[str, Answer]:
        """Key → answer; raises what `ask_all` raises."""
        with tqdm(
            total=self._total,
            initial=self._total - len(questions),
            desc=self._judge.name,
            unit="answer",
        ) as self._progress:
            asyncio.run(self._ask_concurrently(questions))
        if self._stop:
            raise self._stop
        return self._answers

    async def _ask_concurrently(self, questions: Mapping[str, Question]) -> None:
        self._committed = GroupCommit(self._store)
        self._settled = asyncio.Event()
        todo = iter(questions.items())
        workers = min(self._judge.concurrency, len(questions))
        async with openai.AsyncOpenAI(
            api_key=self._secret,
            base_url=self._judge.base_url,
            max_retries=RETRIES,
            timeout=self._timeout,
        ) as self._client:
            await asyncio.gather(*(self._work(todo) for _ in range(workers)))

    async def _work(self, todo: Iterator[tuple[str, Question]]) -> None:
        for key, question in todo:
            if self._stop:
                return
            answer = await self._answer(question)
            if self._stop and answer.error is not None:
                return
            if answer.error is None:
                judge = self._judge
                named = {"judge": judge.name, "model": judge.model, "template": question.template}
                answer = await self._committed(partial(self._store.put, key, answer, **named))
            else:
                self._count_error(answer)
            self._answers[key] = answer
            self._progress.update()
            if self._paid:
                self._progress.set_postfix_str(f"cost {self._paid:.2f}")

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
            if answer.error is None or self._stop or not answer.error.startswith(UNREADABLE):
                break
        return answer

    async def _paid_call(self, question: Question) -> Answer:
        """One call within the budget; stops the session where the budget forbids it."""
        judge = self._judge
        bound = cost(judge, len(question.text.encode()) + MESSAGE_TOKENS, judge.max_tokens)
        reserve = partial(self._store.reserve, judge.name, bound, judge.budget)
        while bound and not await self._committed(reserve):
            if not self._in_flight:
                self._stop = self._stop or InputError(
                    f"the budget of judge '{judge.name}', {judge.budget:g}, would be passed: "
                    f"{self._store.spent(judge.name):.4f} is spent and the next call may cost "
                    f"{bound:.4f}; every answer so far is in the store",
                    fix="raise the judge's budget and run the same command again",
                )
                return Answer(error="budget")
            # Reservations are upper bounds: a call that ends may leave room for this one.
            self._settled.clear()
            await self._settled.wait()
        self._in_flight += 1
        paid = bound
        try:
            answer = await self._call(question, bound)
            paid = answer.cost
        finally:
            if bound:
                await self._committed(partial(self._store.settle, judge.name, bound, paid))
            self._paid += paid
            self._in_flight -= 1
            self._settled.set()
        return answer

    async def _call(self, question: Question, bound: float) -> Answer:
        # The SDK's time-out counts silence; a reply that drips for ever needs a last end.
        deadline = (RETRIES + 1) * (self._timeout + LONGEST_RETRY_AFTER_SECONDS)
        try:
            async with asyncio.timeout(deadline):
                response = await self._client.chat.completions.with_raw_response.create(
                    model=self._judge.model,
                    messages=[{"role": "user", "content": question.text}],
                    temperature=self._judge.temperature,
                    max_tokens=self._judge.max_tokens,
                )
        except (
            openai.AuthenticationError,
            openai.PermissionDeniedError,
            openai.NotFoundError,
        ) as error:
            self._stop = self._stop or InputError(
                f"judge '{self._judge.name}' was refused: {self._told(error)}",
                fix=f"check {self._judge.key_env}, the judge's model and its base_url",
            )
            return Answer(error="refused")
        except TimeoutError:
            return Answer(error=f"call failed: no whole reply within {deadline:.0f} s")
        except openai.OpenAIError as error:
            return Answer(error=f"call failed: {self._told(error)}")
        return read(response.content, self._judge, self._readable, bound)

    def _count_error(self, answer: Answer) -> None:
        self._errors.append(answer)
        failed = len(self._errors)
        if self._stop or failed / self._total <= self._max_error_share:
            return
        sample = next((e for e in self._errors if e.reply), answer)
        ending = f"; the end of one such reply: {sample.reply[-200:]!r}" if sample.reply else ""
        self._stop = InputError(
            f"judge '{self._judge.name}': {failed} of {self._total} questions failed, more than "
            f"max_error_share {self._max_error_share:g} allows, and asking stopped; "
            f"{sample.error}{ending}",
            fix="answers are in the store; run again to ask only what is missing",
        )

    def _told(self, error: Any) -> str:
        """An error's message on one line, without the key, should a server repeat it."""
        cause = f" ({error.__cause__})" if isinstance(error, openai.APIConnectionError) else ""
        text = " ".join(f"{error}{cause}".replace(self._secret, "***").split())
        return text[:500]
