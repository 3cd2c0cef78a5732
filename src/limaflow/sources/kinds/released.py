"""The data set that the paper's authors published: GAIR/lima on the hub.

JSON lines of `conversations`, a list of texts of which the user's is the first, and `source`.
train.jsonl has 1,000 rows of a single turn and 30 dialogues, test.jsonl 300 prompts. The number
of texts tells these shapes apart; a shard's name is the shape of the rows that it reads.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from limaflow.conversations import conversation
from limaflow.errors import InputError
from limaflow.foreign_json import json_rows
from limaflow.records import Candidate, Message, Provenance
from limaflow.sources.kind import Policy, Reader
from limaflow.sources.shard import ReadingOptions, Shard, pass_over

HUB = "https://huggingface.co/datasets/GAIR/lima"
LICENCE = "CC BY-NC-SA, or stricter where a row's source is"
SHAPES = ("prompts", "single-turn", "dialogues")


def read(shard: Shard[ReadingOptions], passed_over: Counter[str]) -> Iterator[Candidate]:
    """One candidate a row of the shard's shape, in file order; counts rows of another.

    The row's `source`, as published, is the stratum.

    Raises:
        InputError: the shard's name is no shape, or a line is not such a row.
    """
    if shard.name not in SHAPES:
        raise InputError(f"shard {shard.name}: its name must be one of {', '.join(SHAPES)}")
    bad = partial(pass_over, shard, passed_over)
    for file_number, path in enumerate(shard.files):
        for line, row in json_rows(path, bad):
            try:
                turns = _turns(row)
            except ValueError as error:
                bad(InputError(str(error), path=path, line=line))
                continue
            if (shape := _shape(turns)) != shard.name:
                passed_over[f"row of the shape {shape}"] += 1
                continue
            native = f"{file_number}-{line:07d}"
            yield Candidate(
                id=shard.id(native),
                source=shard.source,
                shard=shard.name,
                kind=shard.kind,
                title=turns[0].content,
                response=turns[-1].content if turns[-1].role == "assistant" else "",
                stratum=str(row["source"] or shard.name),
                messages=turns,
                provenance=Provenance(
                    site="GAIR/lima",
                    ids=(f"{path.name}:{line}",),
                    urls=(HUB,),
                    licence=shard.options.licence or LICENCE,
                ),
            )


def _turns(row: dict[str, Any]) -> tuple[Message, ...]:
    if not isinstance(row.get("conversations"), list) or "source" not in row:
        raise ValueError("needs a list `conversations` and `source`")
    return conversation({"conversations": row["conversations"]})


def _shape(turns: tuple[Message, ...]) -> str:
    """The shape of a row; a dialogue that ends with the user's turn counts as one."""
    return SHAPES[min(len(turns), 3) - 1]


READER = Reader(options=ReadingOptions, read=read, conversations=True)
POLICY = Policy(not_redistributed="rows of GAIR/lima, which are gated")
