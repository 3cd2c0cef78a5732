"""Table 1: sources, examples and mean lengths of the LIMA arm's data set, beside the paper's."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

from limaflow.analysis.exhibit import Files, Options, Table
from limaflow.analysis.paper import Paper, paper
from limaflow.analysis.study import Study
from limaflow.curation.text_lengths import measure_of
from limaflow.jsonl import read_records
from limaflow.records import Example, Split

Row = dict[str, object]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")


def inputs(study: Study) -> Files:
    data = [study.results.frozen(study.dataset, split) for split in SPLITS]
    tokenizer = {"tokenizer": [study.results.base_model]} if study.uses_base else {}
    return {"data": data, **tokenizer}


def applies(study: Study) -> bool:
    return bool(study.dataset)


def read(files: Files, options: Options) -> list[Row]:
    tokenizer = files.get("tokenizer")
    return source_rows(files["data"], tokenizer[0] if tokenizer else None, paper())


def source_rows(files: Sequence[Path], tokenizer: Path | None, paper: Paper) -> list[Row]:
    """Table 1: examples and mean lengths by split and source, beside the paper's row.

    Lengths in characters, and in tokens where a model's manifest is given. Every row of the
    paper is in the table, with empty cells where nothing of ours answers to it.
    """
    count = None if tokenizer is None else measure_of(tokenizer).length
    groups: dict[tuple[str, str], list[Example]] = defaultdict(list)
    for path in files:
        for example in read_records(path, Example):
            groups[example.split, example.source].append(example)
    rows = []
    answered = set()
    for split in SPLITS:
        for (of, source), examples in sorted(groups.items()):
            if of != split:
                continue
            match = next(
                (r for r in paper.sources.rows if r.split == split and source in r.names), None
            )
            if match is not None:
                answered.add((match.split, match.source))
            rows.append({**_ours(split, source, examples, count), **_theirs(match, paper)})
        rows += [
            {**_ours(split, "", [], count), **_theirs(row, paper)}
            for row in paper.sources.rows
            if row.split == split and (split, row.source) not in answered
        ]
    return rows


def _ours(
    split: str, source: str, examples: list[Example], count: Callable[[str], int] | None
) -> Row:
    inputs = [e.prompt for e in examples]
    # In dev and test a response is a reference that no model sees.
    outputs = [e.response for e in examples if e.response and split == "train"]
    return {
        "split": split,
        "source": source,
        "examples": len(examples) or None,
        "mean_input_chars": _mean(len, inputs),
        "mean_output_chars": _mean(len, outputs),
        "mean_input_tokens": _mean(count, inputs),
        "mean_output_tokens": _mean(count, outputs),
    }


def _mean(measure: Callable[[str], int] | None, texts: list[str]) -> float | None:
    return round(fmean(map(measure, texts)), 1) if measure and texts else None


def _theirs(row: object, paper: Paper) -> Row:
    names = ("source", "examples", "mean_input", "mean_output")
    place = f"arXiv {paper.arxiv}, {paper.sources.place} [{paper.sources.mark}]"
    return {
        **{f"paper_{name}": getattr(row, name, None) for name in names},
        "place": place if row is not None else None,
    }


def rows(found: Sequence[Row]) -> Sequence[Row]:
    return found


TABLE = Table(inputs=inputs, read=read, rows=rows, applies=applies, beside_paper=True)
