"""Responses of a model behind an OpenAI-compatible endpoint: the paper's baselines.

An endpoint gets temperature, top-p, the length limit and a seed, and whatever else the arm's
`extra_body` holds. The protocol knows no repetition penalty and nobody promises that one request
gives one text twice: the records say what was sent.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import openai
from tqdm import tqdm

from limaflow.endpoints import control_tokens
from limaflow.endpoints.address import address_of
from limaflow.endpoints.budget import BudgetAccount
from limaflow.endpoints.completion import Completion, Failure, completion_in
from limaflow.endpoints.connection import (
    Secrets,
    complete,
    connected,
    error_text,
    secrets_of,
    withheld,
)
from limaflow.endpoints.request import request
from limaflow.endpoints.settings import Budget
from limaflow.endpoints.spending import Spending, bound_of, cost
from limaflow.endpoints.store import GroupCommit, Store
from limaflow.errors import InputError
from limaflow.generation.kept_responses import KeptResponses, beside, cut_share
from limaflow.generation.prompts import read_prompts, with_prefill
from limaflow.generation.settings import AskedEndpoint, Decoding
from limaflow.jsonl import write_records
from limaflow.records import Example, FinishReason, Response, asked_turns, prefill_of
from limaflow.seeds import digest, seed_for

ATTEMPTS = 3
"""Requests for one response, until what comes back is one."""
CUT_SHORT: dict[str | None, FinishReason] = {
    "length": "length",
    "content_filter": "content_filter",
}
WITHHELD = Completion(
    text=None, refusal=None, finish_reason="content_filter", answered_by="", usage=None
)
"""In place of the reply to a request that a filter stopped."""


def ask(
    endpoint: AskedEndpoint,
    prompts: Path,
    *,
    decoding: Decoding,
    samples: int,
    seed: int,
    store: Path,
    run: str = "",
    budget: Budget,
    output: Path,
) -> tuple[int, float]:
    """Write the responses and return their number and the share cut off by length.

    Args:
        store: the judgment store, which holds what `run` has spent of its `budget`.

    Raises:
        BudgetReached: the run's budget would be passed.
        InputError: no key in the environment, or a request that failed for good. Either way what
            has been answered is kept for the next run.
    """
    secrets = secrets_of(endpoint, f"arm '{endpoint.name}'")
    examples = read_prompts(prompts)
    _check_prefills(endpoint, examples, prompts)
    kept = KeptResponses(beside(output, _identity(endpoint, examples, decoding, seed)))
    wanted = {(example.id, sample) for example in examples for sample in range(samples)}
    todo = [(e, s) for e in examples for s in range(samples) if (e.id, s) not in kept.done]
    asked_texts = ("\n".join(turn.content for turn in asked_turns(e)) for e in examples)
    if notice := control_tokens.notice(asked_texts, endpoint.name):
        tqdm.write(notice, file=sys.stderr)
    if todo:
        with (
            Store(store) as spendings,
            tqdm(total=len(wanted), initial=len(kept.done), desc=endpoint.name) as bar,
        ):
            asking = _RequestPool(
                endpoint=endpoint,
                decoding=decoding,
                seed=seed,
                secrets=secrets,
                kept=kept,
                account=BudgetAccount(spendings, GroupCommit(spendings), run, budget),
                bar=bar,
            )
            asyncio.run(asking.ask(todo))
        if asking.stop:
            raise asking.stop
    responses = kept.sorted(wanted)
    # They cost money, so the hidden file stays for a second run.
    write_records(output, responses)
    return len(wanted), cut_share(responses)


def _check_prefills(endpoint: AskedEndpoint, examples: Sequence[Example], path: Path) -> None:
    begun = sum(bool(prefill_of(example)) for example in examples)
    if not begun:
        return
    if endpoint.api == "responses":
        raise InputError(
            f"{begun} prompts give the beginning of an answer, which the Responses API cannot go "
            f"on with (arm '{endpoint.name}')",
            path=path,
            fix="leave the prefill attacks out, or ask by api: chat",
        )
    if not endpoint.continues:
        raise InputError(
            f"{begun} prompts give the beginning of an answer, and the endpoint of arm "
            f"'{endpoint.name}' is not known to go on with one",
            path=path,
            fix="leave the prefill attacks out; of a server that knows continue_final_message, "
            "such as vLLM, set `continues: true`",
        )


def _identity(
    endpoint: AskedEndpoint, examples: Sequence[Example], decoding: Decoding, seed: int
) -> str:
    """Hash of all that the responses depend on: who is asked, and the requests themselves."""
    requests = [(e.id, _request(endpoint, e, 0, decoding=decoding, seed=seed)) for e in examples]
    place = [address_of(endpoint.base_url), endpoint.api, endpoint.headers]
    return digest(endpoint.name, *place, seed, requests)


def _request(
    endpoint: AskedEndpoint, example: Example, sample: int, *, decoding: Decoding, seed: int
) -> dict[str, Any]:
    turns = [{"role": turn.role, "content": turn.content} for turn in asked_turns(example)]
    # Sent beside the protocol's own parameters, where a prompt needs them.
    going_on: dict[str, Any] = {}
    if prefill := prefill_of(example):
        turns.append({"role": "assistant", "content": prefill})
        going_on = {"continue_final_message": True, "add_generation_prompt": False}
    return request(
        endpoint,
        turns,
        **going_on,
        temperature=decoding.temperature,
        top_p=decoding.top_p,
        max_tokens=decoding.max_tokens,
        # The protocol's seeds are 32 bits wide.
        seed=seed_for(seed, "decoding", example.id, sample) % 2**31,
    )


@dataclass(kw_only=True)
class _RequestPool:
    """The requests under way; those that are when one fails are waited for and kept."""

    endpoint: AskedEndpoint
    decoding: Decoding
    seed: int
    secrets: Secrets
    kept: KeptResponses
    account: BudgetAccount
    bar: "tqdm[Any]"
    stop: InputError | None = None

    async def ask(self, todo: list[tuple[Example, int]]) -> None:
        """Answer `todo`, at most `concurrency` at once, until there is none or one failed."""
        endpoint, places = self.endpoint, iter(todo)
        async with connected(endpoint, self.secrets, timeout=endpoint.timeout_seconds) as client:
            workers = min(endpoint.concurrency, len(todo))
            await asyncio.gather(*(self._work(client, places) for _ in range(workers)))

    async def _work(self, client: openai.AsyncOpenAI, todo: Iterator[tuple[Example, int]]) -> None:
        for example, sample in todo:
            if self.stop:
                return
            try:
                completion = await self._answer(client, example, sample)
            except InputError as error:
                self.stop = self.stop or error
                return
            self.kept.add(self._record(example, sample, completion))
            self.bar.update()

    async def _answer(
        self, client: openai.AsyncOpenAI, example: Example, sample: int
    ) -> Completion:
        endpoint = self.endpoint
        body = _request(endpoint, example, sample, decoding=self.decoding, seed=self.seed)
        bound = bound_of(endpoint, body)
        call = partial(self._call, client, example.id, body, bound)
        failure = self._failure(example.id, "never asked")
        for _ in range(ATTEMPTS):
            if self.stop:
                raise self.stop
            answer = await self.account.pay(bound, call)
            self.bar.set_postfix_str(self.account.spent.of(self.account.budget), refresh=False)
            if isinstance(answer, Completion):
                return answer
            failure = answer
        raise failure

    async def _call(
        self, client: openai.AsyncOpenAI, prompt: str, body: dict[str, Any], bound: Spending
    ) -> tuple[Completion | InputError, Spending]:
        """The completion, or why there is none; and what it cost."""
        try:
            reply = await complete(client, self.endpoint, body, going=lambda: self.stop is None)
        except openai.OpenAIError as error:
            if withheld(error):
                return WITHHELD, Spending()
            self.stop = self.stop or self._failure(prompt, error_text(error, self.secrets))
            return self.stop, Spending()
        found = completion_in(reply)
        if isinstance(found, Failure):
            self.stop = self.stop or self._failure(prompt, self.secrets.hidden_in(found.message))
            return self.stop, Spending()
        paid = bound
        if found and (used := found.usage):
            paid = Spending(
                cost(self.endpoint, used.prompt_tokens, used.completion_tokens),
                used.prompt_tokens + used.completion_tokens,
                used.completion_tokens,
            )
        if found and _is_response(found):
            return found, paid
        shown = self.secrets.hidden_in(reply[:200].decode(errors="replace"))
        return self._failure(prompt, f"no completion with a text came back, but {shown!r}"), paid

    def _failure(self, prompt: str, reason: str) -> InputError:
        return InputError(
            f"arm '{self.endpoint.name}' did not answer prompt {prompt}: {reason}",
            fix="what has been answered is kept; run it again",
        )

    def _record(self, example: Example, sample: int, completion: Completion) -> Response:
        decoding = self.decoding
        return Response(
            prompt_id=example.id,
            model=self.endpoint.name,
            sample=sample,
            # A refusal is what the model has to say to the prompt.
            text=f"{prefill_of(example)}{completion.text or completion.refusal or ''}".strip(),
            tokens=completion.usage.completion_tokens if completion.usage else 0,
            finish_reason=_finish_reason(completion),
            decoding=with_prefill(
                {
                    "temperature": decoding.temperature,
                    "top_p": decoding.top_p,
                    "max_tokens": decoding.max_tokens,
                    # What the arm's extra_body does not send, the endpoint does not do.
                    "repetition_penalty": self.endpoint.extra_body.get("repetition_penalty"),
                    "extra_body": self.endpoint.extra_body,
                    "seed": self.seed,
                    "engine": "openai",
                    "answered_by": completion.answered_by,
                    "reproducible": False,
                },
                prefill_of(example),
            ),
        )


def _finish_reason(completion: Completion) -> FinishReason:
    return CUT_SHORT.get(completion.finish_reason, "stop")


def _is_response(completion: Completion) -> bool:
    """Whether there is a text, if an empty one, or a reason why there can be none.

    A model that reasons may use up its limit before it says a word.
    """
    if completion.finish_reason == "error":
        return False
    said = completion.text is not None or completion.refusal is not None
    return said or completion.finish_reason in CUT_SHORT
