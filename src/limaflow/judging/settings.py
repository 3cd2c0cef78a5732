"""`comparisons` and `judging` of the configuration."""

from collections import defaultdict
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import field_validator, model_validator

from limaflow.endpoints.settings import Budget
from limaflow.judging.instrument import OURS, is_instrument_path, load, name_of, numbered_scale
from limaflow.mistakes import nearest
from limaflow.settings import NAME, Name, Settings, Share


class VerdictLayout(Settings):
    """How a file of verdicts that were made elsewhere says what ours say."""

    columns: dict[str, str | list[str]] = {}
    """Our column → what the file calls it."""
    words: dict[str, str] = {}
    """What the file calls first, second or tie → what we do, or the share of the win."""
    values: dict[str, str] = {}
    """Our column → what it holds in every row."""
    rows: str = ""
    """Where a JSON document holds its rows."""
    repeats: bool = False
    """Whether what stands twice is a further reading."""
    names: dict[Name, str] = {}
    """Arm → what the file calls it. Rows about others are passed over, and counted."""
    where: dict[str, str] = {}
    """Column of the file → what it holds in the rows that are read."""

    @field_validator("words", "values", "names", "where", mode="before")
    @classmethod
    def _as_text(cls, given: Any) -> Any:
        """YAML reads `1` as a number."""
        if isinstance(given, dict):
            return {str(key): str(value) for key, value in given.items()}
        return given


class RecordedVerdicts(VerdictLayout):
    """A file of verdicts that were made elsewhere, with its own layout."""

    path: str

    @property
    def layout(self) -> VerdictLayout:
        return VerdictLayout.model_validate(self.model_dump(exclude={"path"}))


class RecordedGrades(VerdictLayout):
    """A file of grades that were given elsewhere, with its own layout."""

    path: str
    scale: str
    """That of one of our instruments (`likert-6`), or the ends of any other: `1-to-10`."""
    instrument: Name = ""
    """What was asked; else that of the scale, or the file's name."""
    arms: list[Name] = []
    """Whose responses are graded; none: every arm's."""

    @property
    def asked(self) -> str:
        """The name of its instrument."""
        of_scale = [name for name in OURS if load(name).head.scale == self.scale]
        return self.instrument or next(iter(of_scale), Path(self.path).stem)

    @property
    def layout(self) -> VerdictLayout:
        """As a command reads it, what holds for every row among the values."""
        block = self.model_dump(exclude={"path", "scale", "instrument", "arms"})
        every = {"scale": self.scale, "instrument": self.asked}
        return VerdictLayout.model_validate({**block, "values": {**every, **self.values}})

    @model_validator(mode="after")
    def _has_a_name(self) -> Self:
        if not NAME.fullmatch(self.asked):
            raise ValueError(
                "instrument: the name of what was asked stands in paths of results: lower-case "
                "letters, digits and single hyphens"
            )
        if self.asked not in OURS and numbered_scale(self.asked, self.scale) is None:
            raise ValueError(
                f"scale: '{self.scale}' is none of our instruments' and no pair of ends such as "
                "1-to-10"
            )
        return self


class Comparison(Settings):
    """Two arms shown side by side; `verdicts` brings files of recorded verdicts instead."""

    first: Name
    second: Name
    verdicts: list[RecordedVerdicts] = []

    @field_validator("verdicts", mode="before")
    @classmethod
    def _by_path(cls, given: Any) -> Any:
        """One file may stand without a list, and a path alone is a file in our own words."""
        files = given if isinstance(given, list) else [given]
        return [{"path": file} if isinstance(file, str) else file for file in files]

    @property
    def name(self) -> str:
        return f"{self.first}-vs-{self.second}"


class People(Settings):
    """A round of annotation: the folder of its key and of `answers/`, what came back."""

    folder: str
    partial: bool = False
    pool: bool = False


class Selection(Settings):
    """Who grades the dev responses, and by which of the instruments."""

    judge: Name
    instrument: Name = "likert"


class Judging(Settings):
    """Who annotates what, and how two verdicts on one pair become one."""

    instruments: dict[str, list[Name]]
    """Instrument, one of ours by name or the user's own by path → its judges."""
    selection: Selection
    people: list[People]
    grades: list[RecordedGrades] = []
    """Files of grades that were given elsewhere."""
    orders: Literal["both", "one"]
    merge: Literal["strict", "majority", "mean"]
    store: str
    budget: Budget
    max_error_share: Share

    @field_validator("instruments")
    @classmethod
    def _named(cls, instruments: dict[str, list[str]]) -> dict[str, list[str]]:
        for named in instruments:
            if not is_instrument_path(named) and named not in OURS:
                raise ValueError(
                    f"no instrument is named '{named}'{nearest(named, list(OURS))}; the path of "
                    "your own ends with .md"
                )
            if not NAME.fullmatch(name_of(named)):
                raise ValueError(
                    f"the name of {named} stands in paths of results: lower-case letters, digits "
                    "and single hyphens"
                )
        for name, files in _by_name(instruments).items():
            if len(files) > 1:
                raise ValueError(
                    f"{' and '.join(files)} are both named '{name}'; rename one, or give the one "
                    "that is not used no judges: []"
                )
        return instruments

    @property
    def files(self) -> dict[str, str]:
        """Name → the instrument as it is configured, and as it is where that says nothing."""
        configured = {name: files[0] for name, files in _by_name(self.instruments).items()}
        return {name: name for name in OURS} | configured

    def judges(self, name: str) -> list[str]:
        """The judges of an instrument."""
        return self.instruments.get(self.files[name], [])


def _by_name(instruments: dict[str, list[str]]) -> dict[str, list[str]]:
    """Name → the entries of that name, without those that another one with judges replaces."""
    found: dict[str, list[str]] = defaultdict(list)
    for named in instruments:
        found[name_of(named)].append(named)
    return {
        name: [one for one in files if instruments[one]] or files[:1] if len(files) > 1 else files
        for name, files in found.items()
    }
