"""The one typed description of the configuration.

`config.yaml` gives every key its value and its explanation; an experiment's overlay changes some.
This module says what each key may be, and answers a mistake with the key's path and the nearest
key. Blocks that a command needs travel to it as JSON (`--recipe '{...}'`) and are read by the same
classes, so that a key is described once.
"""

import difflib
import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from limaflow.errors import InputError
from limaflow.sources.sites import archive_of, groups

NAME_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Share = Annotated[float, Field(ge=0, le=1)]
Block = TypeVar("Block", bound="Settings")
Grading = Literal["likert", "quality", "safety"]
"""Instruments for single responses."""
GRADINGS: tuple[Grading, ...] = get_args(Grading)
UNFILTERED = ("messages", "released")
"""Kinds of sources whose rows are conversations already, which no rule of the filter reads."""


class Settings(BaseModel):
    """A block of the configuration: immutable, and closed to keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def flag(self) -> str:
        """This block as one line of JSON, for a command line and for Snakemake's parameters."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)


class RawFile(Settings):
    """A raw file, given by path or fetched from a URL or its mirrors into resources/."""

    path: str | None = None
    url: str | None = None
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    mirrors: list[str] = []
    token_env: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise ValueError("give either path or url")
        if self.path is not None and (self.mirrors or self.token_env or self.sha256):
            raise ValueError("sha256, mirrors and token_env belong to a url (file:// serves too)")
        return self


class SiteTable(Settings):
    """A group of Stack Exchange sites, one shard each; `{file}` stands for a site's archive."""

    group: Literal["stem", "other"]
    path: str | None = None
    url: str | None = None
    mirrors: list[str] = []
    sha256: dict[Name, str] = {}

    @model_validator(mode="after")
    def _patterns_and_known_sites(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise ValueError("give either path or url")
        if self.path is not None and (self.mirrors or self.sha256):
            raise ValueError("sha256 and mirrors belong to a url (file:// serves too)")
        for pattern in (self.path, self.url, *self.mirrors):
            if pattern is not None and "{file}" not in pattern:
                raise ValueError(f"{pattern} lacks {{file}}, which stands for a site's archive")
        names = groups()[self.group]
        if unknown := [name for name in self.sha256 if name not in names]:
            raise ValueError(f"sha256: no site of {self.group} is named '{unknown[0]}'")
        return self

    def shards(self) -> dict[str, list[dict[str, Any]]]:
        """The raw file of each site, as `shards` would list it."""
        return {
            name: [
                {
                    "path": self.path and self.path.replace("{file}", archive_of(name)),
                    "url": self.url and self.url.replace("{file}", archive_of(name)),
                    "mirrors": [m.replace("{file}", archive_of(name)) for m in self.mirrors],
                    "sha256": self.sha256.get(name),
                }
            ]
            for name in groups()[self.group]
        }


class Source(Settings):
    """One source of text: raw files of one kind, read shard by shard."""

    name: Name
    kind: Literal[
        "stackexchange",
        "wikihow",
        "reddit",
        "natural-instructions",
        "authored",
        "messages",
        "released",
    ]
    shards: dict[Name, list[RawFile]] = {}
    site_table: SiteTable | None = None
    licence: str = ""
    subreddit: str | None = None
    prompt_field: str = "prompt"
    response_field: str = "response"
    max_bad_rows: int = Field(default=0, ge=0)
    """Rows of each shard that may be passed over since they cannot be read; they are counted."""
    filters: str | None = None
    """Block of `curation.filters` that this source goes through; None is that of its kind."""

    @property
    def filter_block(self) -> str:
        return self.filters or self.kind

    @model_validator(mode="after")
    def _shards_listed(self) -> Self:
        if self.site_table is None:
            if not self.shards:
                raise ValueError("give shards, or site_table for a group of Stack Exchange sites")
            return self
        if self.shards or self.kind != "stackexchange":
            raise ValueError("site_table is for kind stackexchange, and takes the place of shards")
        listed = {
            name: [RawFile.model_validate(file) for file in files]
            for name, files in self.site_table.shards().items()
        }
        return self.model_copy(update={"shards": listed, "site_table": None})

    @model_validator(mode="after")
    def _subreddit_named(self) -> Self:
        if (self.kind == "reddit") != (self.subreddit is not None):
            raise ValueError("subreddit belongs to sources of kind reddit, and is needed there")
        return self


class Filters(Settings):
    """Thresholds of the paper's selection rules; `null` or `false` switches a rule off."""

    min_response_score: float | None
    min_response_chars: int | None = Field(ge=0)
    max_response_chars: int | None = Field(ge=1)
    drop_first_person: bool
    drop_cross_references: bool
    quotes_and_code_count: bool
    require_self_contained_title: bool
    title_prompt_share: Share

    @property
    def off(self) -> bool:
        """Whether no rule drops anything."""
        limits = (self.min_response_score, self.min_response_chars, self.max_response_chars)
        drops = (
            self.drop_first_person,
            self.drop_cross_references,
            self.require_self_contained_title,
        )
        return limits == (None, None, None) and not any(drops)

    @model_validator(mode="after")
    def _range(self) -> Self:
        low, high = self.min_response_chars, self.max_response_chars
        if low is not None and high is not None and low > high:
            raise ValueError(f"min_response_chars {low} exceeds max_response_chars {high}")
        return self


class Deduplication(Settings):
    """Near duplicates by MinHash over word shingles."""

    jaccard: Share
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

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.examples is None) == (self.path is None):
            raise ValueError("give either examples (source: number) or path (messages JSONL)")
        return self


class PromptDraw(Settings):
    """Prompts drawn from a source, or brought as messages JSONL."""

    source: Name | None = None
    examples: int | None = Field(default=None, ge=1)
    path: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        drawn = self.source is not None and self.examples is not None
        if drawn == (self.path is not None) or (self.source is None) != (self.examples is None):
            raise ValueError("give either source and examples, or path (messages JSONL)")
        return self


class Prompts(Settings):
    """The prompts that models are chosen by (dev) and judged on (test)."""

    dev: list[PromptDraw] = Field(min_length=1)
    test: list[PromptDraw] = Field(min_length=1)


class StandIn(Settings):
    """A base model pretrained in the run, where no real one can be had."""

    corpus: list[str] = Field(min_length=1)
    vocabulary: int = Field(ge=300)
    hidden_size: int = Field(ge=16)
    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    context: int = Field(ge=64)
    tokens: int = Field(ge=1000)
    batch: int = Field(ge=1)
    learning_rate: float = Field(gt=0)

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.hidden_size % (2 * self.heads):
            raise ValueError("hidden_size must be a multiple of twice the heads (rotary positions)")
        return self


class Base(Settings):
    """The pretrained model: a hub name or folder, or a stand-in."""

    path: str | None = None
    revision: str | None = None
    stand_in: StandIn | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.path is None) == (self.stand_in is None):
            raise ValueError("give either path (a hub name or folder) or stand_in")
        return self


class Lora(Settings):
    """Low-rank adapters on a frozen base model (peft), in place of full fine-tuning.

    The end-of-turn token's rows in embedding and head are trained beside them.
    """

    rank: int = Field(ge=1)
    alpha: int = Field(default=16, ge=1)
    dropout: Share = 0.0
    target_modules: list[str] | Literal["all-linear"] = "all-linear"
    residual_dropout: Share = 0.0
    quantize: Literal["4bit"] | None = None


class Recipe(Settings):
    """Everything of fine-tuning that changes the trained weights."""

    epochs: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    final_learning_rate: float = Field(ge=0)
    warmup_steps: int = Field(ge=0)
    batch_examples: int = Field(ge=1)
    max_tokens: int = Field(ge=8)
    betas: tuple[Share, Share]
    weight_decay: float = Field(ge=0)
    decay_norms_and_biases: bool
    gradient_clipping: float = Field(ge=0)
    residual_dropout: Share
    loss_on: Literal["responses", "everything"]
    loss_mean: Literal["token", "example"]
    precision: Literal["bf16", "fp32"]
    max_trimmed_share: Share
    lora: Lora | None = None

    @property
    def last_residual_dropout(self) -> float:
        """Residual dropout's rate at the last layer; with LoRA that of its block."""
        return self.residual_dropout if self.lora is None else self.lora.residual_dropout

    @model_validator(mode="after")
    def _decaying(self) -> Self:
        if self.final_learning_rate > self.learning_rate:
            raise ValueError(
                f"final_learning_rate {self.final_learning_rate} exceeds "
                f"learning_rate {self.learning_rate}"
            )
        return self


class Launch(Settings):
    """How training is spread over processes; of no consequence for the weights but rounding."""

    nodes: int = Field(ge=1)
    processes_per_node: int = Field(ge=1)
    micro_batch_examples: int = Field(ge=1)
    micro_batch_tokens: int | None = Field(ge=8)
    zero_stage: Literal[0, 1, 2, 3]
    offload: Literal["none", "optimizer", "parameters"] = "none"
    gradient_checkpointing: bool
    liger: bool = False
    compile: bool = False
    checkpoint_every_steps: int | None = Field(ge=1)
    keep_checkpoints: int = Field(ge=1)

    @model_validator(mode="after")
    def _offload_of_what_is_divided(self) -> Self:
        lowest = {"none": 0, "optimizer": 1, "parameters": 3}[self.offload]
        if self.zero_stage < lowest:
            raise ValueError(f"offload: {self.offload} needs zero_stage {lowest} or more")
        return self


class Decoding(Settings):
    """How responses are sampled."""

    top_p: Share
    temperature: float = Field(ge=0)
    repetition_penalty: float = Field(ge=1)
    max_tokens: int = Field(ge=1)
    samples: int = Field(ge=1)


class Generation(Settings):
    """Responses of models that run here."""

    decoding: Decoding
    dev_samples: int = Field(ge=1)
    batch: int = Field(ge=1)
    precision: Literal["bf16", "fp32"]
    engine: Literal["transformers", "vllm"]
    vllm: str
    max_length_share: Share


class BaseArm(Settings):
    """The pretrained model, asked as it is."""

    name: Name
    kind: Literal["base"]


class InContextArm(Settings):
    """The pretrained model with a few training examples before the question (URIAL)."""

    name: Name
    kind: Literal["in-context"]
    dataset: Name
    examples: int = Field(default=3, ge=1)


class TunedArm(Settings):
    """The pretrained model fine-tuned on a data set; `recipe` overrides keys of `training`."""

    name: Name
    kind: Literal["tuned"]
    dataset: Name
    recipe: dict[str, Any] = {}


class ModelArm(Settings):
    """A model that the user brings, ready to answer in the chat template it carries."""

    name: Name
    kind: Literal["model"]
    path: str
    revision: str | None = None


class EndpointArm(Settings):
    """A model behind an OpenAI-compatible endpoint."""

    name: Name
    kind: Literal["endpoint"]
    model: str
    base_url: str | None = None
    key_env: str = "OPENAI_API_KEY"
    extra_body: dict[str, Any] = {}
    concurrency: int = Field(default=8, ge=1)
    timeout_seconds: float = Field(default=600.0, gt=0)


class RecordedArm(Settings):
    """Responses that someone made elsewhere, as a file of response records."""

    name: Name
    kind: Literal["recorded"]
    path: str


Arm = Annotated[
    BaseArm | InContextArm | TunedArm | ModelArm | EndpointArm | RecordedArm,
    Field(discriminator="kind"),
]
LOCAL_KINDS = ("base", "in-context", "tuned", "model")


class Comparison(Settings):
    """Two arms shown side by side; `verdicts` brings a file of recorded verdicts instead."""

    first: Name
    second: Name
    verdicts: str | None = None

    @property
    def name(self) -> str:
        return f"{self.first}-vs-{self.second}"


class Judge(Settings):
    """An LLM that annotates, reached through the OpenAI protocol.

    `launcher` is a command put before the judge's own, which serves the endpoint while it runs.
    """

    name: Name
    model: str
    base_url: str | None = None
    key_env: str = "OPENAI_API_KEY"
    launcher: list[str] = []
    batch: bool = False
    temperature: float = Field(default=0.0, ge=0)
    max_tokens: int = Field(default=1024, ge=1)
    concurrency: int = Field(default=8, ge=1)
    attempts: int = Field(default=3, ge=1)
    timeout_seconds: float = Field(default=120.0, gt=0)
    price_per_million_prompt_tokens: float = Field(default=0.0, ge=0)
    price_per_million_completion_tokens: float = Field(default=0.0, ge=0)
    tokenizer: str | None = None


class Budget(Settings):
    """What all judging jobs of a run may use up together; None is without bound."""

    cost: float | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)


class People(Settings):
    """A round of annotation: the folder of its key and of `answers/`, what came back."""

    folder: str
    partial: bool = False
    pool: bool = False


class Judging(Settings):
    """Who annotates what, and how two verdicts on one pair become one."""

    pairwise: list[Name]
    likert: list[Name]
    quality: list[Name]
    safety: list[Name]
    selection: Name
    people: People | None = None
    orders: Literal["both", "one"]
    merge: Literal["strict", "mean"]
    pairwise_template: str | None
    likert_template: str | None
    quality_template: str | None
    safety_template: str | None
    store: str
    budget: Budget
    max_error_share: Share

    def graders(self, instrument: Grading) -> list[str]:
        """The judges of single responses by an instrument."""
        return list(getattr(self, instrument))

    def template(self, instrument: Literal["pairwise"] | Grading) -> str | None:
        """The user's own text of an instrument."""
        own: str | None = getattr(self, f"{instrument}_template")
        return own


class Selection(Settings):
    """The epochs whose dev responses are judged; the best one's checkpoint is the model."""

    epochs: list[Annotated[int, Field(ge=1)]] = Field(min_length=1)


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
        problems = [*_repeated_names(self), *_unknown_names(self), *_impossible(self)]
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


def _repeated_names(config: Config) -> list[str]:
    lists: dict[str, list[str]] = {
        "sources": [s.name for s in config.sources],
        "datasets": [d.name for d in config.datasets],
        "arms": [a.name for a in config.arms],
        "judges": [j.name for j in config.judges],
        "comparisons": [c.name for c in config.comparisons],
    }
    return [
        f"{key}: the name '{name}' stands twice"
        for key, names in lists.items()
        for name, count in Counter(names).items()
        if count > 1
    ]


def _references(config: Config) -> list[tuple[str, str, str]]:
    """Every place that names something: (place, name, list it must be in)."""
    found = [
        (f"datasets.{d.name}.examples", source, "sources")
        for d in config.datasets
        for source in d.examples or {}
    ]
    for split, draws in (("dev", config.prompts.dev), ("test", config.prompts.test)):
        found += [(f"prompts.{split}.source", d.source, "sources") for d in draws if d.source]
    for arm in config.arms:
        if isinstance(arm, (TunedArm, InContextArm)):
            found.append((f"arms.{arm.name}.dataset", arm.dataset, "datasets"))
    for comparison in config.comparisons:
        found.append((f"comparisons.{comparison.name}.first", comparison.first, "arms"))
        found.append((f"comparisons.{comparison.name}.second", comparison.second, "arms"))
    found += [("judging.pairwise", name, "judges") for name in config.judging.pairwise]
    for grading in GRADINGS:
        found += [(f"judging.{grading}", n, "judges") for n in config.judging.graders(grading)]
    found.append(("judging.selection", config.judging.selection, "judges"))
    found += [("benchmarks.arms", name, "arms") for name in config.benchmarks.arms]
    found.append(("analysis.lima_arm", config.analysis.lima_arm, "arms"))
    return found


def _unknown_names(config: Config) -> list[str]:
    known = {
        "sources": [s.name for s in config.sources],
        "datasets": [d.name for d in config.datasets],
        "arms": [a.name for a in config.arms],
        "judges": [j.name for j in config.judges],
    }
    return [
        f"{place}: no {kind[:-1]} is named '{name}'{_nearest(name, known[kind])}"
        for place, name, kind in _references(config)
        if name not in known[kind]
    ]


def _impossible(config: Config) -> list[str]:
    problems = []
    for arm in config.arms:
        if not isinstance(arm, TunedArm):
            continue
        try:
            recipe = config.recipe(arm.name)
        except ValidationError as error:
            problems += [
                f"arms.{arm.name}.recipe.{line}"
                for line in _messages(error, Recipe, {**config.training.model_dump(), **arm.recipe})
            ]
            continue
        late = [epoch for epoch in config.selection.epochs if epoch > recipe.epochs]
        if late:
            problems.append(
                f"selection.epochs: {late} lie after the last of the {recipe.epochs} epochs "
                f"of arm '{arm.name}'"
            )
        processes = config.launch.nodes * config.launch.processes_per_node
        if recipe.batch_examples % processes:
            problems.append(
                f"training.batch_examples: {recipe.batch_examples} examples of arm '{arm.name}' "
                f"cannot be shared evenly by {processes} processes (launch)"
            )
        if recipe.precision == "bf16" and config.launch.zero_stage == 0:
            problems.append(
                "launch.zero_stage: stage 0 with bf16 takes an optimizer step of its own when it "
                "starts (DeepSpeed 0.19); use stage 1 to 3, or training.precision fp32"
            )
    problems += [
        f"sources.{s.name}: curation.filters has no block '{s.filter_block}'"
        f"{_nearest(s.filter_block, sorted(config.curation.filters))}"
        for s in config.sources
        if s.filter_block not in {*config.curation.filters, *UNFILTERED}
    ]
    problems += [
        f"benchmarks.arms: '{name}' is not a model that runs here"
        for name in config.benchmarks.arms
        if any(a.name == name and a.kind not in LOCAL_KINDS for a in config.arms)
    ]
    return list(dict.fromkeys(problems))


def parse(raw: dict[str, Any], origin: str = "configuration") -> Config:
    """The typed configuration from merged YAML.

    Raises:
        InputError: lists every mistake with the key's path and, for a typo, the nearest key.
    """
    return _validated(Config, raw, origin)


def parse_block(kind: type[Block], text: str, origin: str) -> Block:
    """One block from the JSON of a command line flag such as `--recipe`.

    Raises:
        InputError: not JSON, or not a block of that kind.
    """
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{origin} is not JSON: {error}") from None
    return _validated(kind, raw, origin)


def _validated(kind: type[Block], raw: Any, origin: str) -> Block:
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        lines = list(dict.fromkeys(_messages(error, kind, raw)))
        raise InputError(f"{origin}: " + "\n  ".join(["not valid:", *lines])) from None


def _messages(error: ValidationError, kind: type[BaseModel], raw: Any) -> list[str]:
    lines = []
    for problem in error.errors():
        place = _place(problem["loc"], raw)
        if problem["type"] == "extra_forbidden":
            key = str(problem["loc"][-1])
            keys = _keys_beside(kind, problem["loc"][:-1])
            lines.append(f"{place}: unknown key{_nearest(key, keys)}")
        elif problem["type"] == "missing":
            lines.append(f"{place}: missing")
        else:
            message = problem["msg"].removeprefix("Value error, ")
            shown = problem.get("input")
            value = f", got {shown!r}" if isinstance(shown, (str, int, float, bool)) else ""
            lines.append(f"{place}: {message}{value}" if place else message + value)
    return lines


def _place(loc: tuple[int | str, ...], raw: Any) -> str:
    """The dotted path of a key; list entries go by their name, union tags are left out."""
    parts: list[str] = []
    for index, step in enumerate(loc):
        if isinstance(step, int) and isinstance(raw, (list, tuple)) and step < len(raw):
            raw = raw[step]
            named = isinstance(raw, dict) and "name" in raw
            parts.append(str(raw["name"]) if named else str(step))
        elif isinstance(raw, dict) and step in raw:
            raw = raw[step]
            parts.append(str(step))
        elif index == len(loc) - 1:
            parts.append(str(step))
    return ".".join(parts)


def _keys_beside(kind: Any, loc: tuple[int | str, ...]) -> list[str]:
    """The keys that a block at `loc` under `kind` may have."""
    blocks = _blocks_in(kind)
    for step in loc:
        if isinstance(step, int):
            continue
        tagged = [b for b in blocks if step in _tags(b)]
        inner = [
            found
            for b in blocks
            if step in b.model_fields
            for found in _blocks_in(b.model_fields[step].annotation)
        ]
        blocks = tagged or inner or blocks
    return sorted({key for block in blocks for key in block.model_fields})


def _tags(block: type[BaseModel]) -> tuple[Any, ...]:
    field = block.model_fields.get("kind")
    return get_args(field.annotation) if field else ()


def _blocks_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [block for part in get_args(annotation) for block in _blocks_in(part)]


def _nearest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(known)}"


def raw_path(file: RawFile, source: str, data_root: str) -> str:
    """Where a raw file lies: resources/ for a URL, else its path under `data_root`."""
    if file.url is not None:
        return f"resources/{source}/{urlsplit(file.url).path.rsplit('/', 1)[-1]}"
    assert file.path is not None
    return under_root(file.path, data_root)


def under_root(path: str, data_root: str) -> str:
    """A user's path: as it is if absolute or in results/, else under `data_root`."""
    if path.startswith("results/") or Path(path).is_absolute() or data_root in ("", "."):
        return path
    return str(Path(data_root) / path)
