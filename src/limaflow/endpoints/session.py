"""One run of questions to one judge: what was asked, what came in, why it stopped."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from limaflow.endpoints.answer import correction, kinds, read
from limaflow.endpoints.connection import secrets_of
from limaflow.endpoints.request import one_of, request
from limaflow.endpoints.settings import Budget, Judge
from limaflow.endpoints.spending import Spending
from limaflow.endpoints.store import Answer, Store
from limaflow.errors import InputError

UNBOUNDED = Budget()


@dataclass(frozen=True)
class Question:
    """One message to a model, and a hash of the text it was made from."""

    text: str
    template: str
    words: tuple[str, ...] = ()
    """What a reply may end with."""

    def request(self, judge: Judge, earlier: Answer | None = None) -> dict[str, Any]:
        """The body of the request that asks it; once more, where an earlier reply is shown."""
        return request(
            judge,
            [{"role": "user", "content": self.text}, *(correction(earlier) if earlier else [])],
            temperature=judge.temperature,
            max_tokens=judge.max_tokens,
            response_format=one_of(self.words) if judge.structured else None,
        )


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Who is asked, where answers are kept, and what may be spent and lost."""

    judge: Judge
    store: Path
    identity: str = ""
    """What the judge's model name does not distinguish (the demo server's code and truth)."""
    run: str = ""
    """Whose budget the calls are counted against, over all processes that share the store."""
    budget: Budget = UNBOUNDED
    max_error_share: float = 0.0


class Session:
    """What came in of one run's questions, what failed, and why it stopped."""

    def __init__(
        self,
        terms: Terms,
        store: Store,
        readable: Callable[[str], bool],
        *,
        total: int,
        done: int,
    ) -> None:
        self.terms = terms
        self.store = store
        self.readable = readable
        self.secrets = secrets_of(terms.judge, f"judge '{terms.judge.name}'")
        self.stop: InputError | None = None
        self._total = total
        self._answers: dict[str, Answer] = {}
        self._errors: list[Answer] = []
        self._spent = store.spent(terms.run)
        self._named = store.answered_by(terms.judge.name, terms.judge.model)
        self._progress = tqdm(total=total, initial=done, desc=terms.judge.name, unit="answer")

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.close()

    def finished(self) -> Mapping[str, Answer]:
        """Key → answer; raises why the session stopped, if it did."""
        if self.stop:
            raise self.stop
        return self._answers

    def read(self, body: bytes, bound: Spending) -> Answer:
        """The answer in a response's body; an error shows no secret that the body may repeat."""
        answer = read(body, self.terms.judge, self.readable, bound)
        if answer.error is None:
            return answer
        hidden_in = self.secrets.hidden_in
        return replace(answer, error=hidden_in(answer.error), reply=hidden_in(answer.reply))

    def add(self, key: str, answer: Answer) -> None:
        """Take in a question's last answer, or the error that it ends with."""
        if answer.error is not None:
            self._count_error(answer)
        elif answer.answered_by not in self._named:
            if self._named:
                tqdm.write(
                    f"judge '{self.terms.judge.name}': the endpoint's model changed from "
                    f"'{self._named[-1]}' to '{answer.answered_by}'",
                    file=sys.stderr,
                )
            self._named.append(answer.answered_by)
        self._answers[key] = answer
        self._progress.update()

    def pay(self, paid: Spending) -> None:
        """Say beside the progress what the run has spent so far."""
        self._spent += paid
        self.say(self._spent.of(self.terms.budget))

    def say(self, text: str) -> None:
        """Say something beside the progress."""
        self._progress.set_postfix_str(text, refresh=False)

    def refuse(self, message: str) -> None:
        """Stop: the endpoint will not answer any question."""
        judge = self.terms.judge
        self.stop = self.stop or InputError(
            f"judge '{judge.name}' was refused: {message}",
            fix=f"check {judge.key_env}, the judge's model and its base_url",
        )

    def _count_error(self, answer: Answer) -> None:
        self._errors.append(answer)
        failed = len(self._errors)
        if self.stop or failed / self._total <= self.terms.max_error_share:
            return
        sample = next((e for e in self._errors if e.reply), answer)
        ending = f"; the end of one such reply: {sample.reply[-200:]!r}" if sample.reply else ""
        self.stop = InputError(
            f"judge '{self.terms.judge.name}': {failed} of {self._total} questions failed "
            f"({kinds(e.error or '' for e in self._errors)}), more than max_error_share "
            f"{self.terms.max_error_share:g} allows, and asking stopped; {sample.error}{ending}",
            fix="answers are in the store; run again to ask only what is missing",
            may_pass=True,
        )
