"""Kind `cut`: another arm's responses up to their first sentence or paragraph.

A control for stopping: a base model that goes on after its answer loses by that alone. What a tuned
arm gains over the cut responses is gained by something else.
"""

from pathlib import Path
from typing import Literal

from limaflow.arms.arm import ArmSettings, Reference
from limaflow.generation.cutting import Unit
from limaflow.results import Results
from limaflow.settings import Name


class CutArm(ArmSettings):
    """The responses of the arm `of`, each cut after its first sentence or paragraph."""

    kind: Literal["cut"]
    of: Name
    at: Unit

    response_rule = "cut_responses"

    def references(self) -> list[Reference]:
        return [Reference("of", self.of, "answering")]

    def responses_cut(self, results: Results) -> Path:
        """The responses that it cuts."""
        return results.responses("test", self.of)
