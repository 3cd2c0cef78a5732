"""Questions by a provider's batch API: half the price, an answer within a day.

A batch is recorded in the store before it is sent, and its metadata hold a name that limaflow
chose. A run that was killed at any moment finds its batches by that name and waits for them.
Protocol:
https://platform.openai.com/docs/guides/batch.
"""

import asyncio
import contextlib
import fcntl
import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
from openai.types import Batch as SentBatch
from pydantic import BaseModel, ValidationError

from limaflow.endpoints.address import canonical
from limaflow.endpoints.answer import FAILED, REFUSED, WITHHELD
from limaflow.endpoints.budget import WAITS
from limaflow.endpoints.connection import connected, error_text, refused
from limaflow.endpoints.request import PATHS
from limaflow.endpoints.session import Question, Session
from limaflow.endpoints.settings import Judge
from limaflow.endpoints.spending import Spending, bound_of, broken, reached, reply_limit
from limaflow.endpoints.store import Answer, Batch
from limaflow.errors import InputError

MAX_QUESTIONS = 50_000
MAX_BYTES = 190_000_000
"""What one batch may hold: the protocol's limits, with a margin below its 200 MB."""
MOST_ANSWER_BYTES = 2**30
"""Of the file that a batch comes back as; what lies beyond is asked again."""
FIRST_POLL_SECONDS, LAST_POLL_SECONDS = 1.0, 60.0
ENDED = ("completed", "failed", "expired", "cancelled")
NAME = "limaflow"
"""The key of our name among a batch's metadata."""


class _Line(BaseModel):
    """One line of the files that a batch comes back as."""

    class Reply(BaseModel):
        status_code: int
        body: Any = None

    custom_id: str
    response: Reply | None = None
    error: Any = None


async def ask_by_batch(session: Session, questions: Mapping[str, Question]) -> None:
    """Send `questions` and wait for them; unreadable and failed ones are sent again."""
    judge = session.terms.judge
    async with connected(
        judge,
        session.secrets,
        timeout=judge.timeout_seconds,
        most_bytes=MOST_ANSWER_BYTES,
    ) as connection:
        await _Waiting(session, connection, questions).wait()


class _Waiting:
    """The questions that have no answer yet, and the batches that hold them."""

    def __init__(
        self, session: Session, connection: openai.AsyncOpenAI, questions: Mapping[str, Question]
    ) -> None:
        self._session = session
        self._store = session.store
        self._connection = connection
        self._missing = dict(questions)
        self._template = next(iter(questions.values())).template
        self._attempts: Counter[str] = Counter()
        self._earlier: dict[str, Answer] = {}
        """What came of a question's earlier attempts."""
        self._judge = judge = session.terms.judge
        self._limit = reply_limit(next(iter(questions.values())).request(judge))
        # The SDK's own address ends with a slash, as configured ones do not.
        self._model = f"{judge.model} {canonical(str(connection.base_url))}"
        self._named_before = f"{judge.model} {judge.base_url or connection.base_url}"

    async def wait(self) -> None:
        """Send what is in no batch, poll, take in what has ended, until nothing is missing."""
        try:
            pause = FIRST_POLL_SECONDS
            while not self._session.stop:
                self._take_stored()
                if not self._missing:
                    return
                async with _sending_lock(self._session.terms.store):
                    await self._find_ids_of_sent_batches()
                    waits_for_others = await self._send()
                batches = self._batches_with_missing_questions()
                if not batches and not waits_for_others:
                    return
                if await self._collect(batches):
                    pause = FIRST_POLL_SECONDS
                else:
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.5, LAST_POLL_SECONDS)
        except openai.OpenAIError as error:
            if refused(error):
                self._session.refuse(error_text(error, self._session.secrets))
                return
            self._fail(error_text(error, self._session.secrets))
        except (AttributeError, ValueError) as error:
            # What the SDK, which does not check it, makes of a page in place of an object.
            self._fail(f"it sent no object of the protocol ({error})")

    def _fail(self, reason: str) -> None:
        self._session.stop = InputError(
            f"judge '{self._session.terms.judge.name}': the batch API failed: {reason}",
            fix="run again; batches that were sent are waited for",
            may_pass=True,
        )

    def _take_stored(self) -> None:
        """Answers that another process, waiting for the same batch, has brought in."""
        for key in [key for key in self._missing if self._store.get(key)]:
            self._settle(key, self._store.get(key) or Answer(error="gone"))

    def _batches_with_missing_questions(self) -> list[Batch]:
        open_batches = self._open_batches()
        return [batch for batch in open_batches if not self._missing.keys().isdisjoint(batch.keys)]

    def _open_batches(self) -> list[Batch]:
        """Those of this model, also under an earlier spelling of its endpoint."""
        names = dict.fromkeys((self._model, self._named_before, f"{self._model}/"))
        return [batch for name in names for batch in self._store.open_batches(name)]

    async def _find_ids_of_sent_batches(self) -> None:
        """Name the batches that a killed process may or may not have sent."""
        for batch in self._open_batches():
            if batch.id is None:
                await self._name(batch)

    async def _name(self, batch: Batch) -> None:
        async for listed in self._connection.batches.list(limit=100):
            if (listed.metadata or {}).get(NAME) == batch.token:
                self._store.keep_batch(replace(batch, id=listed.id))
                return
        self._store.close_batch(batch, Spending())

    async def _send(self) -> bool:
        """Send what no open batch holds, as far as the budget reaches.

        True if nothing was sent because other processes hold what is left of the budget.
        """
        held = {key for batch in self._open_batches() for key in batch.keys}
        fresh = {key: q for key, q in self._missing.items() if key not in held}
        while fresh and not self._session.stop:
            batch, lines = self._reserve_batch(fresh)
            if not batch.keys:
                return not self._batches_with_missing_questions() and self._has_room_later(
                    next(iter(fresh.values()))
                )
            fresh = {key: q for key, q in fresh.items() if key not in set(batch.keys)}
            made = await self._connection.files.create(
                file=("questions.jsonl", b"".join(lines)), purpose="batch"
            )
            # Never repeated blindly: a lost reply does not mean that the batch was not made.
            patient = self._connection.with_options(max_retries=0)
            try:
                sent = await patient.batches.create(
                    input_file_id=made.id,
                    endpoint=f"/v1{PATHS[self._judge.api]}",  # type: ignore[arg-type]
                    completion_window="24h",
                    metadata={NAME: batch.token},
                )
            except (openai.APIConnectionError, openai.InternalServerError):
                await self._name(batch)
                if not any(b.token == batch.token for b in self._batches_with_missing_questions()):
                    raise
            except openai.OpenAIError:
                self._store.close_batch(batch, Spending())
                raise
            else:
                self._store.keep_batch(replace(batch, id=sent.id))
        return False

    def _reserve_batch(self, fresh: Mapping[str, Question]) -> tuple[Batch, list[bytes]]:
        """As many questions as one batch may hold and the budget allows, paid for beforehand."""
        terms = self._session.terms
        batch = Batch(
            token=uuid.uuid4().hex,
            model=self._model,
            run=terms.run,
            reserved=Spending(),
            keys=(),
        )
        lines: list[bytes] = []

        def reserve() -> None:
            nonlocal batch
            size, reserved = 0, Spending()
            keys: list[str] = []
            for key, question in fresh.items():
                body = question.request(self._judge, self._earlier.get(key))
                line = _line(key, body, self._judge)
                bound = bound_of(self._judge, body)
                size += len(line)
                if size > MAX_BYTES or len(keys) == MAX_QUESTIONS:
                    break
                if not self._store.reserve(terms.run, bound, terms.budget, batch.token):
                    break
                keys.append(key)
                lines.append(line)
                reserved += bound
            batch = replace(batch, keys=tuple(keys), reserved=reserved)
            if keys:
                self._store.keep_batch(batch)

        self._store.together([reserve])
        return batch, lines

    def _has_room_later(self, question: Question) -> bool:
        """Whether other processes may leave room for a question; stops where they do not."""
        terms = self._session.terms
        bound = bound_of(self._judge, question.request(self._judge))
        if self._store.has_room_later(terms.run, bound, terms.budget):
            self._session.say(WAITS)
            return True
        spent, reserved = self._store.spent(terms.run), self._store.reserved(terms.run)
        self._session.stop = reached(terms.budget, spent, reserved, bound)
        return False

    async def _collect(self, batches: Iterable[Batch]) -> bool:
        """Take in the batches that have ended; True if there were any."""
        found = False
        for batch in batches:
            assert batch.id is not None
            self._store.wait_for(batch)
            try:
                sent = await self._connection.batches.retrieve(batch.id)
            except openai.NotFoundError:
                found = True
                lost = Answer(error=f"{FAILED}: the provider has lost batch {batch.id}")
                self._store.close_batch(batch, batch.reserved)
                self._count(dict.fromkeys(batch.keys, lost))
                continue
            counts = sent.request_counts
            if counts:
                self._session.say(
                    f"batch {sent.status}, {counts.completed} of {counts.total} answered"
                )
            if sent.status in ENDED:
                found = True
                await self._store_batch_answers(batch, sent)
        return found

    async def _store_batch_answers(self, batch: Batch, sent: SentBatch) -> None:
        answers = {key: Answer(error=f"{FAILED}: the batch holds no reply") for key in batch.keys}
        size = len(batch.keys)
        share = Spending(batch.reserved.cost / size, batch.reserved.tokens // size, self._limit)
        for file in (sent.output_file_id, sent.error_file_id):
            if file:
                content = await self._connection.files.content(file)
                for key, answer in self._answers(content.content, share):
                    if key in answers:
                        answers[key] = answer
        paid = sum((answer.spending for answer in answers.values()), start=Spending())
        judge = self._judge
        answers = {
            key: answer.after(self._earlier.get(key, Answer())) for key, answer in answers.items()
        }

        def keep() -> None:
            for key, answer in answers.items():
                if answer.error is None:
                    self._store.put(
                        key, answer, judge=judge.name, model=judge.model, template=self._template
                    )
            self._store.close_batch(batch, paid)

        self._store.together([keep])
        self._session.pay(paid)
        if sent.status == "failed":
            reasons = "; ".join(str(e.message) for e in (sent.errors and sent.errors.data) or [])
            self._session.stop = InputError(
                f"judge '{judge.name}': the provider refused batch {sent.id}: "
                f"{reasons or 'no reason given'}"
            )
            return
        allowed = replace(batch.reserved, reply_tokens=size * self._limit)
        if paid.exceeds(allowed) and not self._session.terms.budget.unbounded:
            self._session.stop = self._session.stop or broken(paid, allowed)
        self._count(answers)

    def _count(self, answers: Mapping[str, Answer]) -> None:
        """Settle what was answered, and what has failed as often as it may."""
        for key in answers.keys() & self._missing.keys():
            self._attempts[key] += 1
            self._earlier[key] = answer = answers[key]
            ended = answer.error is None or answer.error.startswith((REFUSED, WITHHELD))
            if ended or self._attempts[key] == self._judge.attempts:
                self._settle(key, answer)

    def _answers(self, content: bytes, share: Spending) -> Iterator[tuple[str, Answer]]:
        for row in content.splitlines():
            try:
                line = _Line.model_validate_json(row)
            except ValidationError:
                continue
            if line.response is not None and line.response.status_code == 200:
                body = json.dumps(line.response.body).encode()
                yield line.custom_id, self._session.read(body, share)
            else:
                reason = json.dumps(line.error or (line.response and line.response.body))
                reason = self._session.secrets.hidden_in(reason)[:500]
                yield line.custom_id, Answer(error=f"{FAILED}: {reason}")

    def _settle(self, key: str, answer: Answer) -> None:
        del self._missing[key]
        self._session.add(key, answer)


def _line(key: str, body: Mapping[str, Any], judge: Judge) -> bytes:
    asked = {"custom_id": key, "method": "POST", "url": f"/v1{PATHS[judge.api]}", "body": body}
    return json.dumps(asked).encode() + b"\n"


@contextlib.asynccontextmanager
async def _sending_lock(store: Path) -> AsyncIterator[None]:
    """One process at a time sends batches; the kernel's lock ends with its holder."""
    with store.with_name(f".{store.name}.sending").open("w") as file:
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
        yield
