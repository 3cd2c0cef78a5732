"""`benchmarks` of the configuration."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from limaflow.mistakes import nearest
from limaflow.settings import Name, Settings

Count = Annotated[int, Field(ge=0)]
Column = Literal[
    "item", "task", "score", "right", "answer", "choices", "reply", "question", "prompt"
]
"""The item's name, equal for every model; its task; its score (a number, true or false), or the
right answer (or a list of those that are right) and the one that was read, empty where none could
be; how many answers there were to choose from; the whole reply; the question, for judges; what was
asked, or its hash."""


class ItemLayout(Settings):
    """How a file of results by item that was made elsewhere says what ours say."""

    task: str = ""
    """The task of all rows, where neither a column nor the file's name says it."""
    metric: str = ""
    """What the score is; of lm-eval's samples, which one to take: `metric` or `metric,filter`."""
    separator: str = ""
    """Between several right answers in one cell; "" where a cell holds one, or a list."""
    normalize: bool = False
    """Whether an answer is right without regard to case, accents, articles and punctuation."""
    columns: dict[Column, str] = {}
    """Our column → what the file calls it."""


class RecordedItems(ItemLayout):
    """A file of results by item, with its own layout."""

    path: str

    @property
    def layout(self) -> ItemLayout:
        return ItemLayout.model_validate(self.model_dump(exclude={"path"}))


GradeColumn = Literal["item", "task", "arm", "format", "right", "reader", "reply"]
"""The item's name; its task; whose reply it is, and in which format it was asked; whether it is
right; who says so; the reply itself, which is held against the measured one."""


class GradeLayout(Settings):
    """How a file of people's judgments of replies says what ours say."""

    task: str = ""
    """Of all rows, where no column says it; `arm`, `format` and `reader` likewise."""
    arm: str = ""
    format: str = ""
    reader: str = "people"
    columns: dict[GradeColumn, str] = {}
    """Our column → what the file calls it."""
    words: dict[str, Literal["right", "wrong", "no answer", "unsure"]] = {}
    """What the file says → what it means, beside right, wrong, true, false, 1, 0 and the like."""

    @field_validator("words", mode="before")
    @classmethod
    def _as_text(cls, given: Any) -> Any:
        """YAML reads `1` as a number."""
        return {str(k): v for k, v in given.items()} if isinstance(given, dict) else given


class HumanGrades(GradeLayout):
    """A file of people's judgments of replies to benchmark items, with its layout."""

    path: str

    @property
    def layout(self) -> GradeLayout:
        return GradeLayout.model_validate(self.model_dump(exclude={"path"}))


class Benchmarks(Settings):
    """lm-eval tasks, run on the models of some arms before and after tuning.

    A task is a name of lm-eval's catalogue or of the folder `include`, or the path of its YAML.
    Without tasks no arm is measured; `recorded` brings results of others.
    """

    tasks: list[str]
    include: str | None
    local_copies: str | None = None
    """Folder of local copies of the data sets that tasks read from the hub."""
    arms: list[Name]
    few_shot: Count | dict[str, Count] | None
    """Examples before an item: of all tasks, or of an entry of `tasks`."""
    metrics: dict[str, str] = Field(default_factory=dict)
    """Entry of `tasks` → the metric, or metric and filter, that stands for it."""
    limit: int | None = Field(ge=1)
    batch: int = Field(ge=1)
    formats: Annotated[list[Literal["plain", "chat"]], Field(min_length=1)]
    """How tasks are put to arms that have a chat template, the main way first; to others plain."""
    unsafe_code: bool = False
    recorded: dict[Name, list[RecordedItems]] = {}
    """Arm → its results by item that were made elsewhere, in place of a measurement."""
    human_grades: list[HumanGrades] = []
    """What people say of the replies to generated items."""
    contaminated: list[str] = []
    """Lists of items that stand in training data: columns task, item, and arm if of one alone."""

    @property
    def measured_arms(self) -> list[str]:
        """The arms on whose models tasks are run."""
        return [arm for arm in self.arms if arm not in self.recorded]

    @property
    def few_shot_by_task(self) -> dict[str, int]:
        """Those entries of `tasks` whose number of examples is given."""
        return self.few_shot if isinstance(self.few_shot, dict) else {}

    @model_validator(mode="after")
    def _names_are_sound(self) -> Self:
        twice = sorted({task for task in self.tasks if self.tasks.count(task) > 1})
        if twice:
            raise ValueError(f"tasks: '{twice[0]}' stands twice")
        for key, entries in (("few_shot", self.few_shot_by_task), ("metrics", self.metrics)):
            for name in entries:
                if name not in self.tasks:
                    raise ValueError(
                        f"{key}: '{name}' is no entry of tasks{nearest(name, self.tasks)}"
                    )
        if len(set(self.formats)) < len(self.formats):
            raise ValueError(f"formats: '{self.formats[0]}' stands twice")
        if unequal := [task for task in self.tasks if "=" in task]:
            raise ValueError(f"tasks: '{unequal[0]}': no '=' may stand in a task's name")
        return self

    @model_validator(mode="after")
    def _no_arms_without_tasks(self) -> Self:
        """Without a task nothing is measured; arms with recorded results are always there."""
        measured = self.arms if self.tasks else []
        arms = list(dict.fromkeys([*measured, *self.recorded]))
        return self if arms == self.arms else self.model_copy(update={"arms": arms})
