"""What an exhibit may ask of the experiment: which arms and grades there are, and where files lie.

Rules and report build the same `Study`, so that both know the same exhibits and files. It holds
plain facts and not the configuration, whose code would count as that of every exhibit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from limaflow.config.experiment import Config
from limaflow.results import Results


@dataclass(frozen=True, kw_only=True)
class Study:
    """Facts of an experiment, with the places of its files."""

    results: Results
    arms: tuple[str, ...]
    tuned: tuple[str, ...]
    lima: str
    """The arm that the paper's claims are about."""
    dataset: str
    """The LIMA arm's data set; else that of the first tuned arm, or the first of all."""
    selection: tuple[str, str] = ("", "")
    """Instrument and judge of the dev responses."""
    measures_tax: bool = False
    """Whether benchmarks are run on the base and on another arm."""
    token_shift: bool = False
    """Whether tokens of tuned arms are looked up in the base."""
    scales: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Instrument by which responses to the test prompts are graded → the words of its scale."""
    further_seeds: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Arm → the same arm, trained with its further seeds; only arms that have some."""

    @property
    def lima_is_tuned(self) -> bool:
        return self.lima in self.tuned

    def dev_grades(self) -> list[Path]:
        """Grades of the LIMA arm's dev responses, of all epochs; none if it is not tuned."""
        instrument, judge = self.selection
        grades = self.results.grades(instrument, "dev", judge, self.lima)
        return [grades] if self.lima_is_tuned else []


def study_of(config: Config, results: Results, scales: Mapping[str, Sequence[str]]) -> Study:
    """The study of a configuration.

    Args:
        scales: of judges' and people's grades; see `Study`.
    """
    further = {arm.name: tuple(config.further_seeds(arm.name)) for arm in config.arms}
    config = config.as_written
    lima = config.analysis.lima_arm
    tuned = [arm for arm in config.arms if arm.is_trained]
    datasets = [
        arm.training_dataset
        for arm in sorted(tuned, key=lambda arm: arm.name != lima)
        if arm.training_dataset
    ]
    measured = [config.arm(name) for name in config.benchmarks.arms]
    chosen = config.judging.selection
    return Study(
        results=results,
        arms=tuple(arm.name for arm in config.arms),
        tuned=tuple(arm.name for arm in tuned),
        lima=lima,
        dataset=(datasets or [config.datasets[0].name])[0],
        selection=(chosen.instrument, chosen.judge),
        measures_tax=len(measured) > 1
        and any(arm.model_manifest(results) == results.base_model for arm in measured),
        token_shift=bool(config.token_shift.arms),
        scales=scales,
        further_seeds={arm: names for arm, names in further.items() if names},
    )
