"""What judging would cost, before a call is made: real tokens where a tokenizer can count them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limaflow.endpoints.client import key_of, stored
from limaflow.endpoints.request import request
from limaflow.endpoints.session import Question, Terms
from limaflow.endpoints.settings import Judge
from limaflow.endpoints.spending import cost, reply_limit
from limaflow.endpoints.store import Answer, Store
from limaflow.errors import InputError
from limaflow.generation.settings import AskedEndpoint, Decoding
from limaflow.records import Example, asked_turns

FRAME_TOKENS = 7
"""Around one message of a chat (OpenAI cookbook, "How to count tokens with tiktoken")."""
BYTES_PER_TOKEN = 4.0
"""Of English, roughly: what is left where nothing better is known."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """Of one job; tokens and money are of the questions that no stored answer spares."""

    job: str
    questions: int
    to_ask: int
    prompt_tokens: int
    reply_tokens: int
    """As many a question as stored replies of this job have, else as their limit allows."""
    cost: float
    cost_at_most: float
    """Every reply as long as it may be, none asked for twice."""
    counted_by: str

    def line(self) -> str:
        """For people."""
        return (
            f"{self.job}: {self.to_ask} of {self.questions} questions to ask, "
            f"{self.prompt_tokens:,} prompt tokens ({self.counted_by}), "
            f"{self.reply_tokens:,} of replies: {self.cost:.2f}, at most {self.cost_at_most:.2f}"
        )


def price(job: str, questions: Sequence[Question], terms: Terms) -> Price:
    """What `questions` would cost under `terms`; reads the store, makes no call.

    Raises:
        InputError: the judge's tokenizer cannot be read.
    """
    judge = terms.judge
    wanted = {key_of(question, terms): question for question in questions}
    known: dict[str, Answer] = {}
    """Text of a question → its answer."""
    if terms.store.exists():
        with Store(terms.store) as kept:
            found = ((q.text, stored(kept, q, terms)) for q in wanted.values())
            known = {text: answer for text, answer in found if answer}
    to_ask = [question for question in wanted.values() if question.text not in known]
    asked = [question.text for question in to_ask]
    prompt_tokens, counted_by = _prompt_tokens(asked, judge, known)
    longest = sum(reply_limit(question.request(judge)) for question in to_ask)
    reply_tokens = longest
    if known:
        seen = sum(answer.completion_tokens for answer in known.values())
        reply_tokens = round(len(asked) * seen / len(known))
    return Price(
        job=job,
        questions=len(wanted),
        to_ask=len(asked),
        prompt_tokens=prompt_tokens,
        reply_tokens=reply_tokens,
        cost=cost(judge, prompt_tokens, reply_tokens),
        cost_at_most=cost(judge, prompt_tokens, longest),
        counted_by=counted_by,
    )


def price_of_responses(arm: AskedEndpoint, prompts: Sequence[Example], decoding: Decoding) -> Price:
    """What an endpoint's responses to `prompts` would cost, each as long as it may be."""
    texts = ["\n".join(turn.content for turn in asked_turns(prompt)) for prompt in prompts]
    asked = len(texts) * decoding.samples
    prompt_tokens = _guessed(texts) * decoding.samples
    limit = reply_limit(request(arm, [], max_tokens=decoding.max_tokens))
    reply_tokens = asked * limit
    at_most = cost(arm, prompt_tokens, reply_tokens)
    return Price(
        job=f"responses of {arm.name}",
        questions=asked,
        to_ask=asked,
        prompt_tokens=prompt_tokens,
        reply_tokens=reply_tokens,
        cost=at_most,
        cost_at_most=at_most,
        counted_by=f"a guess of {BYTES_PER_TOKEN:g} bytes a token",
    )


def _prompt_tokens(texts: Sequence[str], judge: Judge, known: dict[str, Answer]) -> tuple[int, str]:
    """Tokens of `texts` as prompts, and how they were counted."""
    if judge.tokenizer is not None:
        tokenizer = _tokenizer(judge.tokenizer)
        return (
            sum(len(tokenizer.encode(text).ids) + FRAME_TOKENS for text in texts),
            f"counted by {judge.tokenizer}",
        )
    seen = sum(answer.prompt_tokens for answer in known.values())
    if seen:
        share = seen / sum(len(text.encode()) for text in known)
        size = sum(len(text.encode()) for text in texts)
        return round(size * share), f"as the endpoint counted {len(known)} stored answers"
    guess = (
        f"a guess of {BYTES_PER_TOKEN:g} bytes a token; name the judge's tokenizer to count them"
    )
    return _guessed(texts), guess


def _guessed(texts: Sequence[str]) -> int:
    size = sum(len(text.encode()) for text in texts)
    return round(size / BYTES_PER_TOKEN) + FRAME_TOKENS * len(texts)


def _tokenizer(location: str) -> Any:
    from tokenizers import Tokenizer

    path = Path(location)
    try:
        if path.exists():
            return Tokenizer.from_file(str(path / "tokenizer.json" if path.is_dir() else path))
        return Tokenizer.from_pretrained(location)
    except Exception as error:  # the library raises nothing more precise
        raise InputError(f"no tokenizer at {location}: {error}") from None
