"""Training examples that give away dev prompts, test prompts or benchmark items, found and removed.

A training turn is contaminated when it shares a run of `ngram_words` words with one of those texts
(Brown et al. 2020, appendix C, with 13 words). A shorter text counts when the turn holds it whole,
and so does the question of a benchmark item without its choices.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from limaflow.curation.protected_text import ProtectedText, ProtectedTexts, Shared
from limaflow.curation.settings import Decontamination
from limaflow.curation.wording import plain
from limaflow.jsonl import read_records
from limaflow.mistakes import parse_block
from limaflow.records import Drop, Example, Match

MOST_LISTED = 100
"""Matches of one turn in the report, the longest: a phrase may be part of thousands of items."""
MOST_QUOTED = 600
"""Characters of a training turn, and of a protected text, that the report quotes around a match."""


@dataclass(frozen=True)
class Protected:
    """What training examples may not hold: the prompts of dev and test, and benchmark items."""

    prompts: Sequence[Example]
    benchmark: Sequence[ProtectedText]
    ngram_words: int

    def index(self) -> ProtectedTexts:
        """All the texts, to look for in training turns."""
        prompts = [
            ProtectedText(task=example.split, item_id=example.id, text=example.prompt)
            for example in self.prompts
        ]
        return ProtectedTexts([*prompts, *self.benchmark], self.ngram_words)


def read_protected(
    prompts: Iterable[Path], benchmark_texts: Path | None, settings: str
) -> Protected:
    """The protected texts of the files; `settings` is the JSON of `curation.decontamination`.

    Raises:
        InputError: a file is missing or holds other records, or the JSON is not such a block.
    """
    return Protected(
        [example for path in prompts for example in read_records(path, Example)],
        list(read_records(benchmark_texts, ProtectedText)) if benchmark_texts else [],
        parse_block(Decontamination, settings, "--settings").ngram_words,
    )


def decontaminated(
    examples: Iterable[Example], protected: Protected
) -> tuple[list[Example], list[Drop], list[Match]]:
    """The pool to draw training sets from, the drops, and every match, each sorted by id.

    Examples held out for dev or test go, and so do conversations that do not end with a response:
    their last turn is nothing to train on.
    """
    held_out = {plain(example.prompt): example for example in protected.prompts}
    index = replace(protected, prompts=list(held_out.values())).index()
    kept, dropped, found = [], [], []
    for example in tqdm(sorted(examples, key=lambda e: e.id), desc="decontaminate", unit="example"):
        matches: list[Match] = []
        if twin := held_out.get(plain(example.prompt)):
            reason = "held_out", f"{twin.split} prompt {twin.id}"
        elif example.messages[-1].role != "assistant":
            ends = "the last turn is the user's" if example.response else "a prompt alone"
            reason = "no_response", ends
        elif matches := matches_of(example, index):
            worst = min(matches, key=lambda match: (-match.words, match.against, match.item_id))
            where = f"{worst.against} {worst.item_id}"
            reason = "contaminated", f"{where}: {worst.words} words: {worst.matched[:120]}"
        else:
            kept.append(example)
            continue
        found += matches
        rule, detail = reason
        dropped.append(
            Drop(
                id=example.id, source=example.source, step="decontaminate", rule=rule, detail=detail
            )
        )
    return kept, dropped, _in_order(found)


def contamination(examples: Iterable[Example], protected: Protected) -> list[Match]:
    """Every text that a data set brought whole shares, held-out prompts included."""
    index = protected.index()
    return _in_order(match for example in examples for match in matches_of(example, index))


def matches_of(example: Example, index: ProtectedTexts) -> list[Match]:
    """The protected texts that a turn of `example` shares, the longest matches of each turn."""
    found = []
    for message in example.messages:
        shared = sorted(
            index.shared(message.content),
            key=lambda s: (-s.words, s.text.task, s.text.item_id),
        )
        found += [_match(example, message.role, message.content, s) for s in shared[:MOST_LISTED]]
    return found


def _match(example: Example, role: str, turn: str, shared: Shared) -> Match:
    return Match(
        id=example.id,
        source=example.source,
        where=role,
        against=shared.text.task,
        item_id=shared.text.item_id,
        words=shared.words,
        matched=turn[shared.start : shared.end],
        turn=_around(turn, shared.start, shared.end),
        text=_around(
            shared.text.text, shared.text_start, shared.text_start + shared.end - shared.start
        ),
    )


def _around(text: str, start: int, end: int) -> str:
    """The part from `start` to `end` with as much on either side as may be quoted."""
    room = max(0, MOST_QUOTED - (end - start)) // 2
    return text[max(0, start - room) : end + room]


def _in_order(matches: Iterable[Match]) -> list[Match]:
    return sorted(matches, key=lambda match: (match.id, match.where, match.against, match.item_id))
