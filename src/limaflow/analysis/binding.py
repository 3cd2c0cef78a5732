"""Whether a number is about what a claim is about, and rests on enough to decide it."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from limaflow.analysis.arm_facts import ArmFacts
from limaflow.analysis.claim_entries import Entry, Smallest
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.quantities import Found
from limaflow.measures.summaries import Annotators
from limaflow.measures.who_judged import prompt_set

KINDS: Mapping[str, str] = {
    "person": "people",
    "model": "a model",
    "simulated": "a program that stands in for people and judges",
    "unspecified": "nobody knows whom: the records name no kind of annotator",
    "mixed": "annotators of several kinds under one name",
}


def misfit(found: Found, entry: Entry, evidence: Evidence) -> str:
    """Why a number is not about what the claim is about; "" where it is."""
    if found.misfit:
        return found.misfit
    for arm in found.arms if entry.arm_models else ():
        for model in evidence.arms.get(arm, ArmFacts()).answered_by if arm != evidence.lima else ():
            if not is_one_of(model, entry.arm_models):
                return f"the answers of {arm} came from {model}, not {entry.arm_models[0]}"
    if found.annotators is not None and (other := _other_annotators(found.annotators, entry)):
        return f"annotated by {other}"
    simulated = found.annotators is not None and found.annotators.kind == "simulated"
    if simulated and not evidence.miniature:
        return f"annotated by {KINDS['simulated']}"
    wanted = entry.prompt_set or (prompt_set(evidence.prompt_ids) if evidence.prompt_ids else "")
    if found.prompt_set and wanted not in ("", found.prompt_set):
        return f"judged on other prompts (their hash is {found.prompt_set}, not {wanted})"
    return ""


def _other_annotators(annotators: Annotators, entry: Entry) -> str:
    if annotators.kind not in entry.annotators:
        named = ", ".join(annotators.models)
        return KINDS[annotators.kind] + (f" ({named})" if named else "")
    if annotators.kind != "model" or not entry.judge_models:
        return ""
    if not annotators.models:
        return "a model that the records do not name"
    others = [m for m in annotators.models if not is_one_of(m, entry.judge_models)]
    return f"{', '.join(others)}, not {entry.judge_models[0]}" if others else ""


def is_one_of(model: str, names: Sequence[str]) -> bool:
    """Whether a returned name of a model is one of these; `openai/gpt-4` is as `gpt-4`."""
    return any(fnmatchcase(model.rpartition("/")[2], name) for name in names)


def too_few(found: Found, people: int, smallest: Sequence[Smallest]) -> str:
    """What a number has too little of, how much is needed and why; "" where it has enough.

    Args:
        people: who judged this number and those beside it.
        smallest: what its quantity and its entry want.
    """
    judged = found.annotators is not None and found.annotators.kind == "person"
    for want in smallest:
        for count, least, what in (
            (found.prompts, want.prompts, "prompts"),
            (found.items, want.items, "items"),
            (people if judged else None, want.people, "people"),
        ):
            if count is not None and count < least:
                return f"{count} of the {least} {what} needed: {want.reason}"
    return ""
