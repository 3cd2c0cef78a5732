"""Review decisions, adopted files, and the funnel."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from limaflow.curation.adoption import adopted
from limaflow.curation.apply_review import reviewed
from limaflow.curation.funnel import funnel
from limaflow.curation.ledger import Decision
from limaflow.curation.sampling import undrawn
from limaflow.errors import InputError
from limaflow.jsonl import write_json, write_records
from limaflow.records import Drop, Example, Extracted, Message, Review

Build = Callable[..., Example]


def decision(example: Example, what: str, **more: object) -> Decision:
    return Decision(id=example.id, decision=what, reviewer="ann", **more)


def test_without_a_ledger_everything_is_kept_and_the_summary_says_so(example: Build) -> None:
    sample = [example(f"q{n}", "a") for n in range(3)]
    kept, dropped, summary = reviewed(sample, [], (), seed=1)
    assert (len(kept), dropped, summary.unreviewed, summary.ledger) == (3, [], 3, None)


def test_a_rejected_example_is_replaced_from_its_own_stratum_by_score(example: Build) -> None:
    bad = example("bad", "a", prompt_score=9)
    best = example("best", "a", prompt_score=5)
    spare = [
        example("other site", "a", prompt_score=8, stratum="wine"),
        example("next", "a", prompt_score=4),
        best,
    ]
    kept, [drop], summary = reviewed([bad], spare, [decision(bad, "reject", reason="dull")], seed=1)
    assert kept == [best]
    assert (drop.id, drop.rule, drop.detail) == (bad.id, "rejected", "ann: dull")
    assert summary.replacements == {"se": 1}


def test_a_rejected_replacement_is_replaced_in_turn_and_another_stratum_helps_out(
    example: Build,
) -> None:
    bad, worse = example("bad", "a"), example("worse", "a")
    other = example("other", "a", stratum="wine")
    ledger = [decision(bad, "reject"), decision(worse, "reject")]
    kept, dropped, _ = reviewed([bad], [worse, other], ledger, seed=1)
    assert kept == [other]
    assert len(dropped) == 2


def test_an_empty_reserve_is_an_error_that_says_what_to_do(example: Build) -> None:
    bad = example("bad", "a")
    with pytest.raises(InputError, match=r"raise curation.reserve_share"):
        reviewed([bad], [], [decision(bad, "reject")], seed=1)


def test_the_last_decision_holds_and_edits_change_text_and_id(example: Build) -> None:
    first = example("q", "a")
    new = (Message(role="user", content="q"), Message(role="assistant", content="better"))
    ledger = [decision(first, "reject"), decision(first, "edit", messages=new)]
    [kept], dropped, summary = reviewed([first], [], ledger, seed=1)
    assert kept.response == "better"
    assert kept.id != first.id
    assert kept.review == Review(decision="edit", reviewer="ann")
    assert (dropped, summary.edited) == ([], 1)


def test_decisions_that_meet_no_candidate_are_told_from_those_not_drawn(example: Build) -> None:
    ledger = [Decision(id=id, decision="keep", reviewer="ann") for id in ("gone", "not drawn")]
    sample = [example("q", "a")]
    summary = reviewed(sample, [], ledger, seed=1, pool={sample[0].id, "not drawn"})[2]
    assert (summary.unmet, summary.undrawn) == (("gone",), 1)


def test_an_edit_into_another_example_is_an_error(example: Build) -> None:
    first, second = example("q", "a"), example("q", "b")
    ledger = [decision(first, "edit", messages=second.messages)]
    with pytest.raises(InputError, match="two examples have the same text after review"):
        reviewed([first, second], [], ledger, seed=1)


def test_released_rows_and_frozen_rows_are_adopted_alike(example: Build, tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    write_records(
        path,
        [
            {"conversations": ["q1", "a1"], "source": "stackexchange"},
            {
                "messages": [
                    {"role": "user", "content": "q2"},
                    {"role": "assistant", "content": "a"},
                ]
            },
            example("q3", "a3", stratum="wine"),
        ],
    )
    found = {e.prompt: e for e in adopted(path, "train")}
    assert found["q1"].source == "stackexchange"
    assert found["q2"].source == "train"
    assert found["q3"] == example("q3", "a3", stratum="wine")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"prompt": "q"}], ":1: the conversation does not end with a response"),
        ([{"prompt": "q", "response": "a"}] * 2, ":2: the same conversation stands twice"),
        ([{"text": "q"}], ":1: no text under 'prompt'"),
        ([{"id": 1, "messages": [], "source": "", "split": ""}], ":1: id"),
        ([], "holds no conversation"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_by_line(
    tmp_path: Path, rows: list[object], message: str
) -> None:
    path = tmp_path / "train.jsonl"
    write_records(path, rows)
    with pytest.raises(InputError, match=message):
        adopted(path, "train")


SHARDS = {"se": ["beer"], "ask": ["ask"]}
DATASETS: dict[str, str | None] = {"lima": "lima"}


def curated(root: Path, example: Build) -> None:
    """Files of a whole run of two sources, one of them for test prompts alone."""
    pool = [example(f"q{n}", "a") for n in range(4)]
    prompts = [example(f"p{n}", source="ask") for n in range(2)]
    curation = root / "curation"
    write_records(curation / "candidates/se/beer.jsonl", [{"source": "se"}] * 6)
    write_records(curation / "candidates/ask/ask.jsonl", [{"source": "ask"}] * 2)
    for source, shard, count in (("se", "beer", 6), ("ask", "ask", 2)):
        extracted = Extracted(
            source=source, shard=shard, candidates=count, passed_over={"deleted": 3}
        )
        write_json(curation / f"extracted/{source}/{shard}.json", extracted)
    write_records(curation / "filtered/se/beer.jsonl", pool)
    write_records(curation / "filtered/ask/ask.jsonl", prompts)
    drops = [Drop(id=f"{n}", source="se", step="filter", rule="first_person") for n in range(2)]
    write_records(curation / "dropped/filter/se/beer.jsonl", drops)
    write_records(curation / "dropped/filter/ask/ask.jsonl", [])
    for step in ("unique", "pool"):
        write_records(curation / f"{step}/lima.jsonl", pool)
    for step in ("deduplicate", "decontaminate"):
        write_records(curation / f"dropped/{step}/lima.jsonl", [])
    write_records(curation / "prompts/dev.jsonl", [])
    write_records(curation / "prompts/test.jsonl", prompts)
    folder = root / "datasets/lima"
    write_records(folder / "sampled.jsonl", pool[:2])
    write_records(folder / "reserve.jsonl", pool[2:3])
    write_records(folder / "undrawn.jsonl", undrawn(pool, {"se"}, pool[:2], pool[2:3]))
    kept, dropped, summary = reviewed(pool[:2], pool[2:3], [decision(pool[0], "reject")], seed=1)
    write_records(folder / "reviewed.jsonl", kept)
    write_records(folder / "dropped.jsonl", dropped)
    write_json(folder / "review.json", summary)


def test_the_funnel_counts_every_step_and_adds_up(example: Build, tmp_path: Path) -> None:
    curated(tmp_path, example)
    counted = funnel(tmp_path, SHARDS, DATASETS)
    rows = [(s.dataset, s.step, s.source, s.came, s.stayed, s.dropped) for s in counted.steps]
    assert rows == [
        ("", "extract", "ask", 5, 2, {"deleted": 3}),
        ("", "extract", "se", 9, 6, {"deleted": 3}),
        ("", "filter", "ask", 2, 2, {}),
        ("", "filter", "se", 6, 4, {"first_person": 2}),
        ("", "hold_out", "ask", 2, 2, {}),
        ("", "deduplicate", "se", 4, 4, {}),
        ("", "decontaminate", "se", 4, 4, {}),
        ("lima", "sample", "se", 4, 2, {"in_reserve": 1, "not_drawn": 1}),
        ("lima", "review", "se", 3, 2, {"rejected": 1}),
    ]
    assert counted.prompts == {"dev": {}, "test": {"ask": 2}}


@pytest.mark.parametrize(
    "file",
    [
        "curation/unique/lima.jsonl",
        "curation/dropped/filter/se/beer.jsonl",
        "datasets/lima/undrawn.jsonl",
    ],
)
def test_a_lost_record_ends_the_run(example: Build, tmp_path: Path, file: str) -> None:
    curated(tmp_path, example)
    path = tmp_path / file
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(InputError, match=r"came, .* went on and .* were dropped"):
        funnel(tmp_path, SHARDS, DATASETS)


def test_only_what_the_run_names_is_counted(example: Build, tmp_path: Path) -> None:
    curated(tmp_path, example)
    write_records(tmp_path / "curation/candidates/old/old.jsonl", [{"source": "old"}])
    counted = funnel(tmp_path, SHARDS, DATASETS)
    assert "old" not in json.dumps([step.source for step in counted.steps])


def test_data_sets_of_other_sources_have_a_pool_of_their_own(
    example: Build, tmp_path: Path
) -> None:
    curated(tmp_path, example)
    asked = [example(f"p{n}", source="ask") for n in range(2)]
    for step in ("unique", "pool"):
        write_records(tmp_path / f"curation/{step}/titles.jsonl", asked)
    for step in ("deduplicate", "decontaminate"):
        write_records(tmp_path / f"curation/dropped/{step}/titles.jsonl", [])
    for file in ("sampled", "reviewed"):
        write_records(tmp_path / f"datasets/titles/{file}.jsonl", asked[:1])
    write_records(tmp_path / "datasets/titles/dropped.jsonl", [])
    undrawn = [Drop(id="p1", source="ask", step="sample", rule="not_drawn")]
    write_records(tmp_path / "datasets/titles/undrawn.jsonl", undrawn)
    write_json(tmp_path / "datasets/titles/review.json", {"replacements": {}})
    counted = funnel(tmp_path, SHARDS, {"lima": "lima", "titles": "titles"})
    pools = [(s.pool, s.step, s.source, s.came) for s in counted.steps if s.pool]
    assert pools == [
        ("lima", "deduplicate", "se", 4),
        ("lima", "decontaminate", "se", 4),
        ("titles", "deduplicate", "ask", 2),
        ("titles", "decontaminate", "ask", 2),
    ]


def test_candidates_that_no_extraction_counted_end_the_run(example: Build, tmp_path: Path) -> None:
    curated(tmp_path, example)
    counts = Extracted(source="se", shard="beer", candidates=7, passed_over={})
    write_json(tmp_path / "curation/extracted/se/beer.json", counts)
    with pytest.raises(InputError, match="extract, source 'se': 7 came, 6 went on"):
        funnel(tmp_path, SHARDS, DATASETS)
