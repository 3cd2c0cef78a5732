"""Kind `recorded`: responses that someone made elsewhere."""

from typing import Literal

from limaflow.arms.arm import ArmSettings
from limaflow.sources.settings import under_root


class RecordedArm(ArmSettings):
    """Responses that someone made elsewhere, as a file of response records."""

    kind: Literal["recorded"]
    path: str

    response_rule = "adopt_responses"

    def brought_files(self, data_root: str) -> dict[str, str]:
        return {"path": under_root(self.path, data_root)}
