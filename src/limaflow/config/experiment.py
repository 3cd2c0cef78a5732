"""The one typed description of the configuration.

`config.yaml` gives every key its value and its explanation; an experiment's overlay changes some.
The modules of this package say what each key may be; a mistake is answered with the key's path and
the nearest key (mistakes.py). Blocks that a command needs travel to it as JSON (`--recipe '{...}'`)
and are read by the same classes, so that a key is described once.
"""

from typing import Any, Self

from pydantic import Field, model_validator

from limaflow.config.consistency import impossible, repeated_names, unknown_names
from limaflow.config.curation import Curation, Dataset, PromptDraw, Prompts
from limaflow.config.generation import Arm, Generation, TunedArm
from limaflow.config.judging import Comparison, Judge, Judging
from limaflow.config.mistakes import validated
from limaflow.config.settings import Name, Settings
from limaflow.config.sources import Source
from limaflow.config.training import Base, Launch, Recipe, Selection


class Benchmarks(Settings):
    """lm-eval tasks run on every local model, base and tuned."""

    tasks: list[str]
    include: str | None
    arms: list[Name]
    few_shot: int | None = Field(ge=0)
    limit: int | None = Field(ge=1)
    batch: int = Field(ge=1)
    chat_template: bool


class Analysis(Settings):
    """Intervals and tests."""

    bootstrap: int = Field(ge=100)
    confidence: float = Field(gt=0.5, lt=1)
    lima_arm: Name


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
    sources: list[Source]
    curation: Curation
    datasets: list[Dataset] = Field(min_length=1)
    prompts: Prompts
    base: Base
    training: Recipe
    launch: Launch
    selection: Selection
    generation: Generation
    arms: list[Arm] = Field(min_length=1)
    judges: list[Judge] = Field(min_length=1)
    judging: Judging
    comparisons: list[Comparison]
    benchmarks: Benchmarks
    analysis: Analysis
    miniature: Miniature | None

    def source(self, name: str) -> Source:
        return next(s for s in self.sources if s.name == name)

    def dataset(self, name: str) -> Dataset:
        return next(d for d in self.datasets if d.name == name)

    def arm(self, name: str) -> Arm:
        return next(a for a in self.arms if a.name == name)

    def judge(self, name: str) -> Judge:
        return next(j for j in self.judges if j.name == name)

    def pool(self, dataset: str) -> str | None:
        """The pool that a data set is drawn from, None for one brought whole.

        Data sets of the same sources share a pool, which bears the name of the first of them.
        """
        sources = self.dataset(dataset).examples
        if sources is None:
            return None
        return next(
            d.name for d in self.datasets if d.examples and d.examples.keys() == sources.keys()
        )

    def recipe(self, arm: str) -> Recipe:
        """The training recipe of a tuned arm: `training` with the arm's overrides."""
        tuned = self.arm(arm)
        assert isinstance(tuned, TunedArm)
        return Recipe.model_validate({**self.training.model_dump(), **tuned.recipe})

    def is_ablation(self, arm: str) -> bool:
        """Whether a tuned arm has another number of the LIMA arm's kind of examples (Figure 6)."""
        ours, theirs = self._drawn(self.analysis.lima_arm), self._drawn(arm)
        return bool(ours) and ours.keys() == theirs.keys() and ours != theirs

    def is_unfiltered(self, arm: str) -> bool:
        """Whether a tuned arm's sources name blocks with all rules off in place of their kind's own
        (Figure 5)."""
        named = [self.source(name).filters or "" for name in self._drawn(arm)]
        blocks = [self.curation.filters.get(name) for name in named]
        return bool(blocks) and all(block is not None and block.off for block in blocks)

    def _drawn(self, arm: str) -> dict[str, Any]:
        """Source → number of examples that a tuned arm's data set draws."""
        tuned = self.arm(arm)
        return (self.dataset(tuned.dataset).examples or {}) if isinstance(tuned, TunedArm) else {}

    @model_validator(mode="after")
    def _published_rows(self) -> Self:
        if self.curation.dataset == "rebuilt":
            return self
        return self.model_copy(update=_published_rows(self))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = [*repeated_names(self), *unknown_names(self), *impossible(self)]
        if problems:
            raise ValueError("; ".join(problems))
        return self


RELEASED, RELEASED_TEST = "released", "released-test"


def _published_rows(config: Config) -> dict[str, Any]:
    """Sources, data sets and prompts with the published rows in place of what is drawn.

    Dev prompts were not published: they are held out of the training rows, unless brought.
    """
    drawn = [dataset.name for dataset in config.datasets if dataset.examples is not None]
    if len(drawn) > 1:
        raise ValueError(
            f"curation.dataset: the published rows are one data set, {', '.join(drawn)} are drawn"
        )
    train, prompts = config.curation.released.shards()
    sources = [source for source in config.sources if source.kind != "released"] + [
        Source(name=RELEASED, kind="released", shards=train),
        Source(name=RELEASED_TEST, kind="released", shards=prompts),
    ]
    datasets = [
        dataset if dataset.path else Dataset(name=dataset.name, examples={RELEASED: "all"})
        for dataset in config.datasets
    ]
    number = sum(draw.examples or 0 for draw in config.prompts.dev)
    dev = [draw for draw in config.prompts.dev if draw.path]
    dev += [PromptDraw(source=RELEASED, examples=number)] if number else []
    test = [draw for draw in config.prompts.test if draw.path]
    wanted = sum(draw.examples or 0 for draw in config.prompts.test)
    test += [PromptDraw(source=RELEASED_TEST, examples=wanted)] if wanted else []
    return {"sources": sources, "datasets": datasets, "prompts": Prompts(dev=dev, test=test)}


def parse(raw: dict[str, Any], origin: str = "configuration") -> Config:
    """The typed configuration from merged YAML.

    Raises:
        InputError: lists every mistake with the key's path and, for a typo, the nearest key.
    """
    return validated(Config, raw, origin)
