"""How long the prompts and the training responses of a data set are."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from limaflow.curation.text_lengths import Measure, text_of_role
from limaflow.plot_style import BLUE, GREY, ORANGE, drawing, empty
from limaflow.records import Example, Split

COLOURS: dict[Split, str] = {"train": BLUE, "dev": GREY, "test": ORANGE}


def draw(
    splits: Mapping[Split, Sequence[Example]], measure: Measure, path: Path, *, miniature: bool
) -> None:
    """Write the histograms; prompts of every split, responses of train alone."""
    prompts: dict[Split, list[int]] = {
        split: [measure.length(text_of_role(e, "user")) for e in members]
        for split, members in splits.items()
        if members
    }
    responses: dict[Split, list[int]] = {
        "train": [
            measure.length(text_of_role(e, "assistant")) for e in splits["train"] if e.response
        ]
    }
    panels = {"prompts": prompts, "training responses": responses}
    with drawing(path, width=7.2, height=2.6, miniature=miniature) as figure:
        for axes, (title, lengths) in zip(figure.subplots(1, 2), panels.items(), strict=True):
            if not any(lengths.values()):
                empty(axes, f"no {title}")
                continue
            axes.hist(
                list(lengths.values()),
                bins=30,
                stacked=True,
                color=[COLOURS[split] for split in lengths],
                label=list(lengths),
            )
            axes.set_title(title)
            axes.set_xlabel(measure.unit)
            axes.set_ylabel("examples")
            if len(lengths) > 1:
                axes.legend(fontsize=8)
