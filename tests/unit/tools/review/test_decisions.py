"""What stands of a ledger, and how far reviewers agree."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limaflow.curation.ledger import Decision
from limaflow.curation.review_decisions import opinions, together
from limaflow.tools.review.reviewer_agreement import agreements, kappa
from limaflow.tools.review.shares import Share


def said(text: str) -> list[Decision]:
    """`ann: keep a, reject b` as a ledger; times rise."""
    lines = []
    for number, part in enumerate(text.split(", ")):
        reviewer, decision, id = part.replace(":", "").split()
        lines.append(Decision(id=id, decision=decision, reviewer=reviewer, time=f"{number:03}"))
    return lines


def merged(text: str) -> dict[str, str]:
    return {id: d.decision for id, d in opinions(said(text)).merged().items()}


def test_of_one_reviewer_the_last_decision_holds() -> None:
    assert merged("ann: keep a, ann: reject a, ann: edit a, ann: keep b") == {
        "a": "edit",
        "b": "keep",
    }


def test_undo_takes_back_the_last_decision_that_stands_and_then_the_one_before() -> None:
    assert merged("ann: keep a, ann: reject a, ann: undo a") == {"a": "keep"}
    assert merged("ann: keep a, ann: reject a, ann: undo a, ann: undo a") == {}
    assert merged("ann: undo a, ann: keep a") == {"a": "keep"}
    assert merged("ann: keep a, bob: keep a, bob: undo a, bob: undo a") == {"a": "keep"}


@pytest.mark.parametrize(
    ("text", "wins"),
    [
        ("ann: reject a, bob: keep a", "reject"),
        ("ann: keep a, bob: reject a, cy: edit a", "reject"),
        ("ann: edit a, bob: keep a", "edit"),
        ("ann: reject a, bob: keep a, ann: keep a", "keep"),
        ("ann: reject a, bob: edit a, ann: undo a", "edit"),
    ],
)
def test_of_several_any_rejection_wins_then_an_edit(text: str, wins: str) -> None:
    assert merged(text) == {"a": wins}


def test_of_two_edits_the_later_wins() -> None:
    first, second = said("ann: edit a, bob: edit a")
    assert together([first, second]) == together([second, first]) == second


entries = st.builds(
    Decision,
    id=st.sampled_from("ab"),
    decision=st.sampled_from(["keep", "reject", "edit", "undo"]),
    reviewer=st.sampled_from(["ann", "bob"]),
)


@given(st.lists(entries, max_size=12))
def test_what_stands_does_not_depend_on_how_reviewers_lines_are_interleaved(
    ledger: list[Decision],
) -> None:
    timed = [replace(d, time=f"{n:03}") for n, d in enumerate(ledger)]
    apart = sorted(timed, key=lambda d: d.reviewer)
    assert opinions(timed).merged() == opinions(apart).merged()


@given(st.lists(entries, max_size=12))
def test_a_decision_and_its_undo_leave_no_trace(ledger: list[Decision]) -> None:
    more = [
        *ledger,
        Decision(id="a", decision="reject", reviewer="ann"),
        Decision(id="a", decision="undo", reviewer="ann"),
    ]
    assert opinions(more) == opinions(ledger)


def test_kappa_of_the_textbook() -> None:
    # Cohen's kappa of Wikipedia's example: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no.
    table = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    assert kappa(table) == pytest.approx(0.4)


def test_kappa_is_not_defined_where_chance_agrees_always() -> None:
    assert kappa([]) is None
    assert kappa([(True, True)] * 5) is None


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_kappa_is_symmetric_and_at_most_one(pairs: list[tuple[bool, bool]]) -> None:
    value = kappa(pairs)
    assert value == pytest.approx(kappa([(b, a) for a, b in pairs]))
    assert value is None or -1 <= value <= 1


def test_agreement_tells_first_decisions_from_those_after_talking() -> None:
    ledger = said(
        "ann: keep a, ann: reject b, ann: edit c, ann: keep d, "
        "bob: keep a, bob: keep b, bob: keep c, bob: reject b"
    )
    [pair] = agreements(opinions(ledger))
    assert (pair.first, pair.second, pair.both, pair.either) == ("ann", "bob", 3, 4)
    assert pair.overlap == 0.75
    assert pair.agreed == pytest.approx(2 / 3)
    assert (pair.agreed_now, pair.kappa_now) == (1.0, 1.0)
    assert pair.counts == {"edit/keep": 1, "keep/keep": 1, "reject/keep": 1}


@pytest.mark.parametrize("overlap", [0.0, 0.2, 1.0])
def test_parts_share_the_overlap_and_nothing_else(overlap: float) -> None:
    ids = [f"{n:016x}" for n in range(2000)]
    given_to = [
        {id for id in ids if Share(part=part, parts=2, overlap=overlap).holds(id)}
        for part in (1, 2)
    ]
    assert given_to[0] | given_to[1] == set(ids)
    assert len(given_to[0] & given_to[1]) / len(ids) == pytest.approx(overlap, abs=0.03)
    assert len(given_to[0]) / len(ids) == pytest.approx((1 + overlap) / 2, abs=0.03)
