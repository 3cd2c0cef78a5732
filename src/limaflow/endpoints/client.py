"""Questions to a judge behind an OpenAI-compatible endpoint: each paid once, none lost.

Answers come from the store where it has them; the rest is asked, live or by the provider's batch
API, and goes into the store the moment it arrives.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from limaflow.endpoints.address import OPENAI, address_of
from limaflow.endpoints.batch_api import ask_by_batch
from limaflow.endpoints.live import ask_live
from limaflow.endpoints.session import Question, Session, Terms
from limaflow.endpoints.store import Answer, Store
from limaflow.seeds import digest


def endpoint_of(terms: Terms) -> str:
    """The endpoint as the store's keys name it: "" is the SDK's own, or that of an identity."""
    written = terms.judge.base_url
    return "" if terms.identity and not written else address_of(written)


def key_of(question: Question, terms: Terms) -> str:
    """The content address of a question: all that may change its answer, and nothing else."""
    return _key(question, terms, endpoint_of(terms))


def stored(store: Store, question: Question, terms: Terms) -> Answer | None:
    """The answer to a question, also under a key of an earlier spelling of its endpoint."""
    endpoint = endpoint_of(terms)
    written = terms.judge.base_url or os.environ.get("OPENAI_BASE_URL", "")
    spellings = (endpoint, written, f"{endpoint or OPENAI}/", endpoint or OPENAI)
    for key in dict.fromkeys(_key(question, terms, spelling) for spelling in spellings):
        if answer := store.get(key):
            return answer
    return None


def _key(question: Question, terms: Terms, endpoint: str) -> str:
    judge = terms.judge
    parameters = {"temperature": judge.temperature, "max_tokens": judge.max_tokens}
    parameters |= judge.extra_body
    named = (judge.model, endpoint, terms.identity, parameters)
    # What most judges have not is left out, so that their keys are those of earlier versions.
    ways = judge.model_dump(include={"api", "headers", "structured"}, exclude_defaults=True)
    more = [ways] if ways else []
    return digest(*named, question.template, question.text, *more, length=64)


Ask = Callable[[Sequence[Question], Callable[[str], bool]], list[Answer]]
"""Questions, and whether a reply has the form asked for → one answer to each question."""


def ask_all(
    questions: Sequence[Question], readable: Callable[[str], bool], *, terms: Terms
) -> list[Answer]:
    """One answer to each question, in order; those that failed carry an `error`.

    A question that stands several times is asked and paid once: its first answer bears the cost.

    Args:
        readable: whether a reply has the form asked for; others are asked again, up to
            `judge.attempts` times in all.

    Raises:
        BudgetReached: the run's budget would be passed.
        InputError: no key in the environment, the endpoint refuses it or knows no such model, or
            more than `max_error_share` of the questions failed (asking stops once that is
            certain). Answers that came in by then are in the store.
    """
    keys = [key_of(question, terms) for question in questions]
    with Store(terms.store) as kept:
        asked = dict(zip(keys, questions, strict=True))
        answers = {k: answer for k, q in asked.items() if (answer := stored(kept, q, terms))}
        missing = {key: question for key, question in asked.items() if key not in answers}
        if missing:
            with Session(terms, kept, readable, total=len(asked), done=len(answers)) as session:
                ask = ask_by_batch if terms.judge.batch else ask_live
                asyncio.run(ask(session, missing))
            answers |= session.finished()
    paid: set[str] = set()
    listed = []
    for key in keys:
        listed.append(replace(answers[key], cost=0.0) if key in paid else answers[key])
        paid.add(key)
    return listed
