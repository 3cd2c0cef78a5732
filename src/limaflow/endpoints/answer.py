"""The answer in what a judge's endpoint sent back, and what it cost.

An error begins with its kind. Of these only an unreadable reply is asked for again: a model that
refuses and a filter that withholds do so a second time, and what failed was repeated when it did.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from limaflow.endpoints.completion import Completion, Failure, completion_in
from limaflow.endpoints.settings import Judge
from limaflow.endpoints.spending import Spending, cost
from limaflow.endpoints.store import Answer

UNREADABLE, REFUSED, WITHHELD, FAILED = "unreadable", "refused", "withheld", "call failed"
"""How errors begin."""
NO_COMPLETION = f"{UNREADABLE}: not a completion"
BROKEN_OFF = f"{UNREADABLE}: the provider broke off in the middle"
ENDINGS = {
    "content_filter": f"{WITHHELD}: by the provider's content filter",
    "error": BROKEN_OFF,
    "length": f"{UNREADABLE}: cut off after {{limit:,}} tokens",
}
"""Finish reason → the error of a reply that did not come to its end."""
NO_TEXT = "(no text)"
"""Given back to the model in place of an empty reply, which some endpoints take for no turn."""


def read(body: bytes, judge: Judge, readable: Callable[[str], bool], bound: Spending) -> Answer:
    """The answer in a response body, with an error where it cannot be read.

    Args:
        readable: whether a reply has the form asked for.
        bound: what to assume where the body does not say how many tokens were used.
    """
    found = completion_in(body)
    if isinstance(found, Failure):
        return Answer(error=f"{FAILED}: {found.message}"[:500])
    prompt_tokens, completion_tokens = bound.tokens - bound.reply_tokens, bound.reply_tokens
    if found is not None and found.usage is not None:
        prompt_tokens, completion_tokens = found.usage.prompt_tokens, found.usage.completion_tokens
    shown = body[:2000].decode(errors="replace")
    return Answer(
        reply=shown if found is None else found.text or found.refusal or "",
        answered_by="" if found is None else found.answered_by,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost=cost(judge, prompt_tokens, completion_tokens),
        error=NO_COMPLETION if found is None else _error(found, readable, bound.reply_tokens),
    )


def _error(found: Completion, readable: Callable[[str], bool], limit: int) -> str | None:
    if found.refusal:
        return f"{REFUSED}: {' '.join(found.refusal.split())}"[:500]
    if ended := ENDINGS.get(found.finish_reason or ""):
        return ended.format(limit=limit)
    if readable(found.text or ""):
        return None
    last = "the last line is not one of the answers asked for"
    return f"{UNREADABLE}: {last if (found.text or '').strip() else 'no text'}"


def kinds(errors: Iterable[str]) -> str:
    """How many errors there are of each kind, for people."""
    found = Counter(error.partition(":")[0] for error in errors)
    return ", ".join(f"{count} {kind}" for kind, count in found.most_common())


def in_vain(answer: Answer) -> bool:
    """Whether another call would end as this one did, or has been made already."""
    return answer.error is None or not answer.error.startswith(UNREADABLE)


def correction(answer: Answer) -> list[dict[str, str]]:
    """The turns that show a model its reply and say what was wrong with it.

    At temperature 0 the same question would get the same reply. None for what no model wrote.
    """
    if in_vain(answer) or answer.error in (NO_COMPLETION, BROKEN_OFF):
        return []
    wrong = (answer.error or "").removeprefix(f"{UNREADABLE}: ")
    request = (
        f"Your reply could not be read: {wrong}. Reply once more, briefly, in the form asked for "
        "above."
    )
    return [
        {"role": "assistant", "content": answer.reply.strip() or NO_TEXT},
        {"role": "user", "content": request},
    ]
