"""What came back is whole, unaltered and from someone known, or is refused by name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limaflow.errors import InputError
from limaflow.jsonl import adapter_of, read_records, write_json, write_records
from limaflow.judging.rounds import Key, sealed
from limaflow.measures.cli import agreement, summarize
from limaflow.records import Verdict
from limaflow.seeds import digest
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
        InputError,
        match=r"ann\.answers\.json: ann has not answered 2 of 4 items: 1, 3; "
        r"nothing came back of bob \(--partial",
    ):
        cli.import_answers(beer.folder, [file], output=tmp_path / "verdicts")
    assert not (tmp_path / "verdicts").exists()
    cli.import_answers(beer.folder, [file], output=tmp_path / "verdicts", partial=True)
    assert "2 answers, missing 2 of 4 items: 1, 3" in (said := capsys.readouterr().out)
    assert "bob: nothing came back" in said


def test_a_person_of_whom_nothing_came_back_is_named_and_missed_only_as_partial(
    beer: Any, saved: Saved, tmp_path: Path
) -> None:
    file = saved(beer.packet("bob"), ALL)
    with pytest.raises(InputError, match=r"^nothing came back of ann \(--partial"):
        cli.import_answers(beer.folder, [file], output=tmp_path / "verdicts")
    assert not (tmp_path / "verdicts").exists()
    cli.import_answers(beer.folder, [file], output=tmp_path / "verdicts", partial=True)
    assert (tmp_path / "verdicts/ours-vs-theirs.jsonl").read_text().count("\n") == 4
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="nothing came back of anyone"):
        cli.import_answers(
            beer.folder, [tmp_path / "empty"], output=tmp_path / "none", partial=True
        )


def swapped(key: dict[str, Any], *fields: str) -> None:
    item = key["packets"][0]["items"][0]
    item.update({field: item[field][::-1] for field in fields})


def exchanged(key: dict[str, Any]) -> None:
    items = key["packets"][0]["items"]
    items.insert(0, items.pop(1))


def moved(key: dict[str, Any]) -> None:
    first, second, *_ = key["packets"][0]["items"]
    first["prompt_id"] = second["prompt_id"]


def repeated(key: dict[str, Any]) -> None:
    key["packets"].append(key["packets"][0])


def revalued(key: dict[str, Any]) -> None:
    key["words"]["first"], key["words"]["second"] = key["words"]["second"], key["words"]["first"]


TAMPERINGS: dict[str, Callable[[dict[str, Any]], None]] = {
    "models swapped": lambda key: swapped(key, "models"),
    "models and texts swapped": lambda key: swapped(key, "models", "response_ids"),
    "items exchanged": exchanged,
    "another prompt": moved,
    "a packet twice": repeated,
    "words of other values": revalued,
    "another template": lambda key: key.update(template="0" * 16),
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_a_key_that_was_changed_is_refused(beer: Any, saved: Saved, how: str) -> None:
    file = saved(beer.packet("ann"), ALL)
    path = beer.folder / "key.json"
    key = json.loads(path.read_text())
    TAMPERINGS[how](key)
    path.write_text(json.dumps(key))
    with pytest.raises(InputError, match=r"key\.json: the key is not as it was made"):
        cli.import_answers(beer.folder, [file], output=beer.folder / "out", partial=True)


@pytest.mark.parametrize("how", ["models swapped", "models and texts swapped", "another prompt"])
def test_responses_at_hand_tell_a_false_key_even_with_its_hash_made_anew(
    beer: Any, saved: Saved, how: str
) -> None:
    files = [saved(beer.packet(name), ALL) for name in ("ann", "bob")]
    path = beer.folder / "key.json"
    at_hand = {"responses": [beer.ours, beer.theirs], "prompts": beer.prompts}
    cli.import_answers(beer.folder, files, output=beer.folder / "out", **at_hand)
    key = json.loads(path.read_text())
    TAMPERINGS[how](key)
    write_json(path, sealed(adapter_of(Key).validate_python(key)))
    with pytest.raises(InputError, match="1 of 8 items show other responses or prompts"):
        cli.import_answers(beer.folder, files, output=beer.folder / "out", **at_hand)


def test_a_key_of_another_version_says_how_to_have_one_of_this(beer: Any, saved: Saved) -> None:
    file = saved(beer.packet("ann"), ALL)
    changed(beer.folder / "key.json", format="limaflow annotation key 3")
    with pytest.raises(InputError, match=r"is a limaflow annotation key 3.*the same packets"):
        cli.import_answers(beer.folder, [file], output=beer.folder / "out", partial=True)


def test_hasty_answers_are_reported_and_stay_marked(
    beer: Any, saved: Saved, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = {1: 200, 2: 1999, 3: 2000, 4: 60_000}
    files = [
        saved(beer.packet("ann"), ALL, shown_ms=quick, unseen={1: (2,), 2: (), 3: (), 4: (1, 2)}),
        saved(beer.packet("bob"), ALL),
    ]
    cli.import_answers(beer.folder, files, output=tmp_path / "verdicts")
    said = capsys.readouterr().out
    assert "warning: ann: hasty: 2 within 2 s of being shown: 1, 2\n" in said
    assert "warning: ann: hasty: 2 before the end of every answer was in view: 1, 4\n" in said
    assert "bob: hasty" not in said
    path = tmp_path / "verdicts/ours-vs-theirs.jsonl"
    keyed = beer.key.packets[0].items
    hasty = {(v.annotator, v.prompt_id) for v in read_records(path, Verdict) if v.hasty}
    assert hasty == {("ann", keyed[n].prompt_id) for n in (0, 1, 3)}
    agreement([path], output=tmp_path / "agreement.json", seed=1, bootstrap=20)
    assert "warning: ann: 3 of 4 judgments were made in haste" in capsys.readouterr().out
    assert {row["hasty"] for row in json.loads((tmp_path / "agreement.json").read_text())} == {3}


def test_a_file_of_a_page_that_recorded_no_haste_is_taken(
    beer: Any, saved: Saved, tmp_path: Path
) -> None:
    packet = beer.packet("ann")
    file = saved(packet, ALL)
    held = json.loads(file.read_text())
    answers = [
        {field: a[field] for field in ("item", "hash", "choice", "time")} for a in held["answers"]
    ]
    rows = [[*a.values()] for a in answers]
    older = {
        "format": "limaflow answers 1",
        "answers": answers,
        "hash": digest("ann", packet.hash, rows, length=64),
    }
    changed(file, **older)
    cli.import_answers(beer.folder, [file], output=tmp_path / "verdicts", partial=True)
    verdicts = list(read_records(tmp_path / "verdicts/ours-vs-theirs.jsonl", Verdict))
    assert [v.hasty for v in verdicts] == [False] * 4


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
    taken = {"responses": files, "partial": True}
    cli.import_answers(beer.folder, [file], output=tmp_path / "verdicts", **taken)
    beer.ours.write_text(beer.ours.read_text().replace("Yes: ale", "Yes, ale"))
    with pytest.raises(InputError, match="2 of 8 items show other responses"):
        cli.import_answers(beer.folder, [file], output=tmp_path / "verdicts", **taken)


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
    cli.import_answers(beer.folder, [path], output=tmp_path / "verdicts", partial=True)
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
