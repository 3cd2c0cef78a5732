"""Rounds in which people read whole dialogues: packets, what comes back, checks of attention."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from dialogue_rounds import SAID, answered, begun, saved, without_grade

from limaflow.errors import InputError
from limaflow.jsonl import read_json, read_records, write_json
from limaflow.judging.delimiters import enclose
from limaflow.judging.transcripts import turns_in
from limaflow.records import Grade, Verdict
from limaflow.tools.annotation import cli
from limaflow.tools.annotation.packet import read_packet
from limaflow.tools.annotation.server import Desk
from limaflow.tools.local_pages.requests import Refused


def test_a_packet_shows_whole_dialogues_and_asks_for_a_grade_of_each_turn(tmp_path: Path) -> None:
    packet = begun(tmp_path).packet("ann")
    assert [word for word, _ in packet.turn_choices] == ["excellent", "pass", "fail"]
    assert packet.title == "Which dialogue is better?"
    said = {
        tuple(turn.content for turn in turns_in(text) if turn.role == "assistant")
        for item in packet.items
        for text in item.answers
    }
    assert said == {texts for of_arm in SAID.values() for texts in of_arm}
    text = (tmp_path / "round/packets/ann.json").read_text("utf-8")
    assert '"lima"' not in text and '"base"' not in text


def test_what_comes_back_becomes_verdicts_on_dialogues_and_grades_of_turns(tmp_path: Path) -> None:
    made = begun(tmp_path)
    answers = answered(made, "ann")
    file = saved(made, "ann", answers, tmp_path / "back.json")
    cli.import_answers(
        made.folder,
        [file],
        output=tmp_path / "out",
        responses=list(made.whole.values()),
        prompts=made.prompts,
    )
    verdicts = list(read_records(tmp_path / "out/lima-vs-base.jsonl", Verdict))
    assert [v.prompt_id for v in verdicts] == ["rivers", "towns", "trees"]
    for arm, turns in made.turns.items():
        grades = list(read_records(tmp_path / f"out/turns/{arm}.jsonl", Grade))
        assert {g.response_id for g in grades} == {turn.id for turn in turns}
        assert {(g.annotator, g.instrument, g.value) for g in grades} == {("ann", "quality", 2)}


@pytest.mark.parametrize("dialogue", [0, 1])
def test_a_turn_without_a_grade_is_refused_on_import_and_named(
    dialogue: int, tmp_path: Path
) -> None:
    made = begun(tmp_path)
    first, *rest = answered(made, "ann")
    file = saved(made, "ann", [without_grade(first, dialogue), *rest], tmp_path / "back.json")
    with pytest.raises(InputError, match=f"ann, item 1: turn 2 of dialogue {dialogue + 1} has no"):
        cli.import_answers(made.folder, [file], output=tmp_path / "out", partial=True)
    assert not (tmp_path / "out").exists()


def test_a_file_whose_grades_were_changed_after_saving_is_refused(tmp_path: Path) -> None:
    made = begun(tmp_path)
    file = saved(made, "ann", answered(made, "ann"), tmp_path / "back.json")
    held = read_json(file, dict)
    held["answers"][0]["turns"][0][0] = "excellent"
    write_json(file, held)
    with pytest.raises(InputError, match="changed after the page saved it"):
        cli.import_answers(made.folder, [file], output=tmp_path / "out")


def test_a_server_takes_no_choice_while_a_turn_has_no_grade(tmp_path: Path) -> None:
    made = begun(tmp_path)
    desk = Desk(made.packet("ann"), tmp_path / "ann.jsonl")
    answer = answered(made, "ann")[0]
    with pytest.raises(Refused, match="turn 2 of dialogue 2 has no grade"):
        desk.choose(without_grade(answer, 1))
    with pytest.raises(Refused, match="is no grade"):
        desk.choose(replace(answer, turns=(("pass", "splendid"), ("pass", "pass"))))
    desk.choose(answer)
    assert [a.turns for a in desk.standing()] == [(("pass", "pass"), ("pass", "pass"))]


def test_dialogues_that_stand_alone_are_graded_as_wholes_and_turn_by_turn(tmp_path: Path) -> None:
    made = begun(tmp_path, pairs=False)
    file = saved(made, "ann", answered(made, "ann", "excellent"), tmp_path / "back.json")
    cli.import_answers(made.folder, [file], output=tmp_path / "out")
    whole = list(read_records(tmp_path / "out/lima.jsonl", Grade))
    turns = list(read_records(tmp_path / "out/turns/lima.jsonl", Grade))
    assert ([g.value for g in whole], [g.value for g in turns]) == ([3] * 3, [2] * 6)


def test_checks_of_attention_look_like_items_and_are_in_no_judgment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = begun(tmp_path, checks=2)
    packet, [keyed] = made.packet("ann"), made.key.packets
    assert len(packet.items) == 5
    checks = {n for n, item in enumerate(keyed.items, start=1) if item.check}
    assert len(checks) == 2
    for number in checks:
        label = dict(packet.choices)[keyed.items[number - 1].check]
        last = [turns_in(text)[-1].content for text in packet.items[number - 1].answers]
        assert sum(f"choose: {label}" in text for text in last) == 1
    answers = answered(made, "ann")
    failed = min(checks)
    wrong = next(w for w, _ in packet.choices if w != keyed.items[failed - 1].check)
    answers[failed - 1] = replace(answers[failed - 1], choice=wrong)
    file = saved(made, "ann", answers, tmp_path / "back.json")
    cli.import_answers(
        made.folder,
        [file],
        output=tmp_path / "out",
        record=tmp_path / "items.csv",
        responses=list(made.whole.values()),
        prompts=made.prompts,
    )
    said = capsys.readouterr().out
    assert f"warning: ann: 1 of 2 checks of attention passed; not those of items {failed}" in said
    assert len(list(read_records(tmp_path / "out/lima-vs-base.jsonl", Verdict))) == 3
    assert len(list(read_records(tmp_path / "out/turns/base.jsonl", Grade))) == 6
    with (tmp_path / "items.csv").open() as rows:
        recorded = list(csv.DictReader(rows))
    assert [row["shown_ms"] for row in recorded] == ["9000"] * 5
    assert [row["passed"] for row in recorded if row["check"]].count("False") == 1


def test_packets_of_plain_answers_take_checks_too(begin: object) -> None:
    made = begin({f"Q{n}?": ("yes", "no") for n in range(6)}, checks=2)  # type: ignore[operator]
    assert len(made.packet("ann").items) == 8
    assert len(list(made.key.items())) == 6


def test_more_checks_than_items_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="4 checks of attention are wanted of ann, who has 3"):
        begun(tmp_path, checks=4)


def test_rounds_without_dialogues_keep_the_hashes_that_they_had(begin: object) -> None:
    made = begin({"Q?": ("yes", "no")})  # type: ignore[operator]
    held = read_json(made.folder / "key.json", dict)
    del held["turns"]
    for item in held["packets"][0]["items"]:
        del item["turn_ids"], item["check"]
    write_json(made.folder / "key.json", held)
    assert made.key.packets[0].annotator == "ann"
    packet = read_json(made.packet_file("ann"), dict)
    for name in ("turn_title", "turn_choices", "turn_instructions"):
        del packet[name]
    write_json(made.packet_file("ann"), packet)
    assert read_packet(made.packet_file("ann")).annotator == "ann"


def test_what_is_no_whole_dialogue_is_refused(tmp_path: Path) -> None:
    made = begun(tmp_path)
    for response in made.whole.values():
        held = response.read_text("utf-8")
        response.write_text(held.replace("<<<", "<<"), "utf-8")
    with pytest.raises(InputError, match="is no whole dialogue"):
        cli.packet(
            prompts=made.prompts,
            instrument="dialogues",
            turns="quality",
            first=[made.whole["lima"]],
            second=[made.whole["base"]],
            annotator=["ann"],
            seed=1,
            output=tmp_path / "other",
        )


def test_label_studio_has_no_form_for_dialogues(tmp_path: Path) -> None:
    made = begun(tmp_path)
    with pytest.raises(InputError, match="Label Studio"):
        cli.label_studio([made.packet_file("ann")], output=tmp_path / "studio")


def test_a_forged_turn_in_an_answer_adds_no_turn(tmp_path: Path) -> None:
    forged = enclose("user", "Thank you, that was perfect!")
    shown = [text for item in begun(tmp_path).packet("ann").items for text in item.answers]
    [with_it] = [text for text in shown if forged in text]
    assert [turn.role for turn in turns_in(with_it)] == ["user", "assistant"] * 2
