"""Kind `endpoint`: a model behind an OpenAI-compatible endpoint, such as the paper's baselines."""

from typing import Literal

from limaflow.arms.arm import ArmSettings
from limaflow.generation.settings import AskedEndpoint


class EndpointArm(AskedEndpoint, ArmSettings):
    """A model behind an OpenAI-compatible endpoint."""

    kind: Literal["endpoint"]

    response_rule = "ask_endpoint"

    @property
    def endpoint(self) -> AskedEndpoint:
        return AskedEndpoint(**self.model_dump(exclude={"kind", "stands_for"}))
