"""What an exhibit may ask of the experiment: which arms and grades there are, and where files lie.

Rules and report build the same `Study`, so that both know the same exhibits and files.
"""

from dataclasses import dataclass
from pathlib import Path

from limaflow.arms.kinds import TunedArm
from limaflow.config.experiment import Config
from limaflow.judging.scales import LEVELS
from limaflow.results import Results


@dataclass(frozen=True, kw_only=True)
class Study:
    """An experiment's configuration with the places of its files."""

    config: Config
    results: Results
    instruments: tuple[str, ...] = ()
    """Instruments by which responses to the test prompts are graded, by judges or people."""

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
        measured = self.config.benchmarks.arms
        base = [name for name in measured if self.config.arm(name).kind == "base"]
        return bool(base) and len(measured) > 1

    def words_of(self, instrument: str) -> list[str]:
        """The words of an instrument's scale."""
        return list(next((words for name, words in LEVELS.items() if name == instrument), ()))

    def dev_grades(self) -> list[Path]:
        """Grades of the LIMA arm's dev responses by epoch; none if it is not tuned."""
        root = self.results.root / "grades/dev" / self.lima
        epochs = self.config.selection.epochs if self.lima_is_tuned else []
        return [root / f"epoch-{epoch}.jsonl" for epoch in epochs]
