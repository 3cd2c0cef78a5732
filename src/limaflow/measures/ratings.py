"""Who chose what on which items, as arrays: what verdicts and grades have in common."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from limaflow.errors import InputError, listed
from limaflow.intervals import Array, Interval, NotEstimable, Resampling
from limaflow.measures.agreement_coefficients import between, within
from limaflow.measures.summaries import Agreement, GradeAgreement
from limaflow.records import Judgment

MOST_PAIRS = 50
"""Pairs of annotators listed one by one; of more, only the groups."""
Item = TypeVar("Item", bound=tuple[object, ...])
Row = TypeVar("Row", Agreement, GradeAgreement)


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """What some annotators say of the items that two annotators or more judged."""

    prompts: NDArray[np.str_]
    """Of each item."""
    annotators: list[str]
    shares: Array
    """Items × annotators × categories."""

    @property
    def any(self) -> Array:
        """The score that counts pairs, whatever they say."""
        return np.ones((self.shares.shape[2],) * 2)

    @property
    def same(self) -> Array:
        """The score of a pair that says the same."""
        return np.eye(self.shares.shape[2])

    def of(self, annotators: Iterable[str]) -> "Ratings":
        """The ratings by these annotators."""
        wanted = set(annotators)
        kept = [n for n, name in enumerate(self.annotators) if name in wanted]
        names = [self.annotators[n] for n in kept]
        return replace(self, annotators=names, shares=self.shares[:, kept])

    def pairs(self) -> list[tuple[str, str]]:
        """The annotators that have an item in common."""
        judged = self.shares.sum(axis=2)
        common = np.argwhere(np.triu(judged.T @ judged, k=1) > 0)
        return [(self.annotators[a], self.annotators[b]) for a, b in common]

    def scored(self, others: "Ratings | None", score: Array) -> Array:
        """Of each item: the scores of all pairs, among these or with the `others`, summed."""
        if others is None:
            return within(self.shares, score)
        # Nobody is compared with themselves where groups overlap.
        common = self.of(others.annotators).shares
        own = ((common @ score) * common).sum(axis=(1, 2))
        return np.asarray(between(self.shares, others.shares, score) - own)

    def compared(self, others: "Ratings | None") -> Array:
        """Of each item: the number of pairs."""
        return self.scored(others, self.any).round()


def shared(raters: Mapping[str, Mapping[Item, tuple[float, ...]]], categories: int) -> Ratings:
    """The items that more than one of these annotators judged.

    Args:
        raters: annotator → item → share on each category; an item begins with its prompt's id.
    """
    judged = Counter(item for of_annotator in raters.values() for item in of_annotator)
    items = sorted(item for item, times in judged.items() if times > 1)
    place = {item: n for n, item in enumerate(items)}
    names = sorted(name for name, rated in raters.items() if rated.keys() & place.keys())
    shares = np.zeros((len(items), len(names), categories))
    for number, name in enumerate(names):
        for item, rating in raters[name].items():
            if item in place:
                shares[place[item], number] = rating
    prompts = np.array([item[0] for item in items], dtype=np.str_)
    return Ratings(prompts=prompts, annotators=names, shares=shares)


def groups_of(options: Sequence[str] | None) -> dict[str, list[str]]:
    """`NAME=annotator,annotator` options of a command line as group → annotators.

    Raises:
        InputError: an option has no `=`.
    """
    groups = {}
    for option in options or ():
        name, equals, annotators = option.partition("=")
        if not equals:
            raise InputError(f"--group {option}: not of the form NAME=VALUE")
        groups[name] = annotators.split(",")
    return groups


def members_of(groups: Mapping[str, Iterable[str]], known: Collection[str]) -> dict[str, list[str]]:
    """Group → its annotators among the `known`; `expert_*` is all of such names.

    Raises:
        InputError: nobody is called so.
    """
    return {name: _members(patterns, known) for name, patterns in groups.items()}


def _members(patterns: Iterable[str], known: Collection[str]) -> list[str]:
    found: set[str] = set()
    for pattern in patterns:
        exact = pattern in known
        matching = {pattern} if exact else {name for name in known if fnmatchcase(name, pattern)}
        if not matching:
            raise InputError(
                f"nothing is of '{pattern}'", fix=f"annotators are {listed(sorted(known))}"
            )
        found |= matching
    return sorted(found)


def default_groups(judgments: Iterable[Judgment]) -> dict[str, list[str]]:
    """People, models, and `unspecified`: the annotators of whom no record says which they are.

    A model is also known by answers that name the model that gave them.
    """
    kinds: dict[str, set[str]] = defaultdict(set)
    for judgment in judgments:
        kinds[judgment.annotator].add("model" if judgment.answered_by else judgment.annotator_kind)
    groups: dict[str, list[str]] = {"people": [], "models": [], "unspecified": []}
    for name, found in kinds.items():
        named = "models" if "model" in found else "people" if "person" in found else "unspecified"
        groups[named].append(name)
    return {name: members for name, members in groups.items() if members}


def hasty_of(judgments: Iterable[Judgment]) -> Counter[str]:
    """Annotator → how many of these were made in haste."""
    return Counter(judgment.annotator for judgment in judgments if judgment.hasty)


def with_hasty(
    rows: Iterable[Row], hasty: Mapping[str, int], members: Mapping[str, Iterable[str]]
) -> list[Row]:
    """The rows with the hasty judgments of all annotators that each is about.

    Args:
        members: group → its annotators.
    """
    return [
        replace(row, hasty=sum(hasty.get(name, 0) for name in _concerned(row, members)))
        for row in rows
    ]


def _concerned(row: Agreement | GradeAgreement, members: Mapping[str, Iterable[str]]) -> set[str]:
    both = {row.first, row.second}
    if row.relation not in ("within", "between"):
        return both
    return {name for group in both for name in members[group]}


def beyond_within(
    ours: Ratings, theirs: Ratings, score: Array, resampling: Resampling
) -> Interval | None:
    """Mean score of pairs across the groups minus that among `ours`, over the same prompts."""
    prompts, clusters = np.unique(ours.prompts, return_inverse=True)
    across, among = (
        [summed(clusters, ours.scored(others, s)) for s in (score, ours.any)]
        for others in (theirs, None)
    )
    if len(prompts) == 1:
        return None
    try:
        return resampling.difference_of_shares(*across, *among)
    except NotEstimable:
        return None


def summed(clusters: NDArray[np.int64], values: Array) -> Array:
    """Sum of each cluster's values."""
    return np.bincount(clusters, weights=values).astype(np.float64)
