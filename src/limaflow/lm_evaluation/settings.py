"""`benchmarks` of the configuration."""

from typing import Self

from pydantic import Field, model_validator

from limaflow.settings import Name, Settings


class Benchmarks(Settings):
    """lm-eval tasks, run on the models of some arms before and after tuning.

    A task is a name of lm-eval's catalogue or of the folder `include`, or the path of its YAML.
    Without tasks no arm is measured.
    """

    tasks: list[str]
    include: str | None
    arms: list[Name]
    few_shot: int | None = Field(ge=0)
    limit: int | None = Field(ge=1)
    batch: int = Field(ge=1)
    chat_template: bool

    @model_validator(mode="after")
    def _no_arms_without_tasks(self) -> Self:
        return self if self.tasks or not self.arms else self.model_copy(update={"arms": []})
