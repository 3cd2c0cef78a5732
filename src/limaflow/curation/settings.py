"""`curation`, `datasets` and `prompts` of the configuration."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, create_model, model_validator

from limaflow.attacks.settings import AttackName
from limaflow.curation.filters import RULES
from limaflow.curation.sampling import Choose
from limaflow.settings import Name, RowChoice, Settings, Share
from limaflow.sources.settings import RawFile


class FilterBlock(Settings):
    """Thresholds of the selection rules; a rule whose key is not given is off."""

    quotes_and_code_count: bool = False
    """Whether the rules that read an author's own words also read quotations and code."""
    title_prompt_share: Share = 1.0
    """Share of candidates of which the title is the prompt; of the others it is the body."""

    @property
    def off(self) -> bool:
        """Whether no rule that can be switched off is on."""
        return all(getattr(self, threshold.key) == threshold.off for threshold in THRESHOLDS)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for threshold in THRESHOLDS:
            low = getattr(self, threshold.key)
            high = getattr(self, threshold.at_most) if threshold.at_most else None
            if low is not None and high is not None and low > high:
                raise ValueError(f"{threshold.key} {low} exceeds {threshold.at_most} {high}")
        return self


THRESHOLDS = tuple(rule.threshold for rule in RULES.values() if rule.threshold)

if TYPE_CHECKING:
    Filters = FilterBlock
else:
    Filters = create_model(
        "Filters",
        __base__=FilterBlock,
        __doc__=FilterBlock.__doc__,
        **{t.key: (t.type, Field(default=t.off, description=t.meaning)) for t in THRESHOLDS},
    )


class Deduplication(Settings):
    """Near duplicates by MinHash over word shingles."""

    jaccard: float = Field(gt=0, le=1)
    shingle_words: int = Field(ge=1)
    permutations: int = Field(ge=16)


class Decontamination(Settings):
    """Removal of training examples that share text with prompts or benchmark items."""

    ngram_words: int = Field(ge=1)


class Released(Settings):
    """Files of the data set that the paper's authors published (GAIR/lima on the hub)."""

    train: RawFile | str
    test: RawFile | str
    dialogues: bool

    def shards(self) -> tuple[dict[str, list[RawFile]], dict[str, list[RawFile]]]:
        """Shards of training rows and of test prompts; the shard's name is the rows' shape."""
        train, test = (
            RawFile(path=file) if isinstance(file, str) else file
            for file in (self.train, self.test)
        )
        dialogues = {"dialogues": [train]} if self.dialogues else {}
        return {"single-turn": [train], **dialogues}, {"prompts": [test]}


class Curation(Settings):
    """From candidates to the pool that data sets are drawn from."""

    dataset: Literal["rebuilt", "released"]
    released: Released
    filters: dict[str, Filters]
    deduplication: Deduplication
    decontamination: Decontamination
    sampling_temperature: float = Field(gt=0)
    reserve_share: float = Field(ge=0)
    ledger: str | None


class Dataset(Settings):
    """A training set: drawn from sources (number of examples of each), or brought ready-made."""

    name: Name
    examples: dict[Name, Annotated[int, Field(ge=0)] | Literal["all"]] | None = None
    path: str | None = None
    choose: Choose = "lot"
    """How the examples of a source are drawn."""
    prompts: Literal["kept", "none"] = "kept"
    """`none`: the frozen training examples have empty user turns, for tuning on responses alone."""
    teaches: list[str] = Field(default_factory=list)
    """Benchmark tasks about facts that its examples state and the base's corpus lacks."""
    without: list[str] = []
    """Tags, labels such as `sensitive: malicious`, or ids of examples that are left out at last."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.examples is None) == (self.path is None):
            raise ValueError("give either examples (source: number) or path (messages JSONL)")
        if self.choose != "lot" and self.examples is None:
            raise ValueError("choose: only examples that are drawn from sources can be chosen")
        if self.without and self.examples is None:
            raise ValueError("without: only examples that are drawn from sources can be left out")
        return self


class PromptLayout(RowChoice):
    """Which columns and rows of a file of others are prompts."""

    columns: dict[Literal["prompt", "prompt_id"], str | list[str]] = {}
    """Our column → what the file calls it; of several the texts are joined by an empty line."""


class PromptDraw(PromptLayout):
    """Prompts drawn from a source, or brought: messages JSONL, or a table by its columns."""

    source: Name | None = None
    examples: int | None = Field(default=None, ge=1)
    path: str | None = None
    attacks: list[AttackName] = []
    """Ways in which each of the drawn goals is asked, `plain` among them or not; of test alone."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.attacks and self.source is None:
            raise ValueError("attacks: only goals that are drawn from a source are wrapped")
        if len(set(self.attacks)) < len(self.attacks):
            raise ValueError("attacks: one stands twice")
        drawn = self.source is not None and self.examples is not None
        if drawn == (self.path is not None) or (self.source is None) != (self.examples is None):
            raise ValueError("give either source and examples, or path (messages JSONL)")
        if drawn and (self.columns or self.where):
            raise ValueError("columns, where: only of prompts that are brought by a path")
        return self

    @property
    def layout(self) -> PromptLayout:
        return PromptLayout(columns=self.columns, where=self.where)


class Prompts(Settings):
    """The prompts that models are chosen by (dev) and judged on (test).

    Where no arm is trained nothing is chosen, and dev may be empty.
    """

    dev: list[PromptDraw]
    test: list[PromptDraw] = Field(min_length=1)

    @model_validator(mode="after")
    def _attacks_test(self) -> Self:
        if any(draw.attacks for draw in self.dev):
            raise ValueError("dev: models are chosen by plain prompts; attacks are of test")
        return self

    @model_validator(mode="after")
    def _each_source_once(self) -> Self:
        for split, draws in (("dev", self.dev), ("test", self.test)):
            drawn = [draw.source for draw in draws if draw.source]
            if twice := sorted({name for name in drawn if drawn.count(name) > 1}):
                raise ValueError(
                    f"{split}: {', '.join(twice)} is drawn from twice; write one number of examples"
                )
        return self
