"""`arms` and `generation` of the configuration: who answers, and how."""

from typing import Annotated, Any, Literal

from pydantic import Field

from limaflow.config.settings import Endpoint, Name, Settings, Share


class Decoding(Settings):
    """How responses are sampled."""

    top_p: Share
    temperature: float = Field(ge=0)
    repetition_penalty: float = Field(ge=1)
    max_tokens: int = Field(ge=1)
    samples: int = Field(ge=1)


class Generation(Settings):
    """Responses of models that run here."""

    decoding: Decoding
    dev_samples: int = Field(ge=1)
    batch: int = Field(ge=1)
    precision: Literal["bf16", "fp32"]
    engine: Literal["transformers", "vllm"]
    vllm: str
    max_length_share: Share


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
    """The pretrained model fine-tuned on a data set; `recipe` overrides keys of `training`."""

    name: Name
    kind: Literal["tuned"]
    dataset: Name
    recipe: dict[str, Any] = {}


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
