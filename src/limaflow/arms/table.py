"""The kinds of arms: a new kind is a module beside this one and a line here."""

from typing import Annotated

from pydantic import Field

from limaflow.arms.average import AverageArm
from limaflow.arms.base import BaseArm
from limaflow.arms.cut import CutArm
from limaflow.arms.endpoint import EndpointArm
from limaflow.arms.in_context import InContextArm
from limaflow.arms.model import ModelArm
from limaflow.arms.preference import PreferenceArm
from limaflow.arms.recorded import RecordedArm
from limaflow.arms.tuned import TunedArm

Arm = Annotated[
    BaseArm  # base
    | InContextArm  # in-context
    | TunedArm  # tuned
    | ModelArm  # model
    | AverageArm  # average
    | PreferenceArm  # preference
    | CutArm  # cut
    | EndpointArm  # endpoint
    | RecordedArm,  # recorded
    Field(discriminator="kind"),
]
