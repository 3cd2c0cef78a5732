"""What calls cost: tokens and money, what they may cost at most, and where a budget stops them."""

from dataclasses import dataclass
from typing import Self

from limaflow.endpoints.settings import Budget, Endpoint, Judge
from limaflow.errors import InputError

BATCH_PRICE = 0.5
"""Of the price of a live call: https://platform.openai.com/docs/guides/batch."""
REPLY_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""Names under which endpoints take the limit of a reply."""
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

    def __add__(self, other: Self) -> "Spending":
        return Spending(self.cost + other.cost, self.tokens + other.tokens)

    def __sub__(self, other: Self) -> "Spending":
        return Spending(self.cost - other.cost, self.tokens - other.tokens)

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


def bound_of(endpoint: Endpoint, *messages: str, max_tokens: int) -> Spending:
    """The most that one reply to `messages` can use up: a token a byte, and the reply's limit.

    Raises:
        InputError: as `reply_limit`.
    """
    prompt = sum(len(text.encode(errors="replace")) + MESSAGE_TOKENS for text in messages)
    reply = reply_limit(endpoint, max_tokens)
    return Spending(cost(endpoint, prompt, reply), prompt + reply)


def reply_limit(endpoint: Endpoint, max_tokens: int) -> int:
    """The most tokens that replies to one request can have, by what is really sent.

    `extra_body` has the last word over `max_tokens`; of several limits the largest counts, and `n`
    asks for so many replies.

    Raises:
        InputError: `extra_body` takes the limit out and names no other.
    """
    sent = {"max_tokens": max_tokens, **endpoint.extra_body}
    limits = [sent[name] for name in REPLY_LIMITS if isinstance(sent.get(name), int)]
    if not limits:
        raise InputError(
            f"the replies of {endpoint.model} have no limit, so that no budget can be kept",
            fix=f"extra_body: {{{REPLY_LIMITS[1]}: 4096}}",
        )
    replies = sent.get("n")
    return int(max(limits)) * (replies if isinstance(replies, int) and replies > 1 else 1)


def unsettled(reserved: Spending) -> str:
    """For people: what may have been spent besides; "" where nothing may."""
    if not reserved.tokens:
        return ""
    return (
        f"up to cost {reserved.cost:.2f} and {reserved.tokens:,} tokens more by calls that are "
        "under way elsewhere, or that a kill cut off, which may have been charged"
    )


def reached(budget: Budget, spent: Spending, reserved: Spending, bound: Spending) -> BudgetReached:
    """The message of a run that stops."""
    besides = unsettled(reserved)
    return BudgetReached(
        f"the budget of this run would be passed, and asking stopped: spent are {spent.of(budget)}"
        f"{', and ' * bool(besides)}{besides}; the next call may cost {bound.cost:.4f} and take "
        f"{bound.tokens:,} tokens; every answer so far is kept",
        fix=f"raise judging.budget{', or wait for other processes,' * bool(besides)} and run the "
        "same command again",
    )


def broken(paid: Spending, bound: Spending) -> BudgetReached:
    """The message of a run whose endpoint takes more than it was allowed."""
    return BudgetReached(
        f"a call took {paid.tokens:,} tokens and cost {paid.cost:.4f}; its prompt and the limit of "
        f"its reply allow {bound.tokens:,} and {bound.cost:.4f}: no budget can be kept, and asking "
        "stopped; every answer so far is kept",
        fix="raise max_tokens to what replies really take, or set no budget",
    )
