"""What calls cost: tokens and money, what they may cost at most, and where a budget stops them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from limaflow.endpoints.settings import REPLY_COUNTS, REPLY_LIMITS, Budget, Endpoint, Judge
from limaflow.errors import InputError

BATCH_PRICE = 0.5
"""Of the price of a live call: https://platform.openai.com/docs/guides/batch."""
MESSAGE_TOKENS = 16
"""Tokens that a chat template puts around one message: a generous bound."""


class BudgetReached(InputError):
    """Asking stopped before the run's budget would have been passed, or could be kept no more."""

    exit_code = 3


@dataclass(frozen=True)
class Spending:
    """Money, in the currency of the judges' prices, and prompt and completion tokens."""

    cost: float = 0.0
    tokens: int = 0
    reply_tokens: int = 0
    """Of the tokens; not kept in the store."""

    def __add__(self, other: Self) -> "Spending":
        return Spending(
            self.cost + other.cost,
            self.tokens + other.tokens,
            self.reply_tokens + other.reply_tokens,
        )

    def __sub__(self, other: Self) -> "Spending":
        return Spending(
            self.cost - other.cost,
            self.tokens - other.tokens,
            self.reply_tokens - other.reply_tokens,
        )

    def exceeds(self, bound: Self) -> bool:
        """Whether a call took more than it could, of any one kind.

        Each by itself: the generous bound of a prompt would hide surplus tokens of its reply.
        """
        return (
            self.reply_tokens > bound.reply_tokens
            or self.tokens > bound.tokens
            or self.cost > bound.cost * (1 + 1e-9)
        )

    def within(self, budget: Budget) -> bool:
        """Whether a run that used this up has kept to `budget`."""
        return (budget.cost is None or self.cost <= budget.cost) and (
            budget.tokens is None or self.tokens <= budget.tokens
        )

    def of(self, budget: Budget) -> str:
        """For people: what is spent, and of how much where that is bounded."""
        cost_bound = "" if budget.cost is None else f" of {budget.cost:g}"
        token_bound = "" if budget.tokens is None else f" of {budget.tokens:,}"
        return f"cost {self.cost:.2f}{cost_bound}, {self.tokens:,}{token_bound} tokens"


def cost(endpoint: Endpoint, prompt_tokens: int, completion_tokens: int) -> float:
    """What a call costs, in the currency of the endpoint's prices."""
    whole = (
        prompt_tokens * endpoint.price_per_million_prompt_tokens
        + completion_tokens * endpoint.price_per_million_completion_tokens
    ) / 1e6
    return whole * BATCH_PRICE if isinstance(endpoint, Judge) and endpoint.batch else whole


def bound_of(endpoint: Endpoint, body: Mapping[str, Any]) -> Spending:
    """The most that a request can use up: a token a byte of what is sent, and its reply's limit.

    Of parameters those with texts count, since instructions, a schema or a tool become a part of
    the prompt.

    Raises:
        InputError: as `reply_limit`.
    """
    turns = body.get("messages") or body.get("input") or ()
    others = [v for v in body.values() if isinstance(v, dict | list | str) and v is not turns]
    texts = [*(turn["content"] for turn in turns), *(json.dumps(other) for other in others)]
    prompt = sum(len(text.encode(errors="replace")) + MESSAGE_TOKENS for text in texts)
    reply = reply_limit(body)
    return Spending(cost(endpoint, prompt, reply), prompt + reply, reply)


def reply_limit(body: Mapping[str, Any]) -> int:
    """The most tokens that the replies to a request can have.

    Of several limits the largest counts.

    Raises:
        InputError: `extra_body` has taken the limit out and named no other.
    """
    limits = [body[name] for name in REPLY_LIMITS if body.get(name)]
    if not limits:
        raise InputError(
            f"the replies of {body['model']} have no limit, so that no budget can be kept",
            fix=f"extra_body: {{{REPLY_LIMITS[1]}: 4096}}",
        )
    replies = max([1, *(body[name] for name in REPLY_COUNTS if body.get(name))])
    return int(max(limits)) * int(replies)


def unsettled(reserved: Spending) -> str:
    """For people: what may have been spent besides; "" where nothing may."""
    if not reserved.tokens:
        return ""
    return (
        f"up to cost {reserved.cost:.2f} and {reserved.tokens:,} tokens more by calls that are "
        "under way elsewhere, or that a kill cut off, which may have been charged (`limaflow judge "
        "release` gives back what processes that have ended held)"
    )


def reached(budget: Budget, spent: Spending, reserved: Spending, bound: Spending) -> BudgetReached:
    """The message of a run that stops."""
    besides = unsettled(reserved)
    return BudgetReached(
        f"the budget of this run would be passed, and asking stopped: spent are {spent.of(budget)}"
        f"{', and ' * bool(besides)}{besides}; the next call may cost {bound.cost:.4f} and take "
        f"{bound.tokens:,} tokens; every answer so far is kept",
        fix="raise judging.budget and run the same command again",
    )


def broken(paid: Spending, bound: Spending) -> BudgetReached:
    """The message of a run whose endpoint takes more than it was allowed."""
    return BudgetReached(
        f"a call took {paid.tokens:,} tokens, {paid.reply_tokens:,} of them for its reply, and "
        f"cost {paid.cost:.4f}; what was sent allows {bound.tokens:,}, {bound.reply_tokens:,} and "
        f"{bound.cost:.4f}: no budget can be kept, and asking stopped; every answer so far is "
        "kept",
        fix="raise the limit of replies (max_tokens, or its name in extra_body) to what they "
        "really take, or set no budget",
    )
