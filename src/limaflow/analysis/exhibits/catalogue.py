"""Every figure and table, by the name of its file; the reports show figures in this order."""

from typing import Any

from limaflow.analysis.exhibit import Figure, Table
from limaflow.analysis.exhibits import (
    absolute,
    accuracy,
    agreement,
    bits,
    by_tag,
    dialogues,
    epochs,
    forms,
    funnel,
    lengths,
    plane,
    preferences,
    quality,
    safety,
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
    "refusal_dose": safety.DOSE,
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
    "forms": forms.TABLE,
    "safety": safety.TABLE,
    "by_tag": by_tag.TABLE,
    "tax": tax.TABLE,
    "tax_split": tax_split.TABLE,
    "tax_readers": tax_readers.TABLE,
    "reader_agreement": tax_readers.AGREEMENT,
    "token_shift": token_shift.TABLE,
    "shifted_tokens": token_shift.TOKENS,
}
