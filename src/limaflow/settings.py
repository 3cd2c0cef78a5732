"""What all blocks of the configuration share."""

import json
import re
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

NAME_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
NAME = re.compile(NAME_PATTERN)
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Share = Annotated[float, Field(ge=0, le=1)]
Address = Annotated[str, Field(pattern=r"^https?://\S+$")]
Block = TypeVar("Block", bound="Settings")


class Settings(BaseModel):
    """A block of the configuration: immutable, and closed to keys it does not know."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, serialize_by_alias=True
    )

    def flag(self) -> str:
        """This block as one line of JSON, for a command line and for Snakemake's parameters."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)


class RowChoice(Settings):
    """Which rows of a file of others are read."""

    where: dict[str, str] = {}
    """Column of the file → what it holds in the rows that are read."""

    @field_validator("where", mode="before")
    @classmethod
    def _texts(cls, given: Any) -> Any:
        """YAML reads `1` as a number."""
        return {str(k): str(v) for k, v in given.items()} if isinstance(given, dict) else given
