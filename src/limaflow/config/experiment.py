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
from limaflow.endpoints.settings import Judge
from limaflow.generation.settings import Generation
from limaflow.judging.settings import Comparison, Judging
from limaflow.lm_evaluation.settings import Benchmarks
from limaflow.settings import Name, Settings
from limaflow.sources.settings import AnySource, Source
from limaflow.token_shift.settings import TokenShift
from limaflow.training.settings import Base, Launch, Preference, Selection, Training


class Analysis(Settings):
    """Intervals and tests."""

    bootstrap: int = Field(ge=100)
    confidence: float = Field(gt=0.5, lt=1)
    lima_arm: Name
    claims: list[str] = Field(default_factory=list)
    """Files with claims of one's own, held beside the paper's; see docs/report.md."""


class Miniature(Settings):
    """The invented world that stands in for the real sources; see docs/miniature.md."""

    towns: int = Field(ge=30)
    heldout_share: float = Field(gt=0, lt=1)


class Config(Settings):
    """A whole experiment."""

    experiment: Name
    title: str
    seed: int = Field(ge=0)
    data_root: str
    sources: list[AnySource]
    curation: Curation
    datasets: list[Dataset] = Field(min_length=1)
    prompts: Prompts
    base: Base
    training: Training
    preference: Preference
    launch: Launch
    selection: Selection
    generation: Generation
    arms: list[Arm] = Field(min_length=1)
    judges: list[Judge] = Field(min_length=1)
    judging: Judging
    comparisons: list[Comparison]
    benchmarks: Benchmarks
    token_shift: TokenShift = TokenShift()
    analysis: Analysis
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
        own, other = (
            self.training_of(one).model_dump(exclude={"epochs", "batch_examples"})
            for one in (lima, arm)
        )
        return own == other

    def is_unfiltered(self, arm: str) -> bool:
        """Whether a tuned arm's sources name blocks with all rules off in place of their kind's own
        (Figure 5)."""
        named = [self.source(name).filters or "" for name in self._drawn(arm)]
        blocks = [self.curation.filters.get(name) for name in named]
        return bool(blocks) and all(block is not None and block.off for block in blocks)

    def _drawn(self, arm: str) -> dict[str, Any]:
        """Source → number of examples that a tuned arm's data set draws."""
        dataset = self.arm(arm).training_dataset
        return (self.dataset(dataset).examples or {}) if dataset else {}
