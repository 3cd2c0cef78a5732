"""`benchmarks` of the configuration."""

from pydantic import Field

from limaflow.settings import Name, Settings


class Benchmarks(Settings):
    """lm-eval tasks run on every local model, base and tuned."""

    tasks: list[str]
    include: str | None
    arms: list[Name]
    few_shot: int | None = Field(ge=0)
    limit: int | None = Field(ge=1)
    batch: int = Field(ge=1)
    chat_template: bool
