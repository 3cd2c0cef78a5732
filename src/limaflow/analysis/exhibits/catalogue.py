"""Every figure and table, by the name of its file; the reports show figures in this order."""

from typing import Any

from limaflow.analysis.exhibit import Figure, Table
from limaflow.analysis.exhibits import (
    absolute,
    accuracy,
    agreement,
    bits,
    by_tag,
    dialogue_preferences,
    dialogues,
    epochs,
    forms,
    funnel,
    lengths,
    plane,
    preferences,
    quality,
    seeds,
    sources,
    tax,
    tax_readers,
    tax_split,
    token_shift,
    training,
)

FIGURES: dict[str, Figure[Any]] = {
    "preferences": preferences.FIGURE,
    "absolute": absolute.FIGURE,
    "forms": forms.FIGURE,
    "quality": quality.FIGURE,
    "bits": bits.FIGURE,
    "epochs": epochs.FIGURE,
    "dialogues": dialogues.FIGURE,
    "dialogue_preferences": dialogue_preferences.FIGURE,
    "tax": tax.FIGURE,
    "tax_split": tax_split.FIGURE,
    "tax_readers": tax_readers.FIGURE,
    "plane": plane.FIGURE,
    "funnel": funnel.FIGURE,
    "lengths": lengths.FIGURE,
    "training": training.FIGURE,
    "seeds": seeds.FIGURE,
    "token_shift": token_shift.FIGURE,
}
TABLES: dict[str, Table[Any]] = {
    "sources": sources.TABLE,
    "preferences": preferences.TABLE,
    "accuracy": accuracy.TABLE,
    "agreement": agreement.TABLE,
    "dialogues": dialogues.TABLE,
    "dialogue_preferences": dialogue_preferences.TABLE,
    "forms": forms.TABLE,
    "by_tag": by_tag.TABLE,
    "tax": tax.TABLE,
    "tax_split": tax_split.TABLE,
    "tax_readers": tax_readers.TABLE,
    "reader_agreement": tax_readers.AGREEMENT,
    "token_shift": token_shift.TABLE,
    "shifted_tokens": token_shift.TOKENS,
}
