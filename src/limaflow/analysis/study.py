"""What an exhibit may ask of the experiment: which arms and grades there are, and where files lie.

Rules and report build the same `Study`, so that both know the same exhibits and files. It holds
plain facts and not the configuration, whose code would count as that of every exhibit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from limaflow.attacks.wrapping import PREFILLED_WORDS
from limaflow.config.experiment import Config
from limaflow.results import Results
from limaflow.sources.settings import under_root


@dataclass(frozen=True, kw_only=True)
class Study:
    """Facts of an experiment, with the places of its files."""

    results: Results
    arms: tuple[str, ...]
    tuned: tuple[str, ...]
    lima: str
    """The arm that the paper's claims are about."""
    dataset: str
    """The LIMA arm's data set; else that of the first tuned arm, or the first of all; "": none."""
    uses_base: bool = True
    """Whether there is a base model, in whose tokens texts are measured."""
    selection: tuple[str, str] = ("", "")
    """Instrument and judge of the dev responses."""
    judges: tuple[str, ...] = ()
    """Who grades test responses by that instrument."""
    measures_tax: bool = False
    """Whether benchmarks are run on the base and on another arm."""
    holds_dialogues: bool = False
    """Whether arms hold dialogues by script."""
    compares_dialogues: bool = False
    """Whether judges compare whole dialogues."""
    tests_safety: bool = False
    """Whether answers to prompts with tags of safety are graded."""
    by_tag: tuple[str, ...] = ()
    """Tags of prompts by whose labels numbers are told apart."""
    checks_formats: bool = False
    """Whether responses are checked for the forms that prompts ask for."""
    grades_items: bool = False
    """Whether judges or people say if replies to benchmark items are right."""
    tests_refusals: bool = False
    """Whether test prompts are drawn from a source of requests that may be refused."""
    prefills: bool = False
    """Whether some of them give so many words of an answer."""
    token_shift: bool = False
    """Whether tokens of tuned arms are looked up in the base."""
    scales: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Instrument by which responses to the test prompts are graded → the words of its scale."""
    answers: str | None = None
    """File of what is right and wrong of the test prompts, where it is known."""
    adapted: tuple[str, ...] = ()
    """Tuned arms with an adapter on a frozen base, and the LIMA arm's examples."""
    base: str = ""
    """The arm of the base as it is; "" where there is none."""
    miniature: bool = False
    has_judges: bool = False
    """Whether a judge compares responses; whether people do, and whether files bring verdicts."""
    has_people: bool = False
    has_recorded_verdicts: bool = False
    judged_epochs: tuple[int, ...] = ()
    """Epochs of the LIMA arm whose dev responses are graded."""
    holding: tuple[str, ...] = ()
    """Arms that hold dialogues."""
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Part in the paper's figures → arms, where there are any."""
    instruments: Mapping[str, Path] = field(default_factory=dict)
    """`pairwise` and `likert` → the instrument by which responses are compared and graded."""
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


def bases_of(config: Config) -> list[str]:
    """The arms that are the base, asked here or recorded elsewhere."""
    return [
        arm.name
        for arm in config.arms
        if arm.kind == "base" or (arm.kind == "recorded" and arm.role == "base")
    ]


def study_of(
    config: Config,
    results: Results,
    scales: Mapping[str, Sequence[str]],
    *,
    grades_items: bool = False,
    has_judges: bool = False,
    roles: Mapping[str, Sequence[str]] | None = None,
    instruments: Mapping[str, Path] | None = None,
) -> Study:
    """The study of a configuration.

    Args:
        scales: of judges' and people's grades; see `Study`.
        grades_items: whether judges or people grade replies to benchmark items.
        has_judges, roles, instruments: see `Study`.
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
    answers = config.analysis.answers
    return Study(
        results=results,
        arms=tuple(arm.name for arm in config.arms),
        tuned=tuple(arm.name for arm in tuned),
        lima=lima,
        dataset=next(iter([*datasets, *(dataset.name for dataset in config.datasets)]), ""),
        uses_base=config.uses_base,
        selection=(chosen.instrument, chosen.judge),
        judges=tuple(config.judging.judges(chosen.instrument)),
        measures_tax=len(measured) > 1
        and any(arm.stands_before_tuning(results) for arm in measured),
        holds_dialogues=bool(config.dialogue.scripts and config.dialogue.arms),
        compares_dialogues=bool(config.dialogue.scripts and config.dialogue.comparisons),
        tests_safety=config.safety.is_graded,
        by_tag=tuple(config.analysis.by_tag),
        checks_formats=config.format_checks,
        grades_items=grades_items,
        tests_refusals=config.tests_refusals,
        prefills=any(
            PREFILLED_WORDS.fullmatch(attack)
            for draw in config.prompts.test
            for attack in draw.attacks
        ),
        token_shift=bool(config.token_shift.arms),
        scales=scales,
        answers=under_root(answers, config.data_root) if answers is not None else None,
        adapted=tuple(arm.name for arm in tuned if config.is_adapted(arm.name)),
        base=next(iter(bases_of(config)), ""),
        miniature=config.miniature is not None,
        has_judges=has_judges,
        has_people=bool(config.judging.people),
        has_recorded_verdicts=any(comparison.verdicts for comparison in config.comparisons),
        judged_epochs=tuple(config.selection.epochs),
        holding=tuple(config.dialogue.arms if config.dialogue.scripts else ()),
        roles=roles or {},
        instruments=instruments or {},
        further_seeds={arm: names for arm, names in further.items() if names},
    )
