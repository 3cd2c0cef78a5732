"""Questions to a judge behind an OpenAI-compatible endpoint: each paid once, none lost.

Answers come from the store where it has them; the rest is asked, live or by the provider's batch
API, and goes into the store the moment it arrives.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from limaflow.endpoints.batch_api import ask_by_batch
from limaflow.endpoints.live import ask_live
from limaflow.endpoints.session import Question, Session, Terms
from limaflow.endpoints.store import Answer, Store
from limaflow.seeds import digest


def endpoint_of(terms: Terms) -> str:
    """The endpoint as the store's keys name it: none where an identity stands for it."""
    default = "" if terms.identity else os.environ.get("OPENAI_BASE_URL", "")
    return terms.judge.base_url or default


def key_of(question: Question, terms: Terms) -> str:
    """The content address of a question: all that may change its answer, and nothing else."""
    judge = terms.judge
    parameters = {"temperature": judge.temperature, "max_tokens": judge.max_tokens}
    parameters |= judge.extra_body
    named = (judge.model, endpoint_of(terms), terms.identity, parameters)
    return digest(*named, question.template, question.text, length=64)


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
        answers = {key: answer for key in dict.fromkeys(keys) if (answer := kept.get(key))}
        missing = {k: q for k, q in zip(keys, questions, strict=True) if k not in answers}
        if missing:
            with Session(terms, kept, readable, total=len(set(keys)), done=len(answers)) as session:
                ask = ask_by_batch if terms.judge.batch else ask_live
                asyncio.run(ask(session, missing))
            answers |= session.finished()
    paid: set[str] = set()
    listed = []
    for key in keys:
        listed.append(replace(answers[key], cost=0.0) if key in paid else answers[key])
        paid.add(key)
    return listed
