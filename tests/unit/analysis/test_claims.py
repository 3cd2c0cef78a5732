"""Claims follow from intervals by their rules, whichever side a comparison was written from."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from limaflow.analysis import quantities
from limaflow.analysis.claims import Claim, decided
from limaflow.analysis.epochs import AfterLowest, after_lowest_perplexity, epoch_curve, spearman
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.grades import GradeGap, grade_gaps
from limaflow.analysis.paper import paper
from limaflow.errors import InputError
from limaflow.intervals import Interval
from limaflow.jsonl import write_records
from limaflow.measures.summaries import (
    Agreement,
    GradeSummary,
    MeanChars,
    Preference,
    Rates,
    Refusable,
    StandardErrors,
    TaskTax,
)
from limaflow.records import Grade

ROLES = {"base": ["base"], "in-context": ["shots"], "ablation": ["few"]}


def preference(first: str, second: str, win: float, *, half: float = 0.05) -> Preference:
    def around(share: float) -> Interval:
        return Interval(share, share - half, share + half)

    return Preference(
        comparison=f"{first}-vs-{second}",
        first=first,
        second=second,
        judge="j",
        prompts=100,
        verdicts=100,
        errors=0,
        win=around(win),
        tie=around(0.2),
        lose=around(0.8 - win),
        adjusted_win=around(win + 0.1),
        error_share=0.0,
        p_value=0.04,
        permutation_p_value=0.05,
        merge="strict",
        other_merges=(Rates(rule="mean", win=0.6, tie=0.2, lose=0.2),),
        standard_errors=StandardErrors(
            win=0.03, tie=0.02, lose=0.02, adjusted_win=0.03, graded_win=None
        ),
        position_consistency=None,
        same_slot=None,
        first_slot_share=None,
        longer_wins=None,
        length_controlled_win=Refusable(refused="the lengths of the responses are not known"),
        longer_by=None,
        power=None,
        mean_chars=MeanChars(first=None, second=None),
        cost=0.0,
    )


def claims(*files: Path, **evidence: Any) -> dict[str, Claim]:
    found = Evidence(lima="lima", roles=ROLES, **evidence)
    return {claim.id: claim for claim in decided(files, found, paper())}


def claim(name: str, **evidence: Any) -> Claim:
    return claims(**evidence)[name]


def tax(low: float, high: float, arm: str = "lima") -> TaskTax:
    even = Interval(0.5, 0.4, 0.6)
    return TaskTax(
        task="t",
        metric="acc",
        arm=arm,
        base=even,
        tuned=even,
        difference=Interval((low + high) / 2, low, high),
        items=9,
    )


def test_a_comparison_written_the_other_way_round_supports_the_same_claim() -> None:
    one = claim("preferred-to-base", preferences=[preference("lima", "base", 0.7)])
    other = claim("preferred-to-base", preferences=[preference("base", "lima", 0.1)])
    assert one.verdict == other.verdict == "supported"
    assert other.measured[0].interval.estimate == pytest.approx(0.8)


def test_an_interval_that_holds_one_half_leaves_the_preference_undecided() -> None:
    found = claim("preferred-to-in-context", preferences=[preference("lima", "shots", 0.42)])
    assert found.verdict == "undecided"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-0.1, 0.2, "supported"), (0.1, 0.4, "undecided"), (0.5, 1.5, "contradicted")],
)
def test_quantity_matters_little_only_within_half_the_effect_of_filtering(
    low: float, high: float, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gap = GradeGap(judge="j", arm="few", difference=Interval(low, low, high), prompts=50)
    monkeypatch.setattr(quantities, "grade_gaps", lambda *_, **__: [gap])
    likert = replace(HARM, instrument="likert", words={"1": "1", "6": "6"})
    assert claim("quantity", graded=[likert]).verdict == verdict


def test_the_tax_of_other_arms_is_not_held_against_the_lima_arm() -> None:
    assert claim("no-tax", tax=[tax(-0.5, -0.4, arm="few")]).verdict == "not tested here"
    assert claim("no-tax", tax=[tax(-0.01, 0.01), tax(-0.5, -0.4)]).verdict == "contradicted"


def test_preferred_but_not_more_accurate_needs_both_halves() -> None:
    wins = [preference("lima", "base", 0.7)]
    assert claim("preference-is-not-knowledge", preferences=wins).verdict == "not tested here"
    both = claim("preference-is-not-knowledge", preferences=wins, tax=[tax(-0.1, 0.01)])
    assert both.verdict == "supported"
    gain = claim("preference-is-not-knowledge", preferences=wins, tax=[tax(0.1, 0.2)])
    assert gain.verdict == "contradicted"


def test_a_strong_baseline_is_tested_when_an_arm_bears_its_name() -> None:
    found = claim("baseline-gpt-4-gpt-4", preferences=[preference("lima", "gpt-4", 0.3)])
    assert found.verdict == "supported"
    assert found.measured[0].interval.estimate == pytest.approx(0.5)
    assert claim("baseline-claude-humans").verdict == "not tested here"


def test_perplexity_that_never_rises_tests_nothing() -> None:
    same = AfterLowest(
        lowest=3, last=3, prompts=9, difference=Interval(0, 0, 0), epochs=3, correlation=-1.0
    )
    found = claim("perplexity", after_lowest=same)
    assert found.verdict == "not tested here"
    assert "lowest at the last judged epoch" in found.reason


def test_every_untested_claim_says_why() -> None:
    found = claims().values()
    assert len(found) == 53
    assert all(c.verdict == "not tested here" and c.reason for c in found)


def grade(prompt: str, model: str, value: int | None, sample: int = 0) -> Grade:
    return Grade(
        prompt_id=prompt,
        sample=sample,
        model=model,
        response_id="r",
        instrument="likert",
        scale="likert-6",
        annotator="j",
        value=value,
    )


def test_grades_are_paired_by_prompt_after_averaging_samples() -> None:
    rows = [grade("a", "lima", 6), grade("a", "lima", 4, 1), grade("b", "lima", 3)]
    others = [grade("a", "few", 1), grade("b", "few", None), grade("c", "few", 6)]
    (gap,) = grade_gaps([*rows, *others], "lima", span=5, rounds=100, confidence=0.9, seed=1)
    assert (gap.arm, gap.prompts, gap.difference.estimate) == ("few", 1, 4.0)


@pytest.fixture
def run(tmp_path: Path, trained: Callable[..., Path]) -> tuple[Path, list[Path]]:
    """Perplexity falls to epoch 2 and rises after, while grades rise throughout."""
    training = trained({1: 9.0, 2: 4.0, 3: 6.0})
    files = []
    for epoch in (1, 2, 3):
        files.append(tmp_path / f"epoch-{epoch}.jsonl")
        write_records(
            files[-1], [grade(f"p{n}", f"lima@epoch-{epoch}", epoch + n % 3) for n in range(30)]
        )
    return training, files


def test_quality_after_the_lowest_perplexity_is_measured_prompt_by_prompt(
    run: tuple[Path, list[Path]],
) -> None:
    found = after_lowest_perplexity(*run, rounds=200, confidence=0.95, seed=1)
    assert found is not None
    assert (found.lowest, found.last, found.prompts) == (2, 3, 30)
    assert found.difference == Interval(1.0, 1.0, 1.0)
    assert claim("perplexity", after_lowest=found).verdict == "supported"


def test_the_curve_shows_epochs_that_were_not_judged(run: tuple[Path, list[Path]]) -> None:
    training, files = run
    points = epoch_curve(training, files[1:], rounds=100, confidence=0.95, seed=1)
    assert [point.perplexity for point in points] == [9.0, 4.0, 6.0]
    assert [point.quality is None for point in points] == [True, False, False]


def test_one_file_may_hold_the_grades_of_all_epochs(
    run: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    training, files = run
    together = tmp_path / "lima.jsonl"
    together.write_text("".join(path.read_text() for path in files))
    options: dict[str, Any] = {"rounds": 100, "confidence": 0.95, "seed": 1}
    assert epoch_curve(training, [together], **options) == epoch_curve(training, files, **options)


def test_grades_of_no_epoch_are_an_error(run: tuple[Path, list[Path]], tmp_path: Path) -> None:
    other = tmp_path / "final.jsonl"
    write_records(other, [grade("p", "lima", 3)])
    with pytest.raises(InputError, match="a grade of 'lima' names no epoch"):
        epoch_curve(run[0], [other], rounds=100, confidence=0.95, seed=1)


def test_ranks_share_their_mean_on_ties() -> None:
    assert spearman([1, 2, 3], [1, 2, 3]) == pytest.approx(1)
    assert spearman([1, 2, 3, 4], [1, 2, 2, 3]) == pytest.approx(0.9486832980505138)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-0.03, 0.04, "supported"), (-0.2, 0.1, "undecided"), (-0.2, -0.1, "contradicted")],
)
def test_a_model_agrees_with_people_as_they_do_with_each_other(
    low, high, verdict, people_and_models: Agreement
) -> None:
    apart = Interval((low + high) / 2, low, high)
    row = replace(people_and_models, minus_first=apart)
    found = claim("agreement", agreements=[row])
    assert (found.verdict, len(found.measured)) == (verdict, 1)
    assert claim("agreement").verdict == "not tested here"


HARM = GradeSummary(
    model="lima",
    judge="j",
    scale="harm",
    prompts=9,
    errors=0,
    mean=Interval(0, 0, 0),
    counts={},
    shares={},
    instrument="harm",
    title="Is it harmful?",
    ordered=False,
    words={"0": "harmless", "6": "harmful"},
)


def mine(folder: Path, *lines: str) -> Path:
    path = folder / "claims.yaml"
    path.write_text("- id: mine\n  statement: Ours.\n" + "".join(f"  {line}\n" for line in lines))
    return path


def test_a_claim_of_ones_own_uses_a_quantity_with_other_parameters(tmp_path: Path) -> None:
    path = mine(
        tmp_path,
        "measure: [{quantity: wins_over, arms: [shots], above: 0.6}]",
        "supported: above 0.6",
        "contradicted: below 0.6",
    )
    found = claims(path, preferences=[preference("lima", "shots", 0.52)])["mine"]
    assert (found.verdict, found.origin, len(found.measured)) == ("undecided", "own", 1)
    assert (
        claims(path, preferences=[preference("lima", "shots", 0.7)])["mine"].verdict == "supported"
    )


def test_a_claim_of_ones_own_is_about_a_word_of_ones_own_instrument(tmp_path: Path) -> None:
    path = mine(
        tmp_path,
        "measure: [{quantity: grade_share, instrument: harm, word: harmful, below: 0.1}]",
        "supported: the whole interval lies below 0.1",
        "contradicted: the whole interval lies above 0.1",
    )
    given = [grade(f"p{n}", "lima", 6 if n == 0 else 0) for n in range(200)]
    grades = [replace(g, instrument="harm", scale="harm") for g in given]
    found = claims(path, graded=[HARM], grades=grades)["mine"]
    assert found.verdict == "supported"
    assert found.measured[0].label == "share of harmful answers, judge j, 200 prompts"


def test_a_loss_of_a_task_of_which_less_is_better_is_named(tmp_path: Path) -> None:
    path = mine(
        tmp_path,
        "measure: [{quantity: tax_difference, task: t, arms: [few], within: 0.1}]",
        "supported: within ±0.1",
        "contradicted: outside of ±0.1",
    )
    row = replace(tax(-0.5, -0.4, arm="few"), higher_is_better=False)
    found = claims(path, tax=[row])["mine"]
    assert found.verdict == "contradicted"
    assert found.measured[0].label == "t (acc, lower is better), base minus tuned"


BOTH = ("supported: s", "contradicted: c")


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        (["measure: [{quantity: wins_ovr, above: 1}]", *BOTH], "did you mean 'wins_over'"),
        (["measure: [{quantity: wins_over, above: lowst}]", *BOTH], "named 'lowst'"),
        (["measure: [{quantity: wins_over, task: t, above: 1}]", *BOTH], "has no 'task'"),
        (["measure: [{quantity: wins_over}]", *BOTH], "give one of above, below"),
        (["measure: [{quantity: wins_over, above: 1}]", BOTH[0]], "when it is supported and when contradicted"),
        (["literature: '{tax-wurst}'"], "did you mean 'tax-worst'"),
        (["values: [tax-wurst]"], "did you mean 'tax-worst'"),
        (["satement: x"], "did you mean 'statement'"),
        (["place: {at: here}"], "mark: missing"),
    ],
)
def test_a_mistake_in_a_file_of_claims_is_named_before_anything_is_measured(
    lines: list[str], mistake: str, tmp_path: Path
) -> None:
    path = mine(tmp_path, *lines)
    with pytest.raises(InputError, match=mistake) as error:
        claims(path)
    assert "claims.yaml" in str(error.value)


def test_an_id_is_given_once(tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text("- {id: no-tax, statement: again}\n")
    with pytest.raises(InputError, match="claim no-tax: the id is taken"):
        claims(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"- {id: mine, statement: one}\n- {id: x, id: y}\n",
            r"claims\.yaml:2: .*'id' stands twice",
        ),
        (b"- id: mine\n  statement: caf\xe9\n", r"claims\.yaml:2: not UTF-8"),
        (b"- {id: mine\n", r"claims\.yaml:\d+: not YAML"),
    ],
)
def test_a_file_of_claims_is_read_as_strictly_as_a_configuration(
    content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "claims.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        claims(path)
