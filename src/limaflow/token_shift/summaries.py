"""Shares of unshifted, marginal and shifted tokens, with intervals over prompts.

A prompt is the unit: its tokens, of all its responses, are drawn together. Three shares of one set
of positions stand side by side:

- `shifted`: of the tokens as they were drawn, in the reference.
- `floor`: of the same tokens in the tuned model itself. It is what sampling alone makes, and 0 for
  greedy decoding; for a model beside itself it equals `shifted`.
- `choice_shifted`: of the tokens that the tuned model holds most probable at these positions, in
  the reference. It is free of sampling, as the greedy responses of Lin et al. 2023 (arXiv
  2312.01552) are, and 0 for a model beside itself.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from limaflow.intervals import Interval, NotEstimable, Resampling, ratio_of
from limaflow.token_shift.shifted_response import MARGINAL, SHIFTED, ShiftedResponse
from limaflow.token_shift.token_classes import CLASSES

Token = tuple[ShiftedResponse, int]
"""A response and the place of one of its tokens."""
Array = NDArray[np.float64]
MOST_TOKENS = 40
"""Of the list of the most shifted tokens."""
FEWEST_TIMES = 2
"""A token that was shifted less often is not in that list, since anything happens once."""


@dataclass(frozen=True, kw_only=True)
class ShiftSummary:
    """The tokens of one part of the responses of a model, in one reference; shares from 0 to 1."""

    model: str
    reference: str
    role: str
    by: Literal["all", "class", "position"]
    part: str
    """`all`, a class, or positions such as `5–8`, counted from 1."""
    tokens: int
    prompts: int
    unshifted: Interval
    """Rank 1 in the reference, as drawn; `marginal`: 2 and 3; `shifted`: above 3."""
    marginal: Interval
    shifted: Interval
    floor: Interval
    beyond_floor: Interval
    """`shifted` minus `floor`, paired by prompt."""
    choice_unshifted: Interval
    choice_shifted: Interval
    divergence: float
    """Mean KL(tuned ‖ reference) of a position, in nats."""
    divergence_low: float | None
    """None where every resample has the same mean."""
    divergence_high: float | None
    probability: float
    """Geometric mean of the tokens' probabilities in the reference."""
    own_probability: float
    """In the tuned model."""


@dataclass(frozen=True, kw_only=True)
class ShiftedStyle:
    """Whether what is shifted is style; of tokens that are the tuned model's own first choice.

    Sentence starts and ends of turn count for neither side.
    """

    model: str
    reference: str
    role: str
    prompts: int
    """With a shifted token of style or content."""
    shifted: int
    """Tokens of style and content that are shifted."""
    style_share: Interval | None
    """Of these, the share of style; None where none is shifted."""
    difference: Interval | None
    """Shifted share of style tokens minus that of content tokens; None without tokens of both."""


@dataclass(frozen=True, kw_only=True)
class ShiftedToken:
    """A token that is often shifted."""

    model: str
    reference: str
    role: str
    text: str
    times: int
    shifted: int
    floor: int
    """How often its rank in the tuned model itself was above 3."""
    divergence: float
    """Mean at its positions."""
    instead: str
    """What the reference held most probable there most often."""
    classes: list[str]


@dataclass(frozen=True, kw_only=True)
class Shift:
    """The content of shift.json."""

    summaries: list[ShiftSummary]
    style: list[ShiftedStyle]
    tokens: list[ShiftedToken]


def summarized(responses: Sequence[ShiftedResponse], resampling: Resampling) -> Shift:
    """What the responses of each model come to in each of its references."""
    pairs: dict[tuple[str, str], list[ShiftedResponse]] = defaultdict(list)
    for response in responses:
        pairs[response.model, response.reference].append(response)
    summaries: list[ShiftSummary] = []
    style: list[ShiftedStyle] = []
    tokens: list[ShiftedToken] = []
    for found in pairs.values():
        seeded = resampling.seeded("token shift", found[0].model)
        summaries += _summaries(found, seeded)
        style.append(_style(found, seeded))
        tokens += most_shifted(found)
    return Shift(summaries=summaries, style=style, tokens=tokens)


def in_words(responses: Sequence[ShiftedResponse]) -> str:
    """The shares of one model in one reference, in a line."""
    tokens = [token for response in responses for token in _tokens(response)]
    if not tokens:
        return "no tokens"
    first = responses[0]

    def share(is_so: Callable[[Token], bool]) -> str:
        return f"{sum(map(is_so, tokens)) / len(tokens):.1%}"

    divergence = sum(r.divergences[place] for r, place in tokens) / len(tokens)
    return (
        f"{first.model} in {first.reference}: {len(tokens):,} tokens of {len(responses):,} "
        f"responses: unshifted {share(_is_unshifted)}, marginal {share(_is_marginal)}, shifted "
        f"{share(_is_shifted)} (in {first.model} itself, by sampling: {share(_is_floor)}); its "
        f"first choices: shifted {share(_is_choice_shifted)}; KL {divergence:.4f} nats"
    )


def position_bin(place: int) -> str:
    """The positions that are counted together with one: 1, 2, 3–4, 5–8, and so on.

    Args:
        place: from 0.
    """
    high = 1 << place.bit_length()
    return f"{high // 2 + 1}–{high}" if high > 2 else str(high)


def most_shifted(responses: Sequence[ShiftedResponse]) -> list[ShiftedToken]:
    """The tokens that are shifted most often, those of the same text together."""
    by_text: dict[str, list[Token]] = defaultdict(list)
    for response in responses:
        for token in _tokens(response):
            by_text[_text(token)].append(token)
    found = []
    for text, tokens in by_text.items():
        shifted = [token for token in tokens if _is_shifted(token)]
        if len(shifted) < FEWEST_TIMES:
            continue
        instead = Counter(r.instead[place] for r, place in shifted)
        kinds: Counter[str] = Counter(r.classes[place] for r, place in shifted)
        found.append(
            ShiftedToken(
                model=responses[0].model,
                reference=responses[0].reference,
                role=responses[0].role,
                text=text,
                times=len(tokens),
                shifted=len(shifted),
                floor=sum(map(_is_floor, tokens)),
                divergence=sum(r.divergences[place] for r, place in tokens) / len(tokens),
                instead=min(instead, key=lambda other: (-instead[other], other)),
                classes=sorted(kinds, key=lambda kind: (-kinds[kind], kind)),
            )
        )
    found.sort(key=lambda token: (token.floor - token.shifted, -token.divergence, token.text))
    return found[:MOST_TOKENS]


def _summaries(
    responses: Sequence[ShiftedResponse], resampling: Resampling
) -> Iterator[ShiftSummary]:
    tokens = [token for response in responses for token in _tokens(response)]
    parts: dict[tuple[Literal["all", "class", "position"], str], list[Token]] = {
        ("all", "all"): tokens
    }
    for kind in CLASSES:
        parts["class", kind] = [(r, place) for r, place in tokens if r.classes[place] == kind]
    for token in sorted(tokens, key=lambda token: token[1]):
        parts.setdefault(("position", position_bin(token[1])), []).append(token)
    for (by, part), its in parts.items():
        if its:
            yield _summary(by, part, its, resampling)


def _summary(
    by: Literal["all", "class", "position"],
    part: str,
    tokens: Sequence[Token],
    resampling: Resampling,
) -> ShiftSummary:
    units = _Units(tokens)
    shifted, floor = units.count(_is_shifted), units.count(_is_floor)
    divergences = units.total(lambda token: token[0].divergences[token[1]])

    def share(is_so: Callable[[Token], bool]) -> Interval:
        return resampling.share(units.count(is_so), units.wholes)

    low: float | None
    high: float | None
    try:
        mean = resampling.interval(ratio_of(divergences, units.wholes), len(units.wholes))
        low, high = mean.low, mean.high
    except NotEstimable:
        low = high = None
    first = tokens[0][0]
    return ShiftSummary(
        model=first.model,
        reference=first.reference,
        role=first.role,
        by=by,
        part=part,
        tokens=len(tokens),
        prompts=len(units.wholes),
        unshifted=share(_is_unshifted),
        marginal=share(_is_marginal),
        shifted=resampling.share(shifted, units.wholes),
        floor=resampling.share(floor, units.wholes),
        beyond_floor=resampling.difference_of_shares(shifted, units.wholes, floor, units.wholes),
        choice_unshifted=share(lambda token: token[0].choice_ranks[token[1]] < MARGINAL),
        choice_shifted=share(_is_choice_shifted),
        divergence=float(divergences.sum() / units.wholes.sum()),
        divergence_low=low,
        divergence_high=high,
        probability=_geometric_mean(r.log_probabilities[place] for r, place in tokens),
        own_probability=_geometric_mean(r.own_log_probabilities[place] for r, place in tokens),
    )


def _style(responses: Sequence[ShiftedResponse], resampling: Resampling) -> ShiftedStyle:
    tokens = [
        (r, place)
        for response in responses
        for r, place in _tokens(response)
        if r.own_ranks[place] < MARGINAL and r.classes[place] in ("style", "content")
    ]
    shifted = [token for token in tokens if _is_shifted(token)]
    of_shifted, units = _Units(shifted), _Units(tokens)
    style, content = (units.count(partial(_is_of, kind=kind)) for kind in ("style", "content"))
    style_shifted, content_shifted = (
        units.count(partial(_is_shifted_of, kind=kind)) for kind in ("style", "content")
    )
    return ShiftedStyle(
        model=responses[0].model,
        reference=responses[0].reference,
        role=responses[0].role,
        prompts=len(of_shifted.wholes),
        shifted=len(shifted),
        style_share=resampling.share(
            of_shifted.count(partial(_is_of, kind="style")), of_shifted.wholes
        )
        if shifted
        else None,
        difference=resampling.difference_of_shares(style_shifted, style, content_shifted, content)
        if style.any() and content.any()
        else None,
    )


class _Units:
    """Tokens by prompt."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        order = {id: place for place, id in enumerate(sorted({r.prompt_id for r, _ in tokens}))}
        self._places = [order[r.prompt_id] for r, _ in tokens]
        self._number = len(order)
        self.wholes = self.total(lambda token: 1.0)
        """Tokens of each prompt."""

    def total(self, value: Callable[[Token], float]) -> Array:
        """The sum of a value over each prompt's tokens."""
        return np.bincount(
            self._places, weights=[value(token) for token in self._tokens], minlength=self._number
        ).astype(np.float64)

    def count(self, is_so: Callable[[Token], bool]) -> Array:
        """How many of each prompt's tokens are so."""
        return self.total(lambda token: float(is_so(token)))


def _tokens(response: ShiftedResponse) -> Iterator[Token]:
    return ((response, place) for place in range(len(response.tokens)))


def _text(token: Token) -> str:
    response, place = token
    return response.texts[place].strip() or repr(response.texts[place])[1:-1]


def _is_of(token: Token, kind: str) -> bool:
    return token[0].classes[token[1]] == kind


def _is_shifted_of(token: Token, kind: str) -> bool:
    return _is_of(token, kind) and _is_shifted(token)


def _is_unshifted(token: Token) -> bool:
    return token[0].ranks[token[1]] < MARGINAL


def _is_marginal(token: Token) -> bool:
    return MARGINAL <= token[0].ranks[token[1]] < SHIFTED


def _is_shifted(token: Token) -> bool:
    return token[0].ranks[token[1]] >= SHIFTED


def _is_floor(token: Token) -> bool:
    return token[0].own_ranks[token[1]] >= SHIFTED


def _is_choice_shifted(token: Token) -> bool:
    return token[0].choice_ranks[token[1]] >= SHIFTED


def _geometric_mean(logarithms: Iterable[float]) -> float:
    return float(np.exp(np.mean(list(logarithms))))
