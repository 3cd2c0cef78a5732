"""Prompts and responses that people wrote, from JSON lines; a row may have `tags`."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

from limaflow.conversations import PROMPT_FIELD, RESPONSE_FIELD, conversation
from limaflow.errors import InputError
from limaflow.foreign_json import json_rows
from limaflow.format_checks.catalogue import checked_tags
from limaflow.records import Candidate, Provenance
from limaflow.sources.kind import Policy, Reader
from limaflow.sources.shard import ReadingOptions, Shard, pass_over


class FieldOptions(ReadingOptions):
    """Where prompt and response stand in a row: dotted paths; several, by comma, are joined."""

    prompt_field: str = PROMPT_FIELD
    response_field: str = RESPONSE_FIELD


def read(shard: Shard[FieldOptions], passed_over: Counter[str]) -> Iterator[Candidate]:
    """One candidate a line; see `limaflow.conversations` for the layouts.

    Raises:
        InputError: a line is not JSON or holds no conversation.
    """
    yield from sorted(_candidates(shard, passed_over), key=lambda candidate: candidate.id)


def _candidates(shard: Shard[FieldOptions], passed_over: Counter[str]) -> Iterator[Candidate]:
    bad = partial(pass_over, shard, passed_over)
    for file_number, path in enumerate(shard.files):
        for line, row in json_rows(path, bad):
            try:
                turns = conversation(row, shard.options.prompt_field, shard.options.response_field)
                tags = checked_tags(row)
            except ValueError as error:
                bad(InputError(str(error), path=path, line=line))
                continue
            named = (row[key] for key in ("id", "question_id") if row.get(key) is not None)
            native = str(next(named, f"{file_number}-{line:07d}"))
            plain = [turn.role for turn in turns] in (["user"], ["user", "assistant"])
            yield Candidate(
                id=shard.id(native),
                source=shard.source,
                shard=shard.name,
                kind=shard.kind,
                title=next(turn.content for turn in turns if turn.role == "user"),
                response=next((t.content for t in reversed(turns) if t.role == "assistant"), ""),
                stratum=shard.name,
                messages=() if plain else turns,
                provenance=Provenance(ids=(native,), licence=shard.options.licence),
                tags=tags,
            )


READER = Reader(options=FieldOptions, read=read)
POLICY = Policy(prompts_alone=True)
