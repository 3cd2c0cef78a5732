"""P-values corrected for the number of tests (Holm 1979)."""

from collections import defaultdict
from collections.abc import Hashable, Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number, in their order.

    Those of at most `level` are significant where the chance of any false one is to be `level`.
    """
    found, least = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda n: p_values[n])):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        found[place] = least
    return found


def holm_by_family(
    families: Sequence[Hashable], p_values: Sequence[float | None]
) -> list[float | None]:
    """The same within each family of tests; None stays None and counts as no test.

    Args:
        families: of each p-value.
    """
    places: dict[Hashable, list[int]] = defaultdict(list)
    for place, (family, p_value) in enumerate(zip(families, p_values, strict=True)):
        if p_value is not None:
            places[family].append(place)
    found: list[float | None] = [None] * len(p_values)
    for own in places.values():
        values = holm([p_value for place in own if (p_value := p_values[place]) is not None])
        for place, value in zip(own, values, strict=True):
            found[place] = value
    return found


def in_words(p_value: float | None) -> str:
    """A p-value for a table, in three digits, however small; "" where there is none."""
    return "" if p_value is None else f"{p_value:.3g}"
