"""Responses with each token marked by its shift, as one HTML file without a script.

Colour is never alone: a shifted token has a solid line beneath it, a marginal one a dotted line. A
table under each response lists the shifted tokens with what the reference would have written.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import exp
from pathlib import Path

import jinja2
from markupsafe import Markup

from limaflow.errors import InputError
from limaflow.generation.prompts import read_prompts
from limaflow.records import Example, asked_turns
from limaflow.seeds import generator_for
from limaflow.standalone import source_hash
from limaflow.tags import is_harmful
from limaflow.token_shift.shifted_response import MARGINAL, SHIFTED, ShiftedResponse
from limaflow.token_shift.summaries import Shift

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Run:
    """Neighbouring tokens that are marked alike; of shifted and marginal ones a single token."""

    text: str
    kind: str
    """`unshifted`, `marginal` or `shifted`."""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A shifted token as a row of a response's table."""

    position: int
    text: str
    kind: str
    rank: int
    own_rank: int
    probability: float
    own_probability: float
    instead: str


@dataclass(frozen=True, kw_only=True)
class ShownResponse:
    """One response of the page."""

    model: str
    reference: str
    prompt: str
    harmful: bool
    """Whether prompt and response are folded."""
    finish_reason: str
    runs: list[Run]
    listed: list[Listed]
    tokens: int
    shifted_share: float


def page_of(
    title: str,
    responses: Sequence[ShiftedResponse],
    shift: Shift,
    prompts: Path,
    *,
    most: int,
    seed: int,
) -> str:
    """The page of up to `most` responses of each model, drawn by seed, beside its base.

    Raises:
        InputError: a response is to a prompt that `prompts` does not hold.
    """
    asked = {prompt.id: prompt for prompt in read_prompts(prompts)}
    shown = []
    beside_base = sorted(
        (r for r in responses if r.role == "base"),
        key=lambda r: (r.model, r.reference, r.prompt_id, r.sample),
    )
    for _, its in groupby(beside_base, key=lambda r: (r.model, r.reference)):
        order = list(its)
        generator_for(seed, "token shift page").shuffle(order)
        for response in order[:most]:
            if response.prompt_id not in asked:
                raise InputError(f"no prompt {response.prompt_id}", path=prompts)
            shown.append(_shown(response, asked[response.prompt_id]))
    style, page = (
        (FOLDER / f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "html")
    )
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(page).render(
        title=title,
        style=Markup(style),
        style_hash=source_hash(style),
        shift=shift,
        shown=shown,
        number=len(beside_base),
    )


def _shown(response: ShiftedResponse, prompt: Example) -> ShownResponse:
    tokens = len(response.tokens)
    shifted = [place for place in range(tokens) if response.ranks[place] >= SHIFTED]
    return ShownResponse(
        model=response.model,
        reference=response.reference,
        prompt="\n\n".join(turn.content for turn in asked_turns(prompt)),
        harmful=is_harmful(prompt.tags),
        finish_reason=response.finish_reason,
        runs=list(_runs(response)),
        listed=[_listed(response, place) for place in shifted],
        tokens=tokens,
        shifted_share=len(shifted) / tokens if tokens else 0.0,
    )


def _runs(response: ShiftedResponse) -> Iterator[Run]:
    def kind_of(place: int) -> str:
        rank = response.ranks[place]
        return "unshifted" if rank < MARGINAL else "marginal" if rank < SHIFTED else "shifted"

    for kind, places in groupby(range(len(response.tokens)), key=kind_of):
        if kind == "unshifted":
            yield Run(text="".join(response.texts[place] for place in places), kind=kind)
            continue
        for place in places:
            its = _listed(response, place)
            yield Run(
                text=response.texts[place],
                kind=kind,
                note=f"rank {its.rank} in {response.reference} ({its.probability:.1%}), "
                f"{its.own_rank} in {response.model} ({its.own_probability:.1%}); "
                f"{response.reference} first: {its.instead or its.text}",
            )


def _listed(response: ShiftedResponse, place: int) -> Listed:
    return Listed(
        position=place + 1,
        text=visible(response.texts[place]),
        kind=response.classes[place],
        rank=response.ranks[place],
        own_rank=response.own_ranks[place],
        probability=exp(response.log_probabilities[place]),
        own_probability=exp(response.own_log_probabilities[place]),
        instead=visible(response.instead[place]),
    )


def visible(text: str) -> str:
    """A token's text with white space that can be seen."""
    return text.replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥")
