"""`arms` of the configuration: who answers."""

from typing import Annotated, Any, Literal

from pydantic import Field

from limaflow.endpoints.settings import Endpoint
from limaflow.settings import Name, Settings


class BaseArm(Settings):
    """The pretrained model, asked as it is."""

    name: Name
    kind: Literal["base"]


class InContextArm(Settings):
    """The pretrained model with a few training examples before the question (URIAL)."""

    name: Name
    kind: Literal["in-context"]
    dataset: Name
    examples: int = Field(default=3, ge=1)


class TunedArm(Settings):
    """The pretrained model fine-tuned on a data set; `training` overrides keys of `training`."""

    name: Name
    kind: Literal["tuned"]
    dataset: Name
    training: dict[str, Any] = {}


class ModelArm(Settings):
    """A model that the user brings, ready to answer in the chat template it carries."""

    name: Name
    kind: Literal["model"]
    path: str
    revision: str | None = None


class EndpointArm(Endpoint):
    """A model behind an OpenAI-compatible endpoint."""

    name: Name
    kind: Literal["endpoint"]
    timeout_seconds: float = Field(default=600.0, gt=0)


class RecordedArm(Settings):
    """Responses that someone made elsewhere, as a file of response records."""

    name: Name
    kind: Literal["recorded"]
    path: str


Arm = Annotated[
    BaseArm | InContextArm | TunedArm | ModelArm | EndpointArm | RecordedArm,
    Field(discriminator="kind"),
]


LOCAL_KINDS = ("base", "in-context", "tuned", "model")
