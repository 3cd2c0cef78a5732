"""What each annotator chose on each item, pass by pass.

An item is two responses to one prompt; what an annotator chooses is which model's is better, or
neither. Where it was asked in both orders, the two are merged into one rating.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from limaflow.errors import InputError, shortened
from limaflow.measures.summaries import Merge
from limaflow.records import Verdict

CATEGORIES, TIE, MISSING = 3, 2, -1
"""0: the model whose name comes first in the alphabet is better; 1: the other."""

Item = tuple[str, int, str, str]
Orders = dict[str, int]
"""Model shown first → code; MISSING where that verdict failed."""
Shares = tuple[float, ...]
"""A rating: what part of it falls on each code."""
Passes = dict[str, list[dict[Item, Orders]]]
"""Annotator → passes over the material → item → orders."""


def passes_of(files: Sequence[Sequence[Verdict]]) -> Passes:
    """The passes of all files; what an annotator judges again in another file, or in
    a further reading, is another pass.

    Raises:
        InputError: a file holds one verdict twice.
    """
    passes: Passes = {}
    for verdicts in files:
        seen: dict[tuple[int, str], dict[Item, Orders]] = defaultdict(lambda: defaultdict(dict))
        for v in verdicts:
            one, other = sorted((v.first, v.second))
            orders = seen[v.reading, v.annotator][v.prompt_id, v.sample, one, other]
            if v.first in orders:
                raise InputError(
                    f"prompt {shortened(v.prompt_id)}, sample {v.sample}: two verdicts of "
                    f"'{shortened(v.annotator)}' with '{shortened(v.first)}' shown first in one "
                    "file",
                    fix="`limaflow judge import --repeats` takes the second one as another pass",
                )
            orders[v.first] = _code(v, one)
        for (_, annotator), items in sorted(seen.items()):
            _lay(passes.setdefault(annotator, []), items)
    return passes


def _lay(passes: list[dict[Item, Orders]], items: dict[Item, Orders]) -> None:
    """Put each choice into the first pass that does not hold one of its item and order yet."""
    for item, orders in items.items():
        for shown, code in orders.items():
            free = (p for p in passes if shown not in p.get(item, {}))
            place = next(free, None)
            if place is None:
                place = {}
                passes.append(place)
            place.setdefault(item, {})[shown] = code


def _code(verdict: Verdict, one: str) -> int:
    if verdict.choice is None:
        return MISSING
    if verdict.choice == "tie":
        return TIE
    return int((verdict.first if verdict.choice == "first" else verdict.second) != one)


def merged(items: Mapping[Item, Orders], rule: Merge) -> dict[Item, Shares]:
    """One rating an item; items of which a verdict failed are left out.

    strict: a tie where the orders disagree. majority: likewise, but a tie yields to the other
    order's choice. mean: each order counts an equal part.
    """
    found = {}
    for item, orders in items.items():
        codes = list(orders.values())
        if MISSING in codes:
            continue
        if rule == "majority":
            codes = [code for code in codes if code != TIE] or codes
        if rule != "mean" and len(set(codes)) > 1:
            codes = [TIE]
        found[item] = tuple(codes.count(code) / len(codes) for code in range(CATEGORIES))
    return found
