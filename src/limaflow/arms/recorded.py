"""Kind `recorded`: responses that someone made elsewhere."""

from typing import Literal

from limaflow.arms.arm import ArmSettings


class RecordedArm(ArmSettings):
    """Responses that someone made elsewhere, as a file of response records."""

    kind: Literal["recorded"]
    path: str

    response_rule = "adopt_responses"
