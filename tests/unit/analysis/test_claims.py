"""Claims follow from intervals by their rules, whichever side a comparison was written from."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from planted_summaries import MODEL, preference, tax

from limaflow.analysis import quantities
from limaflow.analysis.arm_facts import ArmFacts
from limaflow.analysis.claim_entries import read_entries
from limaflow.analysis.claims import FILE, Claim, decided
from limaflow.analysis.epochs import AfterLowest, after_lowest_perplexity, epoch_curve, spearman
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.grades import GradeGap, grade_gaps
from limaflow.analysis.paper import paper
from limaflow.errors import InputError
from limaflow.format_checks.summary import FormatDifference, Formats
from limaflow.intervals import Interval
from limaflow.jsonl import write_records
from limaflow.measures.summaries import (
    Agreement,
    Annotators,
    GradeSummary,
    TaskTax,
)
from limaflow.measures.who_judged import prompt_set
from limaflow.records import Grade

ROLES = {"base": ["base"], "in-context": ["shots"], "ablation": ["few"]}


def claims(*files: Path, **evidence: Any) -> dict[str, Claim]:
    found = Evidence(lima="lima", roles=ROLES, **evidence)
    return {claim.id: claim for claim in decided(files, found, paper())}


def claim(name: str, **evidence: Any) -> Claim:
    return claims(**evidence)[name]


def two(low: float, high: float, items: int = 1000) -> list[TaskTax]:
    return [tax(low, high, items=items, task=task) for task in ("t", "u")]


def forms(low: float, high: float, prompts: int = 100, arm: str = "994") -> Formats:
    """The differences of both levels and readings, of which the strict one of prompts counts."""
    counted = FormatDifference(
        first="lima",
        second=arm,
        level="prompts",
        reading="strict",
        prompts=prompts,
        difference=Interval((low + high) / 2, low, high),
    )
    opposite = Interval(-0.5, -0.6, -0.4)
    others = [
        replace(counted, reading="loose", difference=opposite),
        replace(counted, level="forms", difference=opposite),
    ]
    return Formats(shares=[], differences=[counted, *others])


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (forms(0.15, 0.4), "supported"),
        (forms(0.05, 0.4), "undecided"),
        (forms(-0.05, 0.08), "contradicted"),
        (forms(0.15, 0.4, prompts=79), "undecided"),
        (forms(0.15, 0.4, arm="stranger"), "not tested here"),
        (None, "not tested here"),
    ],
)
def test_examples_of_form_count_by_the_prompts_whose_forms_are_all_kept(
    found: Formats | None, verdict: str
) -> None:
    roles = {"without-forms": ["994"]}
    evidence = Evidence(lima="lima", roles=roles, formats=found)
    (decision,) = [c for c in decided([], evidence, paper()) if c.id == "format-constraints"]
    assert decision.verdict == verdict
    assert len(decision.measured) == (verdict != "not tested here")


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
    given = [grade("p", "few", 1)]
    assert claim("quantity", graded=[LIKERT], grades=given).verdict == verdict


def test_the_tax_of_other_arms_is_not_held_against_the_lima_arm() -> None:
    assert claim("no-tax", tax=[tax(-0.5, -0.4, arm="few")]).verdict == "not tested here"
    assert claim("no-tax", tax=[tax(-0.01, 0.01), tax(-0.5, -0.4)]).verdict == "contradicted"


def test_preferred_but_not_more_accurate_needs_both_halves() -> None:
    wins = [preference("lima", "base", 0.7)]
    assert claim("preference-is-not-knowledge", preferences=wins).verdict == "not tested here"
    both = claim("preference-is-not-knowledge", preferences=wins, tax=two(-0.1, 0.01))
    assert both.verdict == "supported"
    gain = claim("preference-is-not-knowledge", preferences=wins, tax=two(0.1, 0.2))
    assert gain.verdict == "contradicted"


def test_perplexity_that_never_rises_tests_nothing() -> None:
    same = AfterLowest(
        lowest=3, last=3, prompts=9, difference=Interval(0, 0, 0), epochs=3, correlation=-1.0
    )
    found = claim("perplexity", after_lowest=same)
    assert found.verdict == "not tested here"
    assert "lowest at the last judged epoch" in found.reason


def test_every_untested_claim_says_why() -> None:
    found = claims().values()
    assert len(found) == 65
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
        annotator_kind="model",
        value=value,
    )


def test_grades_are_paired_by_prompt_after_averaging_samples() -> None:
    rows = [grade("a", "lima", 6), grade("a", "lima", 4, 1), grade("b", "lima", 3)]
    others = [grade("a", "few", 1), grade("b", "few", None), grade("c", "few", 6)]
    (gap,) = grade_gaps(
        [*rows, *others], "lima", span=5, rounds=100, confidence=0.9, seed=1, again={}
    )
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
    # All 30 prompts rose by one grade of six, and the next may do otherwise.
    apart = found.difference
    assert (apart.estimate, apart.low, apart.high) == pytest.approx((1.0, 0.31, 1.46), abs=0.01)
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


LIKERT = replace(
    HARM, instrument="likert", scale="likert-6", words={str(n): str(n) for n in range(1, 7)}
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
        (
            ["measure: [{quantity: wins_over, above: 1}]", BOTH[0]],
            "when it is supported and when contradicted",
        ),
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


# -- What a verdict may rest on ------------------------------------------------------------------
PEOPLE = Annotators(kind="person", number=3)


def flags(found: Claim) -> set[str]:
    return {flag.id for flag in found.flags}


GPT_4 = Annotators(kind="model", models=("gpt-4-0613",))
STANDS = {"gpt-4": ["strong"]}


def against_gpt_4(by: str, annotators: Annotators, arm: str = "strong", **evidence: Any) -> Claim:
    """An arm that does as well against GPT-4 as the paper's, as judged by `annotators`."""
    win = {"humans": 0.23, "gpt-4": 0.14}[by]
    seen = [preference("lima", arm, win, half=0.03, annotators=annotators, prompts=300)]
    return claim(f"baseline-gpt-4-{by}", preferences=seen, **{"stands_for": STANDS, **evidence})


def test_a_claim_about_people_counts_people_and_one_about_gpt_4_counts_gpt_4() -> None:
    assert against_gpt_4("humans", PEOPLE).verdict == "supported"
    assert against_gpt_4("gpt-4", GPT_4).verdict == "supported"
    assert against_gpt_4("humans", GPT_4).set_aside == [
        "not tested here: annotated by a model (gpt-4-0613): wins + ties against strong, judge j, "
        "300 prompts"
    ]
    assert against_gpt_4("gpt-4", PEOPLE).verdict == "not tested here"


@pytest.mark.parametrize(
    "who",
    [
        Annotators(),
        Annotators(kind="simulated"),
        Annotators(kind="mixed"),
        Annotators(kind="model"),
        Annotators(kind="model", models=("gpt-4o",)),
        Annotators(kind="model", models=("gpt-4-0613", "gpt-3.5-turbo")),
    ],
)
@pytest.mark.parametrize("by", ["humans", "gpt-4"])
def test_verdicts_of_anybody_else_are_listed_and_never_counted(who: Annotators, by: str) -> None:
    found = against_gpt_4(by, who)
    assert (found.verdict, found.measured) == ("not tested here", [])
    assert found.reason.startswith("annotated by")
    assert found.set_aside[0].startswith("not tested here: annotated by")


@pytest.mark.parametrize("by", ["humans", "gpt-4"])
def test_a_program_on_four_prompts_beside_a_lucky_name_supports_nothing(by: str) -> None:
    program = [preference("lima", "gpt-4", 0.8, annotators=Annotators(), prompts=4)]
    found = claims(preferences=program)
    assert {c.verdict for c in found.values()} == {"not tested here"}
    assert "bears the name alone" in found[f"baseline-gpt-4-{by}"].set_aside[0]


def test_an_arm_is_a_baseline_by_what_it_stands_for_and_by_who_answered() -> None:
    assert against_gpt_4("humans", PEOPLE, arm="gpt-4").verdict == "not tested here"
    other = {"strong": ArmFacts(answered_by=("gpt-3.5-turbo",))}
    found = against_gpt_4("humans", PEOPLE, arms=other)
    assert found.verdict == "not tested here"
    assert "the answers of strong came from gpt-3.5-turbo, not gpt-4" in found.set_aside[0]
    same = {"strong": ArmFacts(answered_by=("gpt-4-0314",))}
    assert against_gpt_4("humans", PEOPLE, arms=same).verdict == "supported"


def test_the_invented_world_is_judged_by_nobody_but_itself() -> None:
    wins = [preference("lima", "base", 0.7, annotators=PEOPLE)]
    found = claim("preferred-to-base", preferences=wins, miniature=True)
    assert found.verdict == "supported"
    assert "simulated" in flags(found)
    assert found.summary.startswith("supported, flagged: ")
    assert against_gpt_4("humans", PEOPLE, miniature=True).verdict == "not tested here"


def test_judgments_on_other_prompts_are_set_aside() -> None:
    wins = replace(preference("lima", "base", 0.7), prompt_set=prompt_set(["a", "b"]))
    ours = claim("preferred-to-base", preferences=[wins], prompt_ids=frozenset("ab"))
    assert ours.verdict == "supported"
    other = claim("preferred-to-base", preferences=[wins], prompt_ids=frozenset("abc"))
    assert "judged on other prompts" in other.set_aside[0]


def test_grades_on_another_scale_are_no_grades_of_the_papers() -> None:
    given = [
        replace(grade(f"p{n}", m, 5), scale="1-to-7") for n in range(40) for m in ("lima", "few")
    ]
    seven = replace(LIKERT, scale="1-to-7", words={str(n): str(n) for n in range(1, 8)})
    found = claim("quantity", graded=[seven], grades=given)
    assert found.verdict == "not tested here"
    assert "on the scale 1-to-7, and the claim is about likert-6" in found.reason


@pytest.mark.parametrize(
    ("prompts", "people", "needed"), [(29, 3, "29 of the 30 prompts"), (30, 1, "1 of the 2 people")]
)
def test_too_few_prompts_or_people_decide_nothing_and_the_need_is_said(
    prompts: int, people: int, needed: str
) -> None:
    who = Annotators(kind="person", number=people)
    wins = [preference("lima", "base", 0.7, annotators=who, prompts=prompts)]
    found = claim("preferred-to-base", preferences=wins)
    assert found.verdict == "undecided"
    assert needed in found.reason
    assert "too few" in found.summary


@pytest.mark.parametrize("items", [3, 60, 182])
def test_a_handful_of_unchanged_items_is_no_proof_of_no_tax(items: int) -> None:
    found = claim("no-tax", tax=[tax(0, 0, items=items)])
    assert found.verdict == "undecided"
    assert f"{items} of the 183 items needed" in found.reason


def test_an_entry_may_want_more_than_its_quantity(tmp_path: Path) -> None:
    path = mine(
        tmp_path,
        "measure: [{quantity: wins_over, role: base, above: 0.5}]",
        "smallest: {prompts: 300, reason: as many as the paper's}",
        *BOTH,
    )
    found = claims(path, preferences=[preference("lima", "base", 0.7)])["mine"]
    assert (found.verdict, found.reason) == (
        "undecided",
        "100 of the 300 prompts needed: as many as the paper's",
    )


def far_apart(**facts: ArmFacts) -> Claim:
    given = [
        grade(f"p{n:02}", arm, 5 if arm == "lima" else 1 + n % 2)
        for n in range(40)
        for arm in ("lima", "few")
    ]
    return claim("quantity", graded=[LIKERT], grades=given, arms=facts)


def test_an_arm_that_took_fifteen_steps_does_not_show_that_quantity_matters() -> None:
    lima = ArmFacts(steps=195, seeds=1)
    found = far_apart(lima=lima, few=ArmFacts(steps=15, seeds=1))
    assert found.verdict == "undecided"
    assert "lima 195, few 15" in found.reason
    assert far_apart(lima=lima, few=ArmFacts(steps=150, seeds=1)).verdict == "contradicted"


def test_an_arm_that_was_still_learning_does_not_either() -> None:
    lima = ArmFacts(steps=195, still_falling=-0.01, seeds=1)
    found = far_apart(lima=lima, few=ArmFacts(steps=195, still_falling=0.3, seeds=1))
    assert found.verdict == "undecided"
    assert "not converged" in found.summary


def test_an_arm_of_equal_steps_decides_beside_one_of_equal_epochs() -> None:
    given = [
        grade(f"p{n:02}", arm, 5 - n % 2 if arm != "few" else 1)
        for n in range(300)
        for arm in ("lima", "few", "few-longer")
    ]
    roles = {"ablation": ["few", "few-longer"]}
    steps = {"lima": 195, "few": 15, "few-longer": 195}
    found = Evidence(
        lima="lima",
        roles=roles,
        graded=[LIKERT],
        grades=given,
        arms={arm: ArmFacts(steps=n, seeds=1) for arm, n in steps.items()},
    )
    (quantity,) = [c for c in decided([], found, paper()) if c.id == "quantity"]
    assert quantity.verdict == "supported"
    assert {m.decision for m in quantity.measured} == {"supported", "undecided"}


def bases_at(*scores: float, chance: float | None = None) -> list[TaskTax]:
    """A task for each score of the base, of which tuning changes hardly anything."""
    return [
        replace(
            tax(-0.01, 0.01, task=f"t{n}"),
            base=Interval(score, score - 0.01, min(1, score + 0.01)),
            chance=chance,
        )
        for n, score in enumerate(scores)
    ]


def test_a_base_at_the_ceiling_leaves_preference_without_accuracy_undecided() -> None:
    wins = [preference("lima", "base", 0.7)]
    name = "preference-is-not-knowledge"
    assert claim(name, preferences=wins, tax=bases_at(0.5, 0.6)).verdict == "supported"
    assert claim(name, preferences=wins, tax=bases_at(0.5, 0.6, 1.0)).verdict == "supported"
    found = claim(name, preferences=wins, tax=bases_at(0.99, 1.0))
    assert found.verdict == "undecided"
    assert "can only lose" in found.reason


def test_a_base_that_guesses_has_nothing_to_lose() -> None:
    found = claim("no-tax", tax=bases_at(0.25, 0.25, chance=0.25))
    assert found.verdict == "undecided"
    assert "at-chance" in flags(found)
    assert claim("no-tax", tax=bases_at(0.25, 0.25)).verdict == "supported"


def test_a_task_that_was_trained_on_shows_nothing() -> None:
    held = frozenset({"t0", "t1_algebra"})
    found = claim("no-tax", tax=bases_at(0.5, 0.5), contaminated=held)
    assert found.verdict == "undecided"
    assert "contaminated" in flags(found)


def test_flags_travel_with_a_verdict_that_they_leave_as_it_is() -> None:
    arms = {"lima": ArmFacts(seeds=1), "base": ArmFacts(cut=0.9)}
    found = claim("preferred-to-base", preferences=[preference("lima", "base", 0.7)], arms=arms)
    assert found.verdict == "supported"
    assert flags(found) == {"cut-off", "few-seeds", "one-judge", "unchecked-judge"}
    assert found.measured[0].flags == [flag.id for flag in found.flags]


def test_a_grader_is_checked_where_people_judged_beside_it(people_and_models: Agreement) -> None:
    wins = [preference("lima", "base", 0.7)]
    found = claim("preferred-to-base", preferences=wins, agreements=[people_and_models])
    assert "unchecked judge" not in found.summary
    assert "one judge" in found.summary


def test_perplexity_that_hardly_rises_tests_nothing() -> None:
    hardly = AfterLowest(
        lowest=2,
        last=3,
        prompts=40,
        difference=Interval(1, 0.5, 1.5),
        epochs=3,
        rise=0.0004,
        correlation=1.0,
        annotators=MODEL,
    )
    found = claim("perplexity", after_lowest=hardly)
    assert found.verdict == "not tested here"
    assert "0.04% above the lowest" in found.reason
    assert claim("perplexity", after_lowest=replace(hardly, rise=0.5)).verdict == "supported"


def test_every_entry_says_when_it_is_contradicted() -> None:
    for entry in read_entries(FILE):
        assert bool(entry.measure) == bool(entry.supported) == bool(entry.contradicted)
