"""Which arms play which part in the claims."""

from limaflow.analysis.claim_entries import Role
from limaflow.arms.average import AverageArm
from limaflow.arms.cut import CutArm
from limaflow.arms.model import ModelArm
from limaflow.arms.preference import PreferenceArm
from limaflow.config.experiment import Config

HALF = 0.5


def roles_of(config: Config) -> dict[Role, list[str]]:
    """Role → arms; each arm once, whatever its training seeds."""
    written = config.as_written
    lima = config.analysis.lima_arm
    trained = [arm for arm in written.arms if arm.is_trained]
    # What is compared with the LIMA arm's training starts where it does.
    started = config.arm(lima).started_from
    tuned = [arm.name for arm in trained if arm.started_from == started]
    siblings = [
        arm.name
        for arm in written.arms
        if isinstance(arm, ModelArm) and arm.role == "aligned_sibling"
    ]
    # The paper's, which is asked as it is.
    bases = [
        arm.name
        for arm in written.arms
        if (arm.kind == "base" and arm.format == "plain")
        or (arm.kind == "recorded" and arm.role == "base")
    ]
    return {
        "base": bases,
        "cut-base": [
            arm.name for arm in written.arms if isinstance(arm, CutArm) and arm.of in bases
        ],
        "in-context": [arm.name for arm in written.arms if arm.kind == "in-context"],
        "ablation": [name for name in tuned if config.is_ablation(name)],
        "unfiltered": [name for name in tuned if config.is_unfiltered(name)],
        "responses": [name for name in tuned if config.is_of_responses(name)],
        "longest": [name for name in tuned if config.is_of_longest(name)],
        "adapted": [name for name in tuned if config.is_adapted(name)],
        "without-forms": [name for name in tuned if config.lacks(name, "format")],
        "aligned_sibling": siblings,
        "from_aligned": [
            arm.name
            for arm in trained
            if arm.started_from in siblings and config.has_examples_of_lima(arm.name)
        ],
        "preference": [
            arm.name
            for arm in written.arms
            if isinstance(arm, PreferenceArm) and (arm.start or lima) == lima
        ],
        "average": _nearest_to_half(
            [arm for arm in written.arms if isinstance(arm, AverageArm) and arm.of == lima]
        ),
    }


def _nearest_to_half(averages: list[AverageArm]) -> list[str]:
    """Of several shares one, chosen before anything is measured, so that none is picked after."""
    shares = {arm.name: arm.alpha for arm in averages if not isinstance(arm.alpha, list)}
    within = [name for name, share in shares.items() if 0 < share < 1]
    return sorted(within, key=lambda name: (abs(shares[name] - HALF), -shares[name]))[:1]
