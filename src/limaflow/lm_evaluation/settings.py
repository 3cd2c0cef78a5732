"""`benchmarks` of the configuration."""

from pydantic import Field

from limaflow.settings import Name, Settings


class Benchmarks(Settings):
    """lm-eval tasks, run on the models of some arms before and after tuning.

    A task is a name of lm-eval's catalogue or of the folder `include`, or the path of its YAML.
    """

    tasks: list[str]
    include: str | None
    arms: list[Name]
    few_shot: int | None = Field(ge=0)
    limit: int | None = Field(ge=1)
    batch: int = Field(ge=1)
    chat_template: bool
