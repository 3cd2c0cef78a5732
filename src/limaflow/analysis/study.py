"""What an exhibit may ask of the experiment: which arms and grades there are, and where files lie.

Rules and report build the same `Study`, so that both know the same exhibits and files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from limaflow.arms.tuned import TunedArm
from limaflow.config.experiment import Config
from limaflow.results import Results


@dataclass(frozen=True, kw_only=True)
class Study:
    """An experiment's configuration with the places of its files."""

    config: Config
    results: Results
    instruments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Instruments by which responses to the test prompts are graded → the words of their scales."""

    @property
    def lima(self) -> str:
        """The arm that the paper's claims are about."""
        return self.config.analysis.lima_arm

    @property
    def tuned(self) -> list[TunedArm]:
        return [arm for arm in self.config.arms if isinstance(arm, TunedArm)]

    @property
    def lima_is_tuned(self) -> bool:
        return any(arm.name == self.lima for arm in self.tuned)

    @property
    def dataset(self) -> str:
        """The LIMA arm's data set; else that of the first tuned arm, or the first of all."""
        first = sorted(self.tuned, key=lambda arm: arm.name != self.lima)
        return first[0].dataset if first else self.config.datasets[0].name

    @property
    def measures_tax(self) -> bool:
        """Whether benchmarks are run on the base and on another arm."""
        measured = [self.config.arm(name) for name in self.config.benchmarks.arms]
        base = self.results.base_model
        return len(measured) > 1 and any(
            arm.model_manifest(self.results) == base for arm in measured
        )

    def dev_grades(self) -> list[Path]:
        """Grades of the LIMA arm's dev responses, of all epochs; none if it is not tuned."""
        chosen = self.config.judging.selection
        if not self.lima_is_tuned:
            return []
        return [self.results.grades(chosen.instrument, "dev", chosen.judge, self.lima)]
