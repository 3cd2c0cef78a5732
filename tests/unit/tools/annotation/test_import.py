"""What came back is whole, unaltered and from someone known, or is refused by name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limaflow.errors import InputError
from limaflow.jsonl import read_records, write_records
from limaflow.measures.cli import summarize
from limaflow.records import Verdict
from limaflow.tools.annotation import cli
from limaflow.tools.annotation.answers import Entry, standing
from limaflow.verdict_import.cli import import_verdicts

Saved = Callable[..., Path]
ALL = {1: "first", 2: "second", 3: "neither", 4: "first"}


def test_choices_become_verdicts_on_the_models_behind_them(
    beer: Any, saved: Saved, tmp_path: Path
) -> None:
    packet = beer.packet("ann")
    yes = {
        n: "first" if item.answers[0].startswith("Yes") else "second"
        for n, item in enumerate(packet.items, start=1)
    }
    files = [saved(packet, {**yes, 4: "neither"}), saved(beer.packet("bob"), ALL)]
    cli.import_answers(beer.folder, files, output=tmp_path / "verdicts")
    path = tmp_path / "verdicts/ours-vs-theirs.jsonl"
    verdicts = list(read_records(path, Verdict))
    assert [v.annotator for v in verdicts] == ["ann", "bob"] * 4
    assert {v.template for v in verdicts} == {packet.template}
    summarize(
        verdicts=[path],
        output=tmp_path / "out.json",
        seed=1,
        bootstrap=100,
        responses=[beer.ours, beer.theirs],
    )
    ann, bob = json.loads((tmp_path / "out.json").read_text())
    assert (ann["judge"], ann["win"]["estimate"], ann["tie"]["estimate"]) == ("ann", 0.75, 0.25)
    assert bob["prompts"] == 4
    import_verdicts(
        [path], prompts=beer.prompts, first="ours", second="theirs", output=tmp_path / "imported"
    )
    assert list(read_records(tmp_path / "imported", Verdict)) == verdicts


def test_missing_items_are_named_and_taken_only_as_partial(
    beer: Any, saved: Saved, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(beer.packet("ann"), {2: "neither", 4: "first"})
    with pytest.raises(
        InputError, match=r"ann\.answers\.json: ann has not answered 2 of 4 items: 1, 3 "
    ):
        cli.import_answers(beer.folder, [file], output=tmp_path / "verdicts")
    assert not (tmp_path / "verdicts").exists()
    cli.import_answers(beer.folder, [file], output=tmp_path / "verdicts", partial=True)
    assert "2 answers, missing 2 of 4 items: 1, 3" in (said := capsys.readouterr().out)
    assert "bob: nothing came back" in said


def changed(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return path


def test_a_file_that_was_changed_after_saving_is_refused(beer: Any, saved: Saved) -> None:
    file = saved(beer.packet("ann"), ALL)
    answers = json.loads(file.read_text())["answers"]
    answers[0]["choice"] = "second"
    with pytest.raises(InputError, match=r"ann\.answers\.json: was changed"):
        cli.import_answers(beer.folder, [changed(file, answers=answers)], output=beer.folder)
    with pytest.raises(InputError, match="was changed"):
        cli.import_answers(beer.folder, [changed(file, answers=answers[:2])], output=beer.folder)
    file.write_text(file.read_text()[:-40])
    with pytest.raises(InputError, match=r"ann\.answers\.json: not a valid Answers"):
        cli.import_answers(beer.folder, [file], output=beer.folder)


def test_an_item_shown_with_other_texts_is_refused(beer: Any, saved: Saved) -> None:
    from dataclasses import replace

    packet = beer.packet("ann")
    other = replace(packet.items[1], hash="0" * 64)
    file = saved(replace(packet, items=(packet.items[0], other, *packet.items[2:])), ALL)
    with pytest.raises(InputError, match="item 2 was shown with other texts"):
        cli.import_answers(beer.folder, [file], output=beer.folder)


def test_strangers_and_changed_packets_are_refused(beer: Any, saved: Saved) -> None:
    from dataclasses import replace

    packet = beer.packet("ann")
    for other, told in (
        (replace(packet, annotator="eve"), r"'eve' is no annotator of this key \(ann, bob\)"),
        (replace(packet, annotator="bob"), "the packet that bob answered is that of ann"),
        (replace(packet, hash="0" * 64), "not of this key, or was changed"),
    ):
        with pytest.raises(InputError, match=told):
            cli.import_answers(beer.folder, [saved(other, ALL)], output=beer.folder)


def test_a_pool_counts_every_pair_once(beer: Any, saved: Saved, tmp_path: Path) -> None:
    files = [
        saved(beer.packet("ann"), ALL),
        saved(beer.packet("bob"), {1: "neither", 2: "neither"}),
    ]
    usual = {"files": files, "partial": True}
    cli.import_answers(beer.folder, **usual, output=tmp_path / "each")
    cli.import_answers(beer.folder, **usual, output=tmp_path / "pool", pool="people")
    each, pool = (
        list(read_records(tmp_path / folder / "ours-vs-theirs.jsonl", Verdict))
        for folder in ("each", "pool")
    )
    assert len(each) == 6
    assert [v.prompt_id for v in pool] == sorted({v.prompt_id for v in each})
    assert {v.annotator for v in pool} == {"people"}
    assert {(v.prompt_id, v.first, v.choice) for v in pool} < {
        (v.prompt_id, v.first, v.choice) for v in each
    }


def test_answers_on_responses_that_were_made_anew_are_refused(
    beer: Any, saved: Saved, tmp_path: Path
) -> None:
    file = saved(beer.packet("ann"), ALL)
    files = [beer.ours, beer.theirs]
    cli.import_answers(beer.folder, [file], output=tmp_path / "verdicts", responses=files)
    beer.ours.write_text(beer.ours.read_text().replace("Yes: ale", "Yes, ale"))
    with pytest.raises(InputError, match="2 of 8 items show other responses"):
        cli.import_answers(beer.folder, [file], output=tmp_path / "verdicts", responses=files)


def test_answers_that_came_twice_are_refused(beer: Any, saved: Saved) -> None:
    packet = beer.packet("ann")
    files = [saved(packet, ALL), saved(packet, ALL, "again.json")]
    with pytest.raises(
        InputError, match=r"again\.json: answers of ann again, as in .*ann\.answers"
    ):
        cli.import_answers(beer.folder, files, output=beer.folder)


def entry(packet: Any, item: int, choice: str) -> Entry:
    return Entry(
        annotator=packet.annotator,
        packet=packet.hash,
        item=item,
        hash=packet.items[item - 1].hash,
        choice=choice,
        time="2026-01-01",
    )


def test_a_servers_file_counts_what_stands(beer: Any, tmp_path: Path) -> None:
    packet = beer.packet("ann")
    made = [
        (1, "first"),
        (2, "neither"),
        (2, "second"),
        (3, "neither"),
        (3, "undo"),
        (3, "first"),
        (4, "neither"),
    ]
    path = tmp_path / "ann.answers.jsonl"
    write_records(path, [entry(packet, item, choice) for item, choice in made])
    with path.open("a") as file:
        file.write('{"annotator": "ann", "cho')
    cli.import_answers(beer.folder, [path], output=tmp_path / "verdicts")
    verdicts = list(read_records(tmp_path / "verdicts/ours-vs-theirs.jsonl", Verdict))
    by_prompt = {v.prompt_id: v.choice for v in verdicts}
    keyed = beer.key.packet(packet.hash)
    assert [by_prompt[i.prompt_id] for i in keyed.items] == ["first", "second", "first", "tie"]


steps = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["first", "second", "neither"])))


@given(steps, steps)
def test_undoing_all_that_came_after_leaves_what_was(before: Any, after: Any) -> None:
    def entries(rows: Any) -> list[Entry]:
        return [
            Entry(annotator="ann", packet="p", item=n, hash="h", choice=choice, time="")
            for n, choice in rows
        ]

    undone = entries([(n, "undo") for n, _ in reversed(after)])
    assert standing(entries(before) + entries(after) + undone) == standing(entries(before))
