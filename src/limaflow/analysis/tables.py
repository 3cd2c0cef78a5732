"""Tables as CSV rows: Table 1 of the paper beside ours, preferences, the alignment tax."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

from limaflow.analysis.paper import Paper
from limaflow.curation.text_lengths import measure_of
from limaflow.jsonl import read_records
from limaflow.measures.summaries import Agreement, Preference, TaskTax
from limaflow.plot_style import columns
from limaflow.records import Example

Row = dict[str, object]


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
    for split in ("train", "dev", "test"):
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


def preference_rows(preferences: Sequence[Preference]) -> list[Row]:
    """One row a comparison and judge; shares from 0 to 1 with their intervals."""
    return [
        {
            "first": p.first,
            "second": p.second,
            "judge": p.judge,
            "prompts": p.prompts,
            "errors": p.errors,
            **columns("win", p.win),
            **columns("tie", p.tie),
            **columns("lose", p.lose),
            **columns("adjusted_win", p.adjusted_win),
            **columns("graded_win", p.graded_win),
            "p_value": p.p_value,
            "permutation_p_value": p.permutation_p_value,
            **columns("position_consistency", p.position_consistency),
            **columns("first_slot_share", p.first_slot_share),
            **columns("longer_wins", p.longer_wins),
            **columns("length_controlled_win", p.length_controlled_win.interval),
            "length_control_refused": p.length_controlled_win.refused,
            "prompts_needed": p.power.prompts_needed if p.power else None,
        }
        for p in preferences
    ]


def agreement_rows(agreements: Sequence[Agreement], paper: Paper) -> list[Row]:
    """One row a relation, then the paper's tie-discounted accuracies; shares from 0 to 1."""
    ours: list[Row] = [
        {
            "relation": a.relation,
            "first": a.first,
            "second": a.second,
            "annotators": a.annotators,
            "items": a.items,
            **columns("tie_discounted", a.tie_discounted),
            **columns("agreement", a.agreement),
            **columns("without_ties", a.without_ties),
            **columns("cohen", a.cohen),
            **columns("fleiss", a.fleiss),
            **columns("alpha", a.alpha),
            "place": "",
        }
        for a in agreements
    ]
    theirs: list[Row] = []
    for key, value in paper.values.items():
        if key.startswith("agreement-") and value.value is not None:
            _, first, second = key.split("-")
            row = dict.fromkeys(ours[0]) if ours else {}
            place = f"arXiv {value.arxiv}, {value.place} [{value.mark}]"
            told = {"first": first, "second": second, "tie_discounted": value.value / 100}
            theirs.append({**row, "relation": "paper", **told, "place": place})
    return ours + theirs


def tax_rows(rows: Sequence[TaskTax]) -> list[Row]:
    """One row a task and tuned arm."""
    return [
        {
            "task": row.task,
            "metric": row.metric,
            "arm": row.arm,
            "items": row.items,
            **columns("base", row.base),
            **columns("tuned", row.tuned),
            **columns("difference", row.difference),
        }
        for row in rows
    ]
