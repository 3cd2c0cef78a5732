"""The frozen data set: train, dev and test as JSON lines, a card, and checksums.

Rows are examples with `messages`, which `datasets.load_dataset` and TRL read as they are. The same
inputs give the same bytes, so the card bears no date.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from limaflow.jsonl import read_json, replacing, write_records
from limaflow.records import Example, ModelManifest, Split

Length = Callable[[str], int]


def freeze(
    folder: Path,
    *,
    name: str,
    title: str,
    splits: Mapping[Split, Sequence[Example]],
    length: Length,
    unit: str,
) -> None:
    """Write the data set into `folder`; `length` measures texts in `unit` for the card."""
    for split, examples in splits.items():
        write_records(folder / f"{split}.jsonl", examples, key=lambda example: example.id)
    with replacing(folder / "README.md") as card:
        card.write(card_of(name, title, splits, length, unit))
    files = sorted([*(f"{split}.jsonl" for split in splits), "README.md"])
    with replacing(folder / "SHA256SUMS") as sums:
        for file in files:
            sums.write(f"{hashlib.sha256((folder / file).read_bytes()).hexdigest()}  {file}\n")


def token_length(manifest: Path) -> Length:
    """Number of tokens of a text, by the tokenizer of the model that `manifest` names."""
    from transformers import AutoTokenizer

    model = read_json(manifest, ModelManifest)
    beside = manifest.parent / model.path
    tokenizer = AutoTokenizer.from_pretrained(
        str(beside) if beside.is_dir() else model.path, revision=model.revision
    )
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False))


def card_of(
    name: str,
    title: str,
    splits: Mapping[Split, Sequence[Example]],
    length: Length,
    unit: str,
) -> str:
    """The data set card: front matter of the hub, a table like the paper's Table 1, licences."""
    files = "".join(
        f"      - split: {split}\n        path: {split}.jsonl\n"
        for split, examples in splits.items()
        if examples
    )
    counted = ", ".join(f"{len(examples)} {split}" for split, examples in splits.items())
    return f"""---
pretty_name: {_quoted(title)}
license: other
task_categories:
  - text-generation
configs:
  - config_name: {name}
    default: true
    data_files:
{files}---

# {title}: data set `{name}`

{counted} conversations. Each row is one conversation in `messages` form, with its source and its
provenance: sites, post ids, addresses, authors, licence, score. Where a source asks for
attribution (CC BY-SA does), the row's `provenance` is that attribution; keep it.
In dev and test the first user turn is the prompt; what follows is a reference and is never shown
to a model.

## Sources

Mean lengths in {unit}.

| split | source | examples | mean input | mean output |
|---|---|---:|---:|---:|
{_lengths(splits, length)}
## Licences

The texts belong to their authors, under the licences of their sources.

| licence | examples |
|---|---:|
{_licences(splits)}
## Check

`sha256sum --check SHA256SUMS`
"""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _lengths(splits: Mapping[Split, Sequence[Example]], length: Length) -> str:
    lines = ""
    for split, examples in splits.items():
        for source in sorted({example.source for example in examples}):
            members = [example for example in examples if example.source == source]
            inputs = [length(_said(example, "user")) for example in members]
            outputs = [
                length(_said(example, "assistant")) for example in members if example.response
            ]
            mean_output = f"{sum(outputs) / len(outputs):,.0f}" if outputs else "–"
            mean_input = f"{sum(inputs) / len(inputs):,.0f}"
            lines += f"| {split} | {source} | {len(members)} | {mean_input} | {mean_output} |\n"
    return lines


def _said(example: Example, role: str) -> str:
    return "\n".join(message.content for message in example.messages if message.role == role)


def _licences(splits: Mapping[Split, Sequence[Example]]) -> str:
    counts = Counter(
        example.provenance.licence or "not stated"
        for examples in splits.values()
        for example in examples
    )
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return "".join(f"| {licence} | {count} |\n" for licence, count in ordered)
