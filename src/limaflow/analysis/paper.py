"""The paper's values, typed: the one place from which our tables, figures and claims take them."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from limaflow.yaml_file import read_yaml

Mark = Literal["P", "Q", "E", "D", "?"]
FILE = Path(__file__).with_name("paper.yaml")


@dataclass(frozen=True, kw_only=True)
class SourceRow:
    """A row of Table 1; lengths in tokens."""

    split: Literal["train", "dev", "test"]
    source: str
    names: tuple[str, ...]
    examples: int
    mean_input: int
    mean_output: int | None


@dataclass(frozen=True, kw_only=True)
class Sources:
    place: str
    mark: Mark
    rows: tuple[SourceRow, ...]


@dataclass(frozen=True, kw_only=True)
class PreferenceRow:
    """One bar of Figure 1 or 2; shares in percent from LIMA's view."""

    place: str
    annotator: str
    baseline: str
    arms: tuple[str, ...]
    win: float
    tie: float
    lose: float


@dataclass(frozen=True, kw_only=True)
class Annotator:
    """Who judged: people, or a model by the names under which an endpoint returns it."""

    kind: Literal["person", "model"]
    models: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Preferences:
    prompts: int
    mark: Mark
    annotators: dict[str, Annotator]
    models: dict[str, tuple[str, ...]]
    """Baseline → names under which an endpoint returns it."""
    rows: tuple[PreferenceRow, ...]


@dataclass(frozen=True, kw_only=True)
class LikertRow:
    """One bar of Figure 5 or 6; `margin` is half the 95 % interval."""

    place: str
    label: str
    examples: int
    mean: float
    margin: float


@dataclass(frozen=True, kw_only=True)
class Likert:
    mark: Mark
    model: str
    annotator: str
    rows: tuple[LikertRow, ...]


@dataclass(frozen=True, kw_only=True)
class EpochRow:
    """One point of Figure 9."""

    step: int
    perplexity: float
    quality: float


@dataclass(frozen=True, kw_only=True)
class Epochs:
    place: str
    mark: Mark
    model: str
    rows: tuple[EpochRow, ...]


@dataclass(frozen=True, kw_only=True)
class Value:
    """A single value or range with its place."""

    value: float | None
    unit: str
    place: str
    mark: Mark
    arxiv: str | None
    low: float | None = None
    high: float | None = None

    @property
    def text(self) -> str:
        """The value as one writes it: `78 %`, `65–72 %`, `30 prompts`."""
        number = f"{self.low:g}–{self.high:g}" if self.value is None else f"{self.value:g}"
        return f"{number} {self.unit}"

    def __format__(self, form: str) -> str:
        """In texts `{name}` is the value with its unit, `{name:g}` the number alone."""
        return format(self.value, form) if form else self.text


@dataclass(frozen=True, kw_only=True)
class Text:
    """What the paper shows where it prints no number, described and not quoted."""

    text: str
    place: str
    mark: Mark

    @property
    def source(self) -> str:
        return f"{self.place} [{self.mark}]"


@dataclass(frozen=True, kw_only=True)
class Paper:
    """Everything of the record that this project compares with."""

    title: str
    arxiv: str
    sources: Sources
    preferences: Preferences
    likert: Likert
    epochs: Epochs
    values: dict[str, Value]
    texts: dict[str, Text]


@cache
def paper() -> Paper:
    """The record, from `paper.yaml`."""
    return TypeAdapter(Paper).validate_python(read_yaml(FILE))
