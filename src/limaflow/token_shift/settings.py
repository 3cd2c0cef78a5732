"""`token_shift` of the configuration."""

from pydantic import Field

from limaflow.settings import Name, Settings


class TokenShift(Settings):
    """Which arms' tokens are looked up in the base model; none by default."""

    arms: list[Name] = []
    """Arms whose model was tuned from the base, such as `lima`."""
    responses: int = Field(default=300, ge=1)
    """To so many of the test prompts, drawn by seed; to all of them where there are fewer."""
    batch: int = Field(default=8, ge=1)
    """Responses that are scored at once."""
