"""What a reviewer sees, and what each decision changes."""

from pathlib import Path

import pytest

from limaflow.curation.settings import Filters
from limaflow.records import Example, Message
from limaflow.tools.local_pages.requests import Refused
from limaflow.tools.review.review_session import Session
from limaflow.tools.review.review_summary import printed, progress_of
from limaflow.tools.review.reviewed_sample import Material
from limaflow.tools.review.shares import Share


@pytest.fixture
def rules(paper_filters: Filters) -> Filters:
    """The paper's, for responses as short as those here."""
    return paper_filters.model_copy(update={"min_response_chars": 20, "title_prompt_share": 1.0})


@pytest.fixture
def material(
    sample: list[Example], reserve: list[Example], rules: Filters, tmp_path: Path
) -> Material:
    return Material(
        dataset="lima",
        sample=sample,
        reserve=reserve,
        ledger=tmp_path / "lima.review.jsonl",
        seed=1,
        filters={"stackexchange": rules},
    )


@pytest.fixture
def ann(material: Material) -> Session:
    return Session(material, "ann", Share())


def states(session: Session) -> dict[str, str]:
    return {row.id: row.mine for row in session.rows()}


def test_every_sampled_example_is_listed_and_undecided(ann: Session, sample: list[Example]) -> None:
    assert states(ann) == {example.id: "" for example in sample}


def test_a_rejection_brings_its_replacement_into_the_list_and_undo_takes_it_out(
    ann: Session, sample: list[Example], reserve: list[Example]
) -> None:
    start = ann.version
    ann.decide(sample[1].id, "reject", "dull")
    came = ann.rows(start)[-1]
    assert (came.id, came.replaces) == (reserve[0].id, sample[1].id)
    rejected = ann.version
    assert ann.undo() == sample[1].id
    assert ann.gone(rejected) == [reserve[0].id]
    assert states(ann) == {example.id: "" for example in sample}
    assert ann.undo() is None


def test_a_rejected_replacement_is_replaced_too_and_empty_places_are_told(
    ann: Session, sample: list[Example], reserve: list[Example]
) -> None:
    for example in (sample[0], reserve[0]):
        ann.decide(example.id, "reject")
    assert list(states(ann)) == [e.id for e in [*sample, *reserve]]
    assert ann.empty_places() == {}
    ann.decide(reserve[1].id, "reject")
    assert ann.empty_places() == {"beer": 1}


def test_a_session_after_another_has_all_its_decisions(
    ann: Session, material: Material, sample: list[Example]
) -> None:
    ann.decide(sample[0].id, "keep")
    ann.decide(sample[1].id, "reject")
    assert states(Session(material, "ann", Share())) == states(ann)
    assert set(states(Session(material, "bob", Share())).values()) == {""}


def new_text(example: Example, response: str) -> list[Message]:
    return [example.messages[0], Message(role="assistant", content=response)]


def test_an_edit_is_shown_with_the_original_and_read_by_the_rules(
    ann: Session, sample: list[Example]
) -> None:
    ann.decide(sample[0].id, "edit", messages=new_text(sample[0], "I think malt is mashed.\r\n"))
    detail = ann.detail(sample[0].id)
    assert detail["messages"][1]["content"] == "I think malt is mashed."
    assert detail["original"][1]["content"] == sample[0].response
    verdicts = {said["rule"]: said["verdict"] for said in detail["rules"]}
    assert verdicts["first_person"] == "objects"
    assert verdicts["cross_reference"] == "content"


@pytest.mark.parametrize(
    ("response", "message"),
    [("  ", "may be empty"), (None, "leave the turns")],
)
def test_an_edit_must_leave_a_whole_conversation(
    ann: Session, sample: list[Example], response: str | None, message: str
) -> None:
    changed = new_text(sample[0], response) if response else new_text(sample[0], "x")[:1]
    with pytest.raises(Refused, match=message):
        ann.decide(sample[0].id, "edit", messages=changed)


def test_an_edit_into_another_example_is_refused(ann: Session, sample: list[Example]) -> None:
    with pytest.raises(Refused, match="another example has just this text"):
        ann.decide(sample[0].id, "edit", messages=sample[1].messages)


def test_an_edit_that_changes_nothing_keeps(ann: Session, sample: list[Example]) -> None:
    ann.decide(sample[0].id, "edit", messages=sample[0].messages)
    assert states(ann)[sample[0].id] == "keep"


def test_the_same_decision_twice_is_one_line(ann: Session, sample: list[Example]) -> None:
    ann.decide(sample[0].id, "keep")
    ann.decide(sample[0].id, "keep")
    assert len(ann.material.ledger.read_text().splitlines()) == 1


def test_others_are_shown_only_after_ones_own_decision(
    ann: Session, material: Material, sample: list[Example]
) -> None:
    bob = Session(material, "bob", Share())
    ann.decide(sample[0].id, "reject", "dull")
    assert bob.detail(sample[0].id)["others"] is None
    bob.decide(sample[0].id, "keep")
    [other] = bob.detail(sample[0].id)["others"]
    assert (other["reviewer"], other["decision"], other["reason"]) == ("ann", "reject", "dull")
    [row] = [row for row in bob.rows() if row.id == sample[0].id]
    assert row.disputed


def test_rules_that_only_a_stricter_reading_breaks_are_told_apart(
    material: Material, sample: list[Example], rules: Filters
) -> None:
    lenient = rules.model_copy(update={"drop_first_person": False})
    filters = {"stackexchange": lenient, "wikihow": rules}
    changed = Material(**{**vars(material), "filters": filters})
    session = Session(changed, "ann", Share())
    session.decide(sample[0].id, "edit", messages=new_text(sample[0], "My malt is boiled slowly."))
    found = {said["rule"]: said for said in session.detail(sample[0].id)["rules"]}
    assert found["first_person"]["verdict"] == "strict"
    assert "My malt" in found["first_person"]["detail"]


def test_near_duplicates_are_named_with_their_similarity(
    ann: Session, sample: list[Example]
) -> None:
    near = ann.detail(sample[0].id)["near"]
    assert near[0]["similarity"] > 0.3
    assert {n["id"] for n in near} <= set(ann.examples) - {sample[0].id}
    list(ann.look_closer())
    assert all(row.like > 0.3 for row in ann.rows())


def test_search_reads_the_whole_conversation(ann: Session, sample: list[Example]) -> None:
    bock = next(e for e in ann.examples.values() if "bock" in e.prompt)
    assert ann.search("For BOCK") == ([bock.id] if bock in sample else [])
    assert ann.search("is mashed") == [e.id for e in sample]
    assert ann.search(sample[2].id) == [sample[2].id]


def test_the_summary_tells_progress_agreement_and_unmet_decisions(
    ann: Session, material: Material, sample: list[Example]
) -> None:
    from limaflow.curation.ledger import Decision, append, read

    bob = Session(material, "bob", Share())
    ann.decide(sample[0].id, "keep")
    ann.decide(sample[1].id, "reject", "dull")
    bob.decide(sample[0].id, "keep")
    bob.decide(sample[1].id, "keep")
    for id in ("gone", "not-drawn"):
        append(
            material.ledger,
            Decision(id=id, decision="keep", reviewer="ann", prompt=f"What is {id}?"),
        )
    told = progress_of(material, read([material.ledger]).decisions, pool={"not-drawn"})
    assert (told.places, told.listed) == (4, 5)
    assert told.standing == {"keep": 1, "undecided": 3}
    assert told.disputed == [sample[1].id]
    assert told.undrawn == 1
    assert [d.id for d in told.unmet] == ["gone"]
    text = printed(told)
    assert "ann: 2 decided (40%); 1 keep, 1 reject" in text
    assert "first decisions agree in 50%" in text
    assert "meets no candidate: gone (keep by ann): What is gone?" in text
