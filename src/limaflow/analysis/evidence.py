"""Everything measured that a claim may rest on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from limaflow.analysis.arm_facts import ArmFacts
from limaflow.analysis.epochs import AfterLowest
from limaflow.analysis.training_seeds import Spread
from limaflow.dialogue.measure import Dialogues
from limaflow.format_checks.summary import Formats
from limaflow.measures.summaries import (
    Agreement,
    GradeAgreement,
    GradeSummary,
    Preference,
    TaskTax,
)
from limaflow.records import Grade
from limaflow.refusals.resistance import Resistance
from limaflow.refusals.safety import Safety
from limaflow.token_shift.summaries import Shift


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Summaries, the grades of test responses, and who plays which part."""

    lima: str
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Role → arms."""
    stands_for: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Baseline of the paper's → arms that the configuration says are that model."""
    teaches: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Arm → benchmark tasks about facts of its examples that the base's corpus lacks."""
    arms: Mapping[str, ArmFacts] = field(default_factory=dict)
    prompt_ids: frozenset[str] = frozenset()
    """Of the test prompts; empty where they are not known, and then any are taken."""
    miniature: bool = False
    """Whether all of it is of the invented world, so that whoever judged is simulated."""
    preferences: Sequence[Preference] = ()
    agreements: Sequence[Agreement] = ()
    grade_agreements: Sequence[GradeAgreement] = ()
    graded: Sequence[GradeSummary] = ()
    grades: Sequence[Grade] = ()
    tax: Sequence[TaskTax] = ()
    tax_from_lima: Sequence[TaskTax] = ()
    """The same from the LIMA arm to others, on the same items."""
    tasks_left_out: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Arm and task that `tax` lacks for a claim → the flag that says why."""
    formats: Formats | None = None
    seeds: Sequence[Spread] = ()
    """What each training seed came to, of arms that have several."""
    trained_again: Mapping[str, str] = field(default_factory=dict)
    """Arm among those of `grades` → the arm that it is once more, with another seed."""
    contaminated: frozenset[str] = frozenset()
    """Benchmark tasks, `dev` or `test`, with which the LIMA arm's training examples share text."""
    token_shift: Shift | None = None
    after_lowest: AfterLowest | None = None
    dialogues: Dialogues | None = None
    dialogue_pairs: Mapping[str, str] = field(default_factory=dict)
    """Arm that is tuned on dialogues too → the arm without."""
    resistance: Resistance | None = None
    """How far refusals hold, and arms compared by it."""
    started_from: Mapping[str, str] = field(default_factory=dict)
    """Tuned arm → the arm whose model its training started from, where not the base."""
    safety: Safety | None = None
    rounds: int = 2000
    """Of the bootstrap, as the two that follow."""
    confidence: float = 0.95
    seed: int = 0
