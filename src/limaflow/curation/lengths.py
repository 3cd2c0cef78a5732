"""How long the texts of a data set are, in tokens of a model or in characters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from limaflow.records import Example, Split


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Length of a text, and what it counts: "tokens" or "characters"."""

    length: Callable[[str], int]
    unit: str


def measure_of(tokenizer: Path | None) -> Measure:
    """Tokens of the model whose manifest is given, else characters."""
    if tokenizer is None:
        return Measure(length=len, unit="characters")
    from transformers import AutoTokenizer

    from limaflow.manifests import read_manifest

    manifest, location = read_manifest(tokenizer)
    loaded = AutoTokenizer.from_pretrained(location, revision=manifest.revision)
    return Measure(
        length=lambda text: len(loaded.encode(text, add_special_tokens=False)), unit="tokens"
    )


def said(example: Example, role: str) -> str:
    """All that one side says."""
    return "\n".join(message.content for message in example.messages if message.role == role)


def histogram(path: Path, splits: Mapping[Split, Sequence[Example]], measure: Measure) -> None:
    """Draw how long prompts (of every split) and training responses are; SVG, the same bytes."""
    from limaflow.analysis.canvas import BLUE, GREY, ORANGE, drawing, empty

    colours: dict[Split, str] = {"train": BLUE, "dev": GREY, "test": ORANGE}
    prompts: dict[Split, list[int]] = {
        split: [measure.length(said(e, "user")) for e in members]
        for split, members in splits.items()
        if members
    }
    responses: dict[Split, list[int]] = {
        "train": [measure.length(said(e, "assistant")) for e in splits["train"] if e.response]
    }
    panels = {"prompts": prompts, "training responses": responses}
    with drawing(path, width=7.2, height=2.6, miniature=False) as figure:
        for axes, (title, lengths) in zip(figure.subplots(1, 2), panels.items(), strict=True):
            if not any(lengths.values()):
                empty(axes, f"no {title}")
                continue
            axes.hist(
                list(lengths.values()),
                bins=30,
                stacked=True,
                color=[colours[split] for split in lengths],
                label=list(lengths),
            )
            axes.set_title(title)
            axes.set_xlabel(measure.unit)
            axes.set_ylabel("examples")
            if len(lengths) > 1:
                axes.legend(fontsize=8)
