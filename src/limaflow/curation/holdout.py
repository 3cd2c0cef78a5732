"""The prompts that models are chosen by (dev) and judged on (test), drawn before training data.

Drawn from the filtered examples with the strata of `sampling`. Within a stratum they are drawn by
lot, which leaves some of the best to training; Reddit's are the most upvoted, as in the paper. No
prompt occurs twice in dev and test together.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path

from limaflow.attacks.attacked import attacked
from limaflow.curation.adoption import adopted, prompts_in_columns
from limaflow.curation.sampling import draw, of_sources
from limaflow.curation.settings import PromptLayout
from limaflow.curation.wording import plain
from limaflow.errors import InputError
from limaflow.records import Example, Split, prefill_of
from limaflow.sources.kinds import policy_of

Asked = tuple[str, str, tuple[str, ...]]
"""What makes two prompts one: the first user turn, how the answer begins where that is given, and
what the user says next."""


def prompts_of(
    examples: Iterable[Example],
    wanted: Mapping[Split, Mapping[str, int]],
    paths: Mapping[Split, Sequence[Path]],
    temperature: float,
    seed: int,
    *,
    attacks: Mapping[str, Sequence[str]] | None = None,
    layouts: Mapping[Split, Sequence[PromptLayout]] | None = None,
) -> dict[Split, list[Example]]:
    """The prompts of each split, sorted by id: those of its files, and those drawn from `examples`.

    Args:
        attacks: source → the ways in which its test prompts, as goals, are asked.
        layouts: of each file of `paths`; none: all are conversations in a layout that is known.

    Raises:
        InputError: a source has fewer distinct prompts than wanted, or a prompt is brought twice.
    """
    splits: dict[Split, list[Example]] = {split: [] for split in wanted}
    brought: dict[Asked, str] = {}
    files = [
        (split, path, layout)
        for split, listed in paths.items()
        for path, layout in zip(
            listed, (layouts or {}).get(split) or [PromptLayout()] * len(listed), strict=True
        )
    ]
    for split, path, layout in files:
        for example in _brought(path, split, layout):
            if (twin := brought.get(_asked(example))) is not None:
                raise InputError(f"a prompt stands twice, in {twin} too", path=path)
            brought[_asked(example)] = split
            splits[split].append(example)
    sources = Counter[str]()
    for counts in wanted.values():
        sources.update(counts)
    available = of_sources(_distinct(examples, brought.keys()), sources)
    for source, number in sorted(sources.items()):
        if not number:
            continue
        best_first = policy_of(available[source][0].kind).best_prompts_first
        drawn = draw(
            available[source],
            number,
            temperature=temperature,
            seed=seed,
            purpose="hold out",
            best_first=best_first,
        )
        for split in wanted:
            count = wanted[split].get(source, 0)
            chosen = [replace(example, split=split) for example in drawn[:count]]
            if split == "test" and (ways := (attacks or {}).get(source)):
                chosen = _wrapped(source, chosen, ways)
            splits[split] += chosen
            drawn = drawn[count:]
    return {split: sorted(members, key=lambda e: e.id) for split, members in splits.items()}


def _wrapped(source: str, goals: Sequence[Example], ways: Sequence[str]) -> list[Example]:
    prompts, without = attacked(goals, ways)
    for attack, count in sorted(without.items()):
        print(f"{source}: {count} of {len(goals)} goals have no target long enough for {attack}")
    return prompts


def _brought(path: Path, split: Split, layout: PromptLayout) -> list[Example]:
    if layout == PromptLayout():
        return adopted(path, split)
    return prompts_in_columns(path, layout.columns, layout.where, split)


def _asked(example: Example) -> Asked:
    return plain(example.prompt), prefill_of(example), example.tags.turns if example.tags else ()


def _distinct(examples: Iterable[Example], seen: Set[Asked]) -> list[Example]:
    """One example a prompt, the lowest id, without the prompts `seen`."""
    first: dict[Asked, Example] = {}
    for example in sorted(examples, key=lambda e: (e.id, e.source, e.provenance.ids)):
        if (asked := _asked(example)) not in seen:
            first.setdefault(asked, example)
    return list(first.values())
