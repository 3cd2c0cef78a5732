"""Prompts and responses that people wrote, and ready-made conversations, from JSON lines."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from limaflow.conversations import conversation, json_rows
from limaflow.errors import InputError
from limaflow.records import Candidate, Message, Provenance
from limaflow.sources.shard import Shard, lossless, pass_over


def read(shard: Shard, passed_over: Counter[str]) -> Iterator[Candidate]:
    """One candidate a line; see `limaflow.conversations` for the layouts.

    Raises:
        InputError: a line is not JSON or holds no conversation.
    """
    yield from sorted(_candidates(shard, passed_over), key=lambda candidate: candidate.id)


def read_messages(shard: Shard, passed_over: Counter[str]) -> Iterator[Candidate]:
    """The same for conversations that no one of ours wrote."""
    for candidate in read(shard, passed_over):
        yield replace(candidate, kind="messages")


def _candidates(shard: Shard, passed_over: Counter[str]) -> Iterator[Candidate]:
    bad = partial(pass_over, shard, passed_over)
    for file_number, path in enumerate(shard.files):
        for line, row in json_rows(path, bad):
            try:
                turns = conversation(row, shard.prompt_field, shard.response_field)
            except ValueError as error:
                bad(InputError(str(error), path=path, line=line))
                continue
            turns = tuple(Message(role=t.role, content=lossless(t.content)) for t in turns)
            native = str(row.get("id", row.get("question_id", f"{file_number}-{line:07d}")))
            plain = [turn.role for turn in turns] in (["user"], ["user", "assistant"])
            yield Candidate(
                id=shard.id(native),
                source=shard.source,
                shard=shard.name,
                kind="authored",
                title=next(turn.content for turn in turns if turn.role == "user"),
                response=next((t.content for t in reversed(turns) if t.role == "assistant"), ""),
                stratum=shard.name,
                messages=() if plain else turns,
                provenance=Provenance(ids=(native,), licence=shard.licence),
            )
