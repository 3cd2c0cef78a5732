"""How many prompts it takes to see a difference, and how small a difference these prompts show.

The normal approximation for a mean of one value a prompt, held against ½ (Miller 2024, arXiv
2411.00640, section 5).
"""

from math import ceil, sqrt
from statistics import NormalDist

DIFFERENCE = 0.05
POWER = 0.8
LARGEST = 0.5


def prompts_needed(spread: float, difference: float, *, confidence: float, power: float) -> int:
    """Prompts on which a true `difference` is found with chance `power`.

    Args:
        spread: standard deviation over prompts of the share won (a tie is ½); at most ½.
        difference: of the expected share from ½; 0.05 is five points.
        confidence: 0.95 for a two-sided test at 5 %.

    Raises:
        ValueError: `difference` is not above 0.
    """
    if difference <= 0:
        raise ValueError("a difference to be found is above 0")
    return ceil((_quantiles(confidence, power) * spread / difference) ** 2)


def detectable(spread: float, prompts: int, *, confidence: float, power: float) -> float | None:
    """The true difference that `prompts` prompts show with chance `power`.

    None where it would have to be more than the ½ that a share can lie from ½.
    """
    difference = _quantiles(confidence, power) * spread / sqrt(prompts)
    return difference if difference <= LARGEST else None


def _quantiles(confidence: float, power: float) -> float:
    normal = NormalDist()
    return normal.inv_cdf((1 + confidence) / 2) + normal.inv_cdf(power)
