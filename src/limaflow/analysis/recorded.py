"""External rows: values that others published, shown beside a claim and never part of its verdict.

The package's own stand in `recorded.yaml`; a user's file of claims may hold more of the same kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from limaflow.analysis.paper import Mark
from limaflow.errors import InputError
from limaflow.mistakes import nearest
from limaflow.settings import Settings

FILE = Path(__file__).with_name("recorded.yaml")


@dataclass(frozen=True, kw_only=True)
class Published:
    """One published value in the unit of its source; ends where an interval is known."""

    label: str
    value: float
    unit: str = ""
    n: int | None = None
    counted: str = "prompts"
    """What `n` counts."""
    low: float | None = None
    high: float | None = None
    interval: str = ""
    """What `low` and `high` are, such as `95 % over prompts`."""
    change: bool = False
    """Whether it is a difference, written with its sign."""
    decimals: int = 0
    """To which the values of its row are written."""

    @property
    def number(self) -> str:
        """`60.6 % [57.1, 64.1]`."""
        estimate = f"{self._written(self.value)} {self.unit}".rstrip()
        if self.low is None or self.high is None:
            return estimate
        return f"{estimate} [{self._written(self.low)}, {self._written(self.high)}]"

    @property
    def basis(self) -> str:
        """`95 % over prompts, n = 300 prompts`."""
        interval = self.interval or "no interval published"
        size = f"n = {self.n:,} {self.counted}" if self.n is not None else "n not stated"
        return f"{interval}, {size}"

    def _written(self, number: float) -> str:
        sign = "+" if self.change else ""
        return f"{number:{sign}.{self.decimals}f}".replace("-", "−")


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Published values of one study: external evidence beside a claim."""

    id: str
    study: str
    source: str
    """Where the values stand, with the mark of how sure they are."""
    note: str = ""
    values: list[Published] = field(default_factory=list)


class PublishedValue(Settings):
    """A value of an external row."""

    label: str
    value: float
    unit: str = ""
    n: int | None = Field(default=None, ge=1)
    """In place of the row's."""
    margin: float | None = Field(default=None, gt=0)
    """Half the interval, in place of `low` and `high`."""
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _one_interval(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("give both low and high")
        if self.low is not None and self.margin is not None:
            raise ValueError("give margin, or low and high")
        low, high = self.ends()
        if low is not None and high is not None and not low <= self.value <= high:
            raise ValueError("the value lies outside its interval")
        return self

    def ends(self) -> tuple[float | None, float | None]:
        """The interval, if there is one; rounded, since 60.6 − 3.5 is no float."""
        if self.margin is None:
            return self.low, self.high
        return round(self.value - self.margin, 6), round(self.value + self.margin, 6)


class ExternalRow(Settings):
    """What an entry with `evidence: recorded` may say."""

    id: str = Field(min_length=1)
    evidence: Literal["recorded"]
    beside: list[str] = Field(min_length=1)
    """Ids of the claims beside which it stands."""
    study: str
    source: str
    mark: Mark
    note: str = ""
    """How to read the values."""
    n: int | None = Field(default=None, ge=1)
    """Size of the sample of each value; null where the source states none."""
    counted: str = "prompts"
    interval: str = ""
    """What the intervals are, such as `95 % over prompts`."""
    change: bool = False
    """Whether the values are differences."""
    values: list[PublishedValue] = Field(min_length=1)

    @model_validator(mode="after")
    def _interval_is_named(self) -> Self:
        if not self.interval and any(value.ends()[0] is not None for value in self.values):
            raise ValueError("say in `interval` what the intervals are: level, and over what")
        return self

    def recorded(self) -> Recorded:
        """The row as claims.json holds it."""
        numbers = [x for value in self.values for x in (value.value, *value.ends())]
        decimals = max(_decimals(number) for number in numbers if number is not None)
        return Recorded(
            id=self.id,
            study=self.study,
            source=f"{self.source} [{self.mark}]",
            note=self.note,
            values=[
                Published(
                    label=value.label,
                    value=value.value,
                    unit=value.unit,
                    n=self.n if value.n is None else value.n,
                    counted=self.counted,
                    low=value.ends()[0],
                    high=value.ends()[1],
                    interval=self.interval if value.ends()[0] is not None else "",
                    change=self.change,
                    decimals=decimals,
                )
                for value in self.values
            ],
        )


def _decimals(number: float) -> int:
    return len(f"{number:.6f}".rstrip("0").partition(".")[2])


def by_claim(
    rows: Sequence[tuple[Path, ExternalRow]], claims: Sequence[str]
) -> Mapping[str, list[Recorded]]:
    """Claim → the external rows beside it, in the order of the files.

    Raises:
        InputError: a row stands beside a claim that does not exist, or two rows have one id.
    """
    found: dict[str, list[Recorded]] = {claim: [] for claim in claims}
    ids: set[str] = set(claims)
    for path, row in rows:
        if row.id in ids:
            raise InputError(f"external row {row.id}: the id is taken", path=path)
        ids.add(row.id)
        for claim in row.beside:
            if claim not in found:
                raise InputError(
                    f"external row {row.id}: no claim has the id '{claim}'"
                    f"{nearest(claim, list(claims))}",
                    path=path,
                )
            found[claim].append(row.recorded())
    return found
