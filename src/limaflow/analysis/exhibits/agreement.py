"""Who agrees with whom on pairs of responses, beside the paper's tie-discounted accuracies."""

from collections.abc import Sequence

from limaflow.analysis.exhibit import Files, Options, Table
from limaflow.analysis.paper import Paper, paper
from limaflow.analysis.study import Study
from limaflow.jsonl import read_json
from limaflow.measures.summaries import Agreement
from limaflow.plot_style import columns

Row = dict[str, object]


def inputs(study: Study) -> Files:
    return {"agreement": [study.results.analysis("agreement")]}


def read(files: Files, options: Options) -> list[Agreement]:
    return read_json(files["agreement"][0], list[Agreement])


def rows(agreements: Sequence[Agreement]) -> list[Row]:
    return rows_beside(agreements, paper())


def rows_beside(agreements: Sequence[Agreement], paper: Paper) -> list[Row]:
    """One row a relation, then the paper's tie-discounted accuracies; shares from 0 to 1."""
    ours: list[Row] = [
        {
            "relation": a.relation,
            "first": a.first,
            "second": a.second,
            "annotators": a.annotators,
            "items": a.items,
            "hasty": a.hasty,
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
            values = {"first": first, "second": second, "tie_discounted": value.value / 100}
            theirs.append({**row, "relation": "paper", **values, "place": place})
    return ours + theirs


TABLE = Table(inputs=inputs, read=read, rows=rows, beside_paper=True)
