"""`judges`, `comparisons` and `judging` of the configuration."""

from typing import Literal, get_args

from pydantic import Field

from limaflow.config.settings import Endpoint, Name, Settings, Share

Grading = Literal["likert", "quality", "safety"]
"""Instruments for single responses."""
GRADINGS: tuple[Grading, ...] = get_args(Grading)


class Comparison(Settings):
    """Two arms shown side by side; `verdicts` brings a file of recorded verdicts instead."""

    first: Name
    second: Name
    verdicts: str | None = None

    @property
    def name(self) -> str:
        return f"{self.first}-vs-{self.second}"


class Judge(Endpoint):
    """An LLM that annotates.

    `launcher` is a command put before the judge's own, which serves the endpoint while it runs.
    """

    name: Name
    launcher: list[str] = []
    batch: bool = False
    temperature: float = Field(default=0.0, ge=0)
    max_tokens: int = Field(default=1024, ge=1)
    attempts: int = Field(default=3, ge=1)
    timeout_seconds: float = Field(default=120.0, gt=0)
    tokenizer: str | None = None


class Budget(Settings):
    """What all judging jobs of a run may use up together; None is without bound."""

    cost: float | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)

    @property
    def unbounded(self) -> bool:
        return self.cost is None and self.tokens is None


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
    people: list[People]
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
