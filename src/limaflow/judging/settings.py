"""`judges`, `comparisons` and `judging` of the configuration."""

from typing import Literal, get_args

from limaflow.endpoints.settings import Budget
from limaflow.settings import Name, Settings, Share

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
