"""Kind `recorded`: responses that someone made elsewhere."""

from typing import Literal

from limaflow.arms.arm import ArmSettings
from limaflow.generation.settings import ResponseLayout
from limaflow.results import Results
from limaflow.sources.settings import under_root


class RecordedArm(ArmSettings, ResponseLayout):
    """Responses that someone made elsewhere, in a file with its own layout."""

    kind: Literal["recorded"]
    path: str
    role: Literal["base"] | None = None
    """`base`: the pretrained model, which claims and the alignment tax are held against."""

    response_rule = "adopt_responses"

    def brought_files(self, data_root: str) -> dict[str, str]:
        return {"path": under_root(self.path, data_root)}

    def stands_before_tuning(self, results: Results) -> bool:
        return self.role == "base"

    @property
    def layout(self) -> ResponseLayout:
        return ResponseLayout(columns=self.columns, where=self.where)
