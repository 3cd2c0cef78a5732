"""The one typed description of the configuration.

`config.yaml` gives every key its value and its explanation; an experiment's overlay changes some.
The modules of this package say what each key may be; a mistake is answered with the key's path and
the nearest key (mistakes.py). A command receives its blocks as JSON (`--settings '{...}'`)
and reads them with the same classes, so that a key is described once.
"""

from typing import Any

from pydantic import Field

from limaflow.arms.table import Arm
from limaflow.curation.settings import Curation, Dataset, Prompts
from limaflow.dialogue.settings import Dialogue
from limaflow.endpoints.settings import Judge
from limaflow.generation.settings import Generation
from limaflow.judging.settings import Comparison, Judging
from limaflow.lm_evaluation.settings import Benchmarks
from limaflow.refusals.settings import Safety
from limaflow.settings import Name, Settings
from limaflow.sources.settings import AnySource, Source
from limaflow.tags import LabelName
from limaflow.token_shift.settings import TokenShift
from limaflow.training.settings import Base, Launch, Preference, Selection, Training

MAY_BE_REFUSED = ("xstest", "attack-goals")
"""Kinds of sources whose prompts say whether there is a reason to refuse them."""


class Analysis(Settings):
    """Intervals and tests."""

    bootstrap: int = Field(ge=100)
    confidence: float = Field(gt=0.5, lt=1)
    lima_arm: Name
    claims: list[str] = Field(default_factory=list)
    """Files with claims of one's own, held beside the paper's; see docs/report.md."""
    answers: str | None = None
    """What is right and wrong of the test prompts, as far as it is known; see docs/report.md."""
    by_tag: list[LabelName] = Field(default_factory=list)
    """Tags of prompts by whose labels grades and verdicts are told apart in a table."""


class Miniature(Settings):
    """The invented world that stands in for the real sources; see docs/miniature.md."""

    towns: int = Field(ge=30)
    heldout_share: float = Field(gt=0, lt=1)
    unwritten: int = Field(default=0, ge=0)
    """Further towns of which the pretraining corpus says nothing, and authored examples all."""


class Withhold(Settings):
    """Whose texts enter a bundle by hash, beside those of gated sources and of Reddit."""

    sources: list[Name] = Field(default_factory=list)
    arms: list[Name] = Field(default_factory=list)
    tasks: list[str] = Field(default_factory=list)


class Bundle(Settings):
    """The archive that others verify; see docs/bundle.md."""

    with_texts: bool = False
    """Whether texts of gated sources and of Reddit enter it too."""
    withhold: Withhold = Withhold()


class Config(Settings):
    """A whole experiment."""

    experiment: Name
    title: str
    seed: int = Field(ge=0)
    data_root: str
    sources: list[AnySource]
    curation: Curation
    datasets: list[Dataset]
    prompts: Prompts
    base: Base
    training: Training
    preference: Preference
    launch: Launch
    selection: Selection
    generation: Generation
    arms: list[Arm] = Field(min_length=1)
    judges: list[Judge]
    judging: Judging
    comparisons: list[Comparison]
    dialogue: Dialogue = Field(default_factory=Dialogue)
    safety: Safety = Field(default_factory=Safety)
    format_checks: bool
    """Whether responses are checked for the forms that prompts ask for by the tag `format`."""
    benchmarks: Benchmarks
    token_shift: TokenShift = TokenShift()
    analysis: Analysis
    bundle: Bundle = Bundle()
    miniature: Miniature | None

    def source(self, name: str) -> Source:
        return next(s for s in self.sources if s.name == name)

    def dataset(self, name: str) -> Dataset:
        return next(d for d in self.datasets if d.name == name)

    def arm(self, name: str) -> Arm:
        return next(a for a in self.arms if a.name == name)

    def further_seeds(self, arm: str) -> list[str]:
        """The arms that are this one, trained with its further seeds."""
        return [a.name for a in self.arms if a.seed_of == arm]

    @property
    def as_written(self) -> "Config":
        """The experiment with each arm once, that of its first training seed."""
        names = {arm.name for arm in self.arms if arm.seed_of is None}
        measured = [name for name in self.benchmarks.arms if name in names]
        return self.model_copy(
            update={
                "arms": [arm for arm in self.arms if arm.name in names],
                "comparisons": [c for c in self.comparisons if {c.first, c.second} <= names],
                "benchmarks": self.benchmarks.model_copy(update={"arms": measured}),
            }
        )

    @property
    def uses_base(self) -> bool:
        """Whether any model is the base, is made from it or is held against it."""
        return bool(self.token_shift.arms) or any(arm.uses_base for arm in self.arms)

    def judge(self, name: str) -> Judge:
        return next(j for j in self.judges if j.name == name)

    def pool(self, dataset: str) -> str | None:
        """The pool that a data set is drawn from, None for one brought whole.

        Data sets of the same sources share a pool, named after the first of them.
        """
        sources = self.dataset(dataset).examples
        if sources is None:
            return None
        return next(
            d.name for d in self.datasets if d.examples and d.examples.keys() == sources.keys()
        )

    def training_of(self, arm: str) -> Training:
        """The block `training` as it holds for an arm, with its overrides."""
        return self.arm(arm).training_settings(self.training)

    def is_ablation(self, arm: str) -> bool:
        """Whether a tuned arm has another number of the LIMA arm's kind of examples (Figure 6).

        It is trained alike, but for what may make the steps as many: epochs and batch.
        """
        lima = self.analysis.lima_arm
        ours, theirs = self._drawn(lima), self._drawn(arm)
        if not ours or ours.keys() != theirs.keys() or ours == theirs:
            return False
        if self._how_drawn(lima) != self._how_drawn(arm):
            return False
        own, other = (
            self.training_of(one).model_dump(exclude={"epochs", "batch_examples"})
            for one in (lima, arm)
        )
        return own == other

    @property
    def tests_refusals(self) -> bool:
        """Whether test prompts attack, or are drawn from a source of what may be refused."""
        if any(draw.attacks for draw in self.prompts.test):
            return True
        drawn = {draw.source for draw in self.prompts.test if draw.source}
        return any(s.name in drawn and s.kind in MAY_BE_REFUSED for s in self.sources)

    def has_examples_of_lima(self, arm: str) -> bool:
        """Whether a tuned arm is trained on the LIMA arm's data set."""
        return self.arm(arm).training_dataset == self.arm(self.analysis.lima_arm).training_dataset

    def is_adapted(self, arm: str) -> bool:
        """Whether a tuned arm trains an adapter on the LIMA arm's examples, which the LIMA arm does
        not."""
        lima = self.analysis.lima_arm
        if self.arm(arm).started_from != self.arm(lima).started_from:
            return False
        return self.has_examples_of_lima(arm) and (
            self.training_of(arm).lora is not None
            and self.training_of(self.analysis.lima_arm).lora is None
        )

    def is_of_responses(self, arm: str) -> bool:
        """Whether a tuned arm has the LIMA arm's responses without their prompts, trained alike."""
        lima = self.analysis.lima_arm
        ours, theirs = (self._dataset_of(one) for one in (lima, arm))
        if ours is None or theirs is None or (ours.prompts, theirs.prompts) != ("kept", "none"):
            return False
        same = {"name", "prompts", "teaches"}
        return ours.model_dump(exclude=same) == theirs.model_dump(exclude=same) and (
            self.training_of(lima) == self.training_of(arm)
        )

    def is_of_longest(self, arm: str) -> bool:
        """Whether a tuned arm has the longest examples of its sources, and the LIMA arm has not."""
        ours, theirs = (self._dataset_of(one) for one in (self.analysis.lima_arm, arm))
        return (
            theirs is not None
            and theirs.choose == "longest"
            and (ours is None or ours.choose != "longest")
        )

    def is_unfiltered(self, arm: str) -> bool:
        """Whether a tuned arm's sources name blocks with all rules off in place of their kind's own
        (Figure 5), and its examples are drawn as the LIMA arm's are."""
        if self._how_drawn(arm) != self._how_drawn(self.analysis.lima_arm):
            return False
        named = [self.source(name).filters or "" for name in self._drawn(arm)]
        blocks = [self.curation.filters.get(name) for name in named]
        return bool(blocks) and all(block is not None and block.off for block in blocks)

    def is_of_wikihow(self, arm: str) -> bool:
        """Whether a tuned arm's examples are drawn from wikiHow alone (Figure 5)."""
        kinds = {self.source(name).kind for name in self._drawn(arm)}
        return kinds == {"wikihow"}

    def teaches(self, arm: str) -> list[str]:
        """Benchmark tasks about facts that an arm's examples state and the base's corpus lacks."""
        dataset = self._dataset_of(arm)
        return dataset.teaches if dataset else []

    def _dataset_of(self, arm: str) -> Dataset | None:
        name = self.arm(arm).training_dataset
        return self.dataset(name) if name else None

    def _how_drawn(self, arm: str) -> tuple[str, str]:
        """How an arm's examples are chosen, and whether they keep their prompts."""
        dataset = self._dataset_of(arm)
        return (dataset.choose, dataset.prompts) if dataset else ("lot", "kept")

    def lacks(self, arm: str, tag: str) -> bool:
        """Whether a tuned arm has the LIMA arm's examples but those with a tag, trained alike."""
        lima = self.analysis.lima_arm
        names = [self.arm(one).training_dataset for one in (lima, arm)]
        ours, theirs = (self.dataset(name) if name else None for name in names)
        if ours is None or theirs is None or ours.without or theirs.without != [tag]:
            return False
        same = {"name", "without"}
        return ours.model_dump(exclude=same) == theirs.model_dump(exclude=same) and (
            self.training_of(lima) == self.training_of(arm)
        )

    def differs_in_refusals(self, arm: str) -> bool:
        """Whether a tuned arm is the LIMA arm, or has its examples but for refusals: those of other
        sources in `safety.refusals`, or none with the tag `sensitive`; trained alike."""
        lima = self.analysis.lima_arm
        ours, theirs = (self._dataset_of(one) for one in (lima, arm))
        if arm == lima or ours is None or theirs is None:
            return arm == lima and self.arm(arm).is_trained
        same = {"name", "examples", "without"}
        rest, other = (
            {
                "drawn": {s: n for s, n in self._drawn(a).items() if s not in self.safety.refusals},
                "without": {*d.without} - {"sensitive"},
                **d.model_dump(exclude=same),
            }
            for a, d in ((lima, ours), (arm, theirs))
        )
        return rest == other and self.training_of(lima) == self.training_of(arm)

    def _drawn(self, arm: str) -> dict[str, Any]:
        """Source → number of examples that a tuned arm's data set draws."""
        dataset = self._dataset_of(arm)
        return (dataset.examples or {}) if dataset else {}
