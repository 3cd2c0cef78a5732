"""Training examples that give away dev prompts, test prompts or benchmark items, found and removed.

A training turn is contaminated when it shares a run of `ngram_words` words with one of those texts
(Brown et al. 2020, appendix C, with 13 words). A shorter text counts when the turn holds it whole,
and so does the first line of a text, which is the question of a multiple-choice item.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tqdm import tqdm

from limaflow.curation.wording import plain, word_spans, words
from limaflow.records import Drop, Example

SHORTEST_RUN = 4
"""Fewer words say too little to be looked for inside others: such a text must be a whole turn."""


@dataclass(frozen=True, kw_only=True)
class BenchmarkText:
    """The text of one benchmark item, as `limaflow benchmark texts` writes it."""

    task: str
    item_id: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Match:
    """A text that a training turn shares, with the longest shared run as the turn has it."""

    id: str
    source: str
    where: str
    """Role of the turn: `user` or `assistant`."""
    against: str
    """`dev`, `test`, or a benchmark's task."""
    item_id: str
    words: int
    matched: str


class Guarded:
    """Texts that training must not hold, indexed by their runs of words."""

    def __init__(self, texts: Iterable[BenchmarkText], ngram_words: int) -> None:
        self._size = ngram_words
        self._shortest = min(SHORTEST_RUN, ngram_words)
        self._runs: dict[tuple[str, ...], set[BenchmarkText]] = defaultdict(set)
        self._short: dict[tuple[str, ...], list[tuple[tuple[str, ...], BenchmarkText]]]
        self._short = defaultdict(list)
        self._whole: dict[tuple[str, ...], list[BenchmarkText]] = defaultdict(list)
        for text in texts:
            self._guard(text, tuple(words(text.text)))
            question, _, choices = text.text.partition("\n")
            if choices:
                self._guard(text, tuple(words(question)))

    def _guard(self, text: BenchmarkText, said: tuple[str, ...]) -> None:
        if len(said) >= self._size:
            for run in set(_runs(said, self._size)):
                self._runs[run].add(text)
        elif len(said) >= self._shortest:
            self._short[said[: self._shortest]].append((said, text))
        elif said:
            self._whole[said].append(text)

    def matches(self, example: Example) -> Iterator[Match]:
        """Every guarded text that a turn of `example` shares, once a turn."""
        for message in example.messages:
            said, spans = word_spans(message.content)
            for text, (start, end) in self._shared(tuple(said)).items():
                yield Match(
                    id=example.id,
                    source=example.source,
                    where=message.role,
                    against=text.task,
                    item_id=text.item_id,
                    words=end - start,
                    matched=message.content[spans[start][0] : spans[end - 1][1]],
                )

    def _shared(self, said: tuple[str, ...]) -> dict[BenchmarkText, tuple[int, int]]:
        """Each shared text with the longest run of words, as start and end."""
        longest = {text: (0, len(said)) for text in self._whole.get(said, ())}
        for start, head in enumerate(_runs(said, self._shortest)):
            for run, text in self._short.get(head, ()):
                if said[start : start + len(run)] == run:
                    longest.setdefault(text, (start, start + len(run)))
        going: dict[BenchmarkText, int] = {}
        for start, run in enumerate(_runs(said, self._size)):
            # A text's run goes on as long as the next window of words is one of its own too.
            going = {text: going.get(text, start) for text in self._runs.get(run, ())}
            for text, first in going.items():
                before, after = longest.get(text, (0, 0))
                if start + self._size - first > after - before:
                    longest[text] = first, start + self._size
        return longest


def _runs(said: tuple[str, ...], size: int) -> Iterator[tuple[str, ...]]:
    return (said[start : start + size] for start in range(len(said) - size + 1))


def decontaminated(
    examples: Iterable[Example],
    prompts: Iterable[Example],
    benchmark: Iterable[BenchmarkText],
    ngram_words: int,
) -> tuple[list[Example], list[Drop], list[Match]]:
    """The pool to draw training sets from, the drops, and every match, each sorted by id.

    Examples held out for dev or test go, and so do prompts without a response: there is nothing to
    train on.
    """
    held_out = {plain(example.prompt): example for example in prompts}
    texts = [
        BenchmarkText(task=example.split, item_id=example.id, text=example.prompt)
        for example in held_out.values()
    ]
    guarded = Guarded([*texts, *benchmark], ngram_words)
    kept, dropped, found = [], [], []
    for example in tqdm(sorted(examples, key=lambda e: e.id), desc="decontaminate", unit="example"):
        matches: list[Match] = []
        if twin := held_out.get(plain(example.prompt)):
            reason = "held_out", f"{twin.split} prompt {twin.id}"
        elif not example.response:
            reason = "no_response", "a prompt alone"
        elif matches := list(guarded.matches(example)):
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
    found.sort(key=lambda match: (match.id, match.where, match.against, match.item_id))
    return kept, dropped, found
