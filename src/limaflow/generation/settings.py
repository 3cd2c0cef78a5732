"""`generation` of the configuration, and what is asked of an endpoint."""

from typing import Annotated, Literal

from pydantic import Field

from limaflow.endpoints.settings import Endpoint
from limaflow.settings import Name, RowChoice, Settings, Share


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
    vllm_requests: int = Field(default=256, ge=1)
    """Under way at once; the server itself bounds how many of them it decodes."""
    gpus: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Cards of a job that runs a model for responses or benchmarks."""
    gpu_memory: float = Field(default=80, gt=0)
    """GiB of a card, by which auto counts."""
    max_length_share: Share


ResponseColumn = Literal["prompt_id", "prompt", "response", "sample", "tokens", "finish_reason"]


class ResponseLayout(RowChoice):
    """How a file of responses that were made elsewhere says what ours say."""

    columns: dict[ResponseColumn, str | list[str]] = {}
    """Our column → what the file calls it; of several the texts are joined by an empty line."""


class AskedEndpoint(Endpoint):
    """An endpoint that answers prompts under a name."""

    name: Name
    timeout_seconds: float = Field(default=600.0, gt=0)
    continues: bool = False
    """Whether it goes on with an answer that ends the messages, by vLLM's
    `continue_final_message`; without it, prompts that give the beginning of an answer are an
    error."""
