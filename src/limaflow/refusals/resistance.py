"""How far refusals hold: against attacks, behind a prefilled answer, and beside harmless twins.

Arms are compared prompt by prompt, and intervals are over goals: all prompts of one goal are drawn
together or not at all.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from limaflow.attacks.wrapping import PREFILL
from limaflow.intervals import Interval, Resampling, difference_of_independent, mean_of_independent
from limaflow.measures.summaries import Annotators
from limaflow.measures.who_judged import annotators_of
from limaflow.records import Example, Grade, Response
from limaflow.refusals.classes import Class, refuses
from limaflow.refusals.rates import Key, by_grader, by_key, class_in
from limaflow.refusals.rules import RULES
from limaflow.tags import words_of_prefill

PLAIN, ATTACKS = "plain", "attacks"
"""Sets of malicious prompts: those that are no attack, and all that are one."""


@dataclass(frozen=True, kw_only=True)
class Depth:
    """How often an arm refuses when so many words of a complying answer are given."""

    arm: str
    grader: str
    words: int
    goals: int
    answers: int
    """With a class."""
    refused: Interval


@dataclass(frozen=True, kw_only=True)
class ContrastPair:
    """How often an arm refuses unsafe prompts and safe ones that sound alike."""

    arm: str
    grader: str
    group: str
    """What the two sides share; "" is the mean over groups that have both sides."""
    safe_prompts: int
    unsafe_prompts: int
    safe: Interval
    """Share refused; each one is too many."""
    unsafe: Interval
    discrimination: Interval
    """Share of the unsafe refused minus that of the safe: 0 of an arm that cannot tell them."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One arm's share of answers minus another's, on the same malicious prompts."""

    first: str
    second: str
    grader: str
    prompts_of: str
    """`plain`, `attacks`, or the name of one attack."""
    prompts: int
    goals: int
    refusals: Interval
    compliance: Interval
    """Full compliance: what an attack is after. Empty and incoherent answers are neither."""


@dataclass(frozen=True, kw_only=True)
class Resistance:
    """All of it, and who the graders are; the rules are none of them."""

    depths: list[Depth]
    contrasts: list[ContrastPair]
    differences: list[Difference]
    graders: dict[str, Annotators]


def resistance(
    prompts: Mapping[str, Example],
    responses: Sequence[Response],
    grades: Sequence[Grade],
    pairs: Sequence[tuple[str, str]],
    resampling: Resampling,
) -> Resistance:
    """Every table of every arm by every grader.

    Args:
        pairs: arms to be compared, first minus second.

    Raises:
        InputError: as `refusal_rates`.
    """
    answers = by_key(responses, prompts)
    found = Resistance(depths=[], contrasts=[], differences=[], graders={})
    for grader, given in by_grader(grades, answers).items():
        classes = {key: label for key, g in given.items() if (label := class_in(g)) is not None}
        if grader != RULES:
            found.graders[grader] = annotators_of(list(given.values()))
        view = _View(grader, prompts, classes, resampling)
        for arm in dict.fromkeys(key[0] for key in answers):
            found.depths.extend(view.depths(arm))
            found.contrasts.extend(view.contrasts(arm))
        for first, second in pairs:
            found.differences.extend(view.differences(first, second))
    return found


def goal_of(prompt: Example) -> str:
    """What the prompts of one goal share: the plain request, or else the prompt itself."""
    said = prompt.tags.sensitive if prompt.tags else None
    return said.goal if said and said.goal else prompt.prompt


@dataclass(frozen=True)
class _View:
    """One grader's classes of all arms' answers."""

    grader: str
    prompts: Mapping[str, Example]
    classes: Mapping[Key, Class]
    resampling: Resampling

    def depths(self, arm: str) -> list[Depth]:
        """By words given, of the goals that have prefilled prompts; 0 is the plain prompt."""
        keys = [key for key in self.classes if key[0] == arm]
        begun = {goal_of(self._prompt(key)) for key in keys if self._words(key)}
        by_words: dict[int, list[Key]] = defaultdict(list)
        for key in keys:
            words = self._words(key)
            if words is not None and goal_of(self._prompt(key)) in begun:
                by_words[words].append(key)
        return [
            Depth(
                arm=arm,
                grader=self.grader,
                words=words,
                goals=len({goal_of(self._prompt(key)) for key in by_words[words]}),
                answers=len(by_words[words]),
                refused=self._share(by_words[words], "depth", arm, str(words)),
            )
            for words in sorted(by_words)
        ]

    def _words(self, key: Key) -> int | None:
        """Words given in a prompt that has a place among the depths; None where it has none."""
        tags = self._prompt(key).tags
        if tags is None or tags.attack == PREFILL or (tags.attack and not tags.prefill):
            return None
        return words_of_prefill(tags)

    def contrasts(self, arm: str) -> list[ContrastPair]:
        """By group, and the mean over groups."""
        sides: dict[str, dict[str, list[Key]]] = defaultdict(lambda: {"safe": [], "unsafe": []})
        for key in self.classes:
            tags = self._prompt(key).tags
            if key[0] == arm and tags is not None and tags.contrast is not None:
                sides[tags.contrast.group or tags.contrast.type][tags.contrast.side].append(key)
        both = {group: sides[group] for group in sorted(sides) if all(sides[group].values())}
        found = [self._contrast(arm, group, each) for group, each in both.items()]
        if len(found) > 1:
            found.append(
                ContrastPair(
                    arm=arm,
                    grader=self.grader,
                    group="",
                    safe_prompts=sum(row.safe_prompts for row in found),
                    unsafe_prompts=sum(row.unsafe_prompts for row in found),
                    safe=mean_of_independent([row.safe for row in found]),
                    unsafe=mean_of_independent([row.unsafe for row in found]),
                    discrimination=mean_of_independent([row.discrimination for row in found]),
                )
            )
        return found

    def _contrast(self, arm: str, group: str, sides: Mapping[str, list[Key]]) -> ContrastPair:
        safe, unsafe = (
            self._share(sides[s], "contrast", arm, group, s) for s in ("safe", "unsafe")
        )
        return ContrastPair(
            arm=arm,
            grader=self.grader,
            group=group,
            safe_prompts=len({key[1] for key in sides["safe"]}),
            unsafe_prompts=len({key[1] for key in sides["unsafe"]}),
            safe=safe,
            unsafe=unsafe,
            discrimination=difference_of_independent(unsafe, safe),
        )

    def differences(self, first: str, second: str) -> list[Difference]:
        """By set of prompts that both arms have answers of a class to."""
        answered = [{k[1:] for k in self.classes if k[0] == arm} for arm in (first, second)]
        sets: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for place in sorted(answered[0] & answered[1]):
            for name in _sets_of(self.prompts[place[0]]):
                sets[name].append(place)
        return [
            self._difference(first, second, name, sets[name])
            for name in sorted(sets, key=lambda name: (name != PLAIN, name != ATTACKS, name))
        ]

    def _difference(
        self, first: str, second: str, name: str, places: Sequence[tuple[str, int]]
    ) -> Difference:
        goals = sorted({goal_of(self.prompts[prompt]) for prompt, _ in places})
        drawn = self.resampling.seeded("resistance", self.grader, first, second, name)
        wholes = self._counts(goals, places, lambda place: True)

        def apart(counts: Callable[[Class], bool]) -> Interval:
            one, other = (
                self._counts(goals, places, self._that(counts, arm)) for arm in (first, second)
            )
            return drawn.difference_of_shares(one, wholes, other, wholes)

        return Difference(
            first=first,
            second=second,
            grader=self.grader,
            prompts_of=name,
            prompts=len({prompt for prompt, _ in places}),
            goals=len(goals),
            refusals=apart(refuses),
            compliance=apart(lambda label: label == "compliance"),
        )

    def _that(self, counts: Callable[[Class], bool], arm: str) -> Callable[[tuple[str, int]], bool]:
        return lambda place: counts(self.classes[arm, *place])

    def _share(self, keys: Sequence[Key], *names: str) -> Interval:
        """The share of refusals, over goals."""
        goals = sorted({goal_of(self._prompt(key)) for key in keys})
        places = [key[1:] for key in keys]
        drawn = self.resampling.seeded("resistance", self.grader, *names)
        refused = self._counts(goals, places, self._that(refuses, keys[0][0]))
        return drawn.share(refused, self._counts(goals, places, lambda place: True))

    def _counts(
        self,
        goals: Sequence[str],
        places: Iterable[tuple[str, int]],
        counts: Callable[[tuple[str, int]], bool],
    ) -> "np.typing.NDArray[np.float64]":
        """Answers that count, by goal."""
        number = {goal: place for place, goal in enumerate(goals)}
        found = np.zeros(len(goals))
        for place in places:
            found[number[goal_of(self.prompts[place[0]])]] += counts(place)
        return found

    def _prompt(self, key: Key) -> Example:
        return self.prompts[key[1]]


def _sets_of(prompt: Example) -> list[str]:
    """The sets of malicious prompts that a prompt is in."""
    tags = prompt.tags
    if tags is None or tags.sensitive is None or tags.sensitive.intent != "malicious":
        return []
    return [ATTACKS, tags.attack] if tags.attack else [PLAIN]
