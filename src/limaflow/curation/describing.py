"""What stands beside the rows of a frozen data set: card, attribution, lengths, page, checksums."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from limaflow.curation.attribution import write_attribution
from limaflow.curation.browsing import page_of
from limaflow.curation.dataset_card import SharedText, card_of
from limaflow.curation.funnel import Step
from limaflow.curation.length_figure import draw
from limaflow.curation.text_lengths import Measure
from limaflow.jsonl import replacing
from limaflow.manifests import sha256_of
from limaflow.records import Example, Split

FILES = (
    "README.md",
    "attribution.csv",
    "dev.jsonl",
    "index.html",
    "lengths.svg",
    "test.jsonl",
    "train.jsonl",
)


def describe(
    folder: Path,
    *,
    name: str,
    title: str,
    splits: Mapping[Split, Sequence[Example]],
    measure: Measure,
    shared: Sequence[SharedText],
    steps: Sequence[Step],
) -> None:
    """Write the files beside the rows in `folder`, and the checksums of all."""
    with replacing(folder / "README.md") as card:
        card.write(
            card_of(
                name=name, title=title, splits=splits, measure=measure, shared=shared, steps=steps
            )
        )
    everything = [example for examples in splits.values() for example in examples]
    write_attribution(folder / "attribution.csv", everything)
    draw(splits, measure, folder / "lengths.svg", miniature=False)
    with replacing(folder / "index.html") as page:
        page.write(page_of(f"{title}: data set {name}", everything))
    with replacing(folder / "SHA256SUMS") as sums:
        sums.writelines(f"{sha256_of(folder / file)}  {file}\n" for file in FILES)
