"""Every figure and table, by the name of its file; the reports show figures in this order."""

from typing import Any

from limaflow.analysis.exhibit import Figure, Table
from limaflow.analysis.exhibits import (
    absolute,
    agreement,
    epochs,
    funnel,
    lengths,
    preferences,
    quality,
    seeds,
    sources,
    tax,
    tax_split,
    token_shift,
    training,
)

FIGURES: dict[str, Figure[Any]] = {
    "preferences": preferences.FIGURE,
    "absolute": absolute.FIGURE,
    "quality": quality.FIGURE,
    "epochs": epochs.FIGURE,
    "tax": tax.FIGURE,
    "tax_split": tax_split.FIGURE,
    "funnel": funnel.FIGURE,
    "lengths": lengths.FIGURE,
    "training": training.FIGURE,
    "seeds": seeds.FIGURE,
    "token_shift": token_shift.FIGURE,
}
TABLES: dict[str, Table[Any]] = {
    "sources": sources.TABLE,
    "preferences": preferences.TABLE,
    "agreement": agreement.TABLE,
    "tax": tax.TABLE,
    "tax_split": tax_split.TABLE,
    "token_shift": token_shift.TABLE,
    "shifted_tokens": token_shift.TOKENS,
}
