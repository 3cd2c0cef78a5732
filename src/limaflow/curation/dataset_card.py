"""The card of a frozen data set: front matter of the hub, sources, licences, how it was made.

The same inputs give the same bytes, so the card has no date.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from limaflow.curation.funnel import Step
from limaflow.curation.schema import features_of
from limaflow.curation.text_lengths import Measure, text_of_role
from limaflow.records import Example, Split

Splits = Mapping[Split, Sequence[Example]]

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
"""The hub's classes of size."""


@dataclass(frozen=True, kw_only=True)
class SharedText:
    """The fields of a contamination report that the card shows."""

    id: str
    against: str


def card_of(
    *,
    name: str,
    title: str,
    splits: Splits,
    measure: Measure,
    shared: Sequence[SharedText],
    steps: Sequence[Step],
) -> str:
    """The card; `shared` is the contamination report, `steps` are those of the funnel."""
    present = {split: members for split, members in splits.items() if members}
    counted = ", ".join(f"{len(examples):,} {split}" for split, examples in splits.items())
    note = _without_prompts(present)
    total = sum(map(len, splits.values()))
    size = next((label for bound, label in SIZES if total < bound), "n>1M")
    matter = {
        "pretty_name": title,
        "language": ["en"],
        "license": "other",
        "license_name": "as-listed-per-row",
        "license_link": "attribution.csv",
        "size_categories": [size],
        "task_categories": ["text-generation"],
        "configs": [
            {
                "config_name": name,
                "default": True,
                "data_files": [{"split": s, "path": f"{s}.jsonl"} for s in present],
            }
        ],
        "dataset_info": [{"config_name": name, "features": features_of(Example)}],
    }
    return f"""---
{yaml.safe_dump(matter, sort_keys=False, allow_unicode=True)}---

# {title}: data set `{name}`

{counted} conversations. Each row is one conversation in `messages` form, with its source and its
provenance: site, title, post ids, addresses, authors, licence, score. In dev and test the first
user turn is the prompt; what follows is a reference and is never shown to a model.{note}

    from datasets import load_dataset
    load_dataset("path/of/this/folder")                                    # every split
    load_dataset("json", data_files={{"train": "train.jsonl"}})              # or one by one

`index.html` shows every row: open it in a browser, without network. `lengths.svg` is a histogram
of lengths.

## Sources

Mean lengths in {measure.unit}.

| split | source | examples | mean input | mean output |
|---|---|---:|---:|---:|
{_lengths(present, measure)}
## How it was made

{_made(steps, name)} How many of each source came into and went on from each step:

{_steps(steps, name)}

{_reviewed(splits["train"])}

## Text shared with dev, test and benchmarks

{_contamination(splits["train"], shared)}

## Licences and attribution

The texts belong to their authors, under the licences of their sources; the selection does not
change that. `attribution.csv` names title, authors, addresses and licence of every row, as CC BY-SA
asks: keep it with the data. Texts drawn from raw sources were changed: turned into Markdown, links
taken out, prompts chosen from title and body. Conversations brought whole are as they were.

| licence | examples |
|---|---:|
{_licences(splits)}
## Check

`sha256sum --check SHA256SUMS`
"""


def _without_prompts(splits: Splits) -> str:
    """Says so where the training examples have no prompts."""
    train = splits.get("train", ())
    if not train or any(text_of_role(example, "user") for example in train):
        return ""
    return "\n\nThe user turns of train are empty: the data set is for tuning on responses alone."


def _lengths(splits: Splits, measure: Measure) -> str:
    lines = ""
    for split, examples in splits.items():
        for source in sorted({example.source for example in examples}):
            members = [example for example in examples if example.source == source]
            inputs = [measure.length(text_of_role(example, "user")) for example in members]
            outputs = [
                measure.length(text_of_role(example, "assistant"))
                for example in members
                if example.response
            ]
            mean_output = f"{sum(outputs) / len(outputs):,.0f}" if outputs else "–"
            mean_input = f"{sum(inputs) / len(inputs):,.0f}"
            lines += (
                f"| {split} | {_cell(source)} | {len(members)} | {mean_input} | {mean_output} |\n"
            )
    return lines


def _made(steps: Sequence[Step], name: str) -> str:
    if any(step.step == "adopt" for step in steps if step.dataset == name):
        return "Brought whole: the conversations are as someone else made them."
    return (
        'After "LIMA: Less Is More for Alignment" (Zhou et al. 2023, arXiv 2305.11206), with '
        "limaflow:\nrules that select, duplicates removed, text shared with dev, test or "
        "benchmarks removed, strata sampled,\nreviewed."
    )


def _steps(steps: Sequence[Step], name: str) -> str:
    """One line a step, one column a source of the data set."""
    sources = list(dict.fromkeys(step.source for step in steps if step.dataset == name))
    lines: dict[str, dict[str, str]] = {}
    for step in steps:
        if step.dataset in ("", name):
            counts = f"{step.came:,} → {step.stayed:,}"
            lines.setdefault(step.step, {})[step.source] = counts
    rows = [["step", *sources], ["---"] + ["---:"] * len(sources)]
    rows += [[step, *(counts.get(s, "–") for s in sources)] for step, counts in lines.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _reviewed(train: Sequence[Example]) -> str:
    decisions = Counter(example.review.decision for example in train if example.review)
    if not decisions:
        return "No person has reviewed the training examples."
    return (
        f"A person reviewed {decisions.total():,} of {len(train):,} training examples and edited "
        f"{decisions['edit']:,}."
    )


def _contamination(train: Sequence[Example], shared: Sequence[SharedText]) -> str:
    ids = {example.id for example in train}
    inside = [match for match in shared if match.id in ids]
    removed = [match for match in shared if match.id not in ids]
    kept = len({match.id for match in inside})
    text = f"Removed because they share text: {len({match.id for match in removed}):,} examples"
    text += f"{_against(removed)}. Training examples here that share text: {kept:,}"
    return f"{text}{_against(inside)}."


def _against(shared: Sequence[SharedText]) -> str:
    examples = Counter(against for _, against in {(match.id, match.against) for match in shared})
    listed = ", ".join(f"{against} {count:,}" for against, count in sorted(examples.items()))
    return f" ({listed})" if listed else ""


def _licences(splits: Splits) -> str:
    counts = Counter(
        example.provenance.licence or "not stated"
        for examples in splits.values()
        for example in examples
    )
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return "".join(f"| {_cell(licence)} | {count} |\n" for licence, count in ordered)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
