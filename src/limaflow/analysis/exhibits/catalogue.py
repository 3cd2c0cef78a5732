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
    tax_readers,
    tax_split,
    training,
)

FIGURES: dict[str, Figure[Any]] = {
    "preferences": preferences.FIGURE,
    "absolute": absolute.FIGURE,
    "quality": quality.FIGURE,
    "epochs": epochs.FIGURE,
    "tax": tax.FIGURE,
    "tax_split": tax_split.FIGURE,
    "tax_readers": tax_readers.FIGURE,
    "funnel": funnel.FIGURE,
    "lengths": lengths.FIGURE,
    "training": training.FIGURE,
    "seeds": seeds.FIGURE,
}
TABLES: dict[str, Table[Any]] = {
    "sources": sources.TABLE,
    "preferences": preferences.TABLE,
    "agreement": agreement.TABLE,
    "tax": tax.TABLE,
    "tax_split": tax_split.TABLE,
    "tax_readers": tax_readers.TABLE,
    "reader_agreement": tax_readers.AGREEMENT,
}
