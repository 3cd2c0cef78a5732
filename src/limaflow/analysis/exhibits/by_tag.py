"""Mean grades and win rates on the prompts of each label, such as `sensitive: malicious`."""

from collections.abc import Sequence

from limaflow.analysis.exhibit import Files, Options, Table
from limaflow.analysis.study import Study
from limaflow.jsonl import read_json
from limaflow.measures.by_tag import TaggedNumber
from limaflow.plot_style import columns


def inputs(study: Study) -> Files:
    return {"by_tag": [study.results.analysis("by_tag")]}


def applies(study: Study) -> bool:
    return bool(study.by_tag)


def read(files: Files, options: Options) -> list[TaggedNumber]:
    return read_json(files["by_tag"][0], list[TaggedNumber])


def rows(found: Sequence[TaggedNumber]) -> list[dict[str, object]]:
    """One row a label, arm, judge and instrument or other arm, to be filtered by any of them."""
    return [
        {
            "tag": row.label.partition(": ")[0],
            "label": row.label.partition(": ")[2],
            "arm": row.arm,
            "against": row.against,
            "judge": row.judge,
            "instrument": row.instrument,
            "prompts": row.prompts,
            "judged": row.judged,
            "number_is": "wins and half the ties" if row.against else "mean grade",
            **columns("number", row.number),
        }
        for row in found
    ]


TABLE = Table(inputs=inputs, read=read, rows=rows, applies=applies)
