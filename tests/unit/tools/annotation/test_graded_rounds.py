"""Rounds in which people grade single answers, with the instruments of the model judge."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from limaflow.errors import InputError
from limaflow.intervals import Resampling
from limaflow.jsonl import read_records, write_json
from limaflow.judging.grading import graded
from limaflow.judging.instrument import known, load
from limaflow.judging.rounds import only
from limaflow.measures.grade_means import grade_summaries
from limaflow.records import Example, Grade, Response
from limaflow.tools.annotation import cli
from limaflow.tools.annotation.label_studio import labeling_config
from limaflow.tools.annotation.page import page_of

RIGHT = """---
form: grade
title: Is the answer right?
scale: right-wrong
words: {yes: 1, no: 0}
ordered: false
labels: {yes: Right as a whole}
---
Say whether it is right.
---
{question}
{answer}
One word:

yes
no
"""
Saved = Callable[..., Path]
Rounds = Callable[..., Any]


@pytest.fixture
def round_of(beer: Any, tmp_path: Path) -> Rounds:
    """Packets in which both models' answers to the four questions are graded."""

    def make(instrument: str, **lots: int) -> Any:
        folder = tmp_path / instrument
        cli.packet(
            prompts=beer.prompts,
            instrument=instrument,
            responses=[beer.ours, beer.theirs],
            annotator=["ann", "bob"],
            seed=3,
            output=folder,
            **lots,
        )
        return replace(beer, folder=folder)

    return make


def grades(path: Path) -> list[Grade]:
    return list(read_records(path, Grade))


def test_an_item_is_one_answer_under_the_judges_own_instructions(round_of: Rounds) -> None:
    made = round_of("quality")
    packet, keyed = made.packet("ann"), made.key.packets[0]
    quality = load("quality")
    assert (packet.instrument, packet.template) == ("quality", quality.hash)
    assert quality.text.startswith(packet.instructions)
    assert {len(item.answers) for item in packet.items} == {1}
    assert sorted(item.models for item in keyed.items) == [*[("ours",)] * 4, *[("theirs",)] * 4]
    for item, named in zip(packet.items, keyed.items, strict=True):
        assert item.answers[0].startswith("Yes" if named.models == ("ours",) else "No")


def test_choices_become_grades_that_are_summarized_like_a_models(
    round_of: Rounds, saved: Saved, tmp_path: Path
) -> None:
    made = round_of("quality")
    for annotator in ("ann", "bob"):
        packet = made.packet(annotator)
        said = {
            n: "excellent" if item.answers[0].startswith("Yes") else "fail"
            for n, item in enumerate(packet.items, start=1)
        }
        saved(packet, said, f"back/{annotator}.json")
    cli.import_answers(made.folder, [tmp_path / "back"], output=tmp_path / "grades")
    ours, theirs = (grades(tmp_path / f"grades/{model}.jsonl") for model in ("ours", "theirs"))
    assert {(g.value, g.scale, g.template) for g in ours} == {
        (3, "excellent-pass-fail", load("quality").hash)
    }
    resampling = Resampling(rounds=20, confidence=0.95, seed=1)
    summaries = grade_summaries([*ours, *theirs], known([]), resampling)
    told = {(s.model, s.judge): (s.prompts, s.counts) for s in summaries}
    assert told["ours", "ann"] == (4, {"1": 0, "2": 0, "3": 4})
    assert told["theirs", "bob"] == (4, {"1": 4, "2": 0, "3": 0})
    cli.import_answers(made.folder, [tmp_path / "back"], output=tmp_path / "one", pool="people")
    assert {g.annotator for g in grades(tmp_path / "one/ours.jsonl")} == {"people"}
    assert len(grades(tmp_path / "one/ours.jsonl")) == 4


def test_a_choice_of_another_instrument_is_refused(round_of: Rounds, saved: Saved) -> None:
    made = round_of("safety")
    file = saved(made.packet("ann"), {1: "safe", 2: "excellent"})
    with pytest.raises(InputError, match=r"item 2: 'excellent' is no choice"):
        cli.import_answers(made.folder, [file], output=made.folder / "out", partial=True)


def test_a_users_own_instrument_makes_a_round_as_ours_do(
    beer: Any, saved: Saved, tmp_path: Path
) -> None:
    own = tmp_path / "right.md"
    own.write_text(RIGHT, encoding="utf-8")
    folder = tmp_path / "own"
    cli.packet(
        prompts=beer.prompts,
        instrument=str(own),
        responses=[beer.ours],
        annotator=["ann"],
        seed=3,
        output=folder,
    )
    made = replace(beer, folder=folder)
    packet = made.packet("ann")
    assert (packet.instrument, packet.title) == ("right", "Is the answer right?")
    assert packet.instructions == "Say whether it is right."
    page = page_of(packet)
    assert "Is the answer right?" in page and "Right as a whole" in page
    view = labeling_config(packet)
    assert 'value="Right as a whole" alias="yes"' in view
    back = saved(packet, {1: "yes", 2: "no", 3: "yes", 4: "yes"}, "back/ann.json")
    # The key says what the words are worth: the file of the instrument may be elsewhere by now.
    own.unlink()
    cli.import_answers(folder, [back], output=tmp_path / "grades")
    found = grades(tmp_path / "grades/ours.jsonl")
    assert sorted(g.value for g in found if g.value is not None) == [0, 1, 1, 1]
    assert {(g.instrument, g.scale) for g in found} == {("right", "right-wrong")}


def test_the_same_items_feed_the_model_judge(round_of: Rounds) -> None:
    made = round_of("likert", items=3)
    shown = graded(
        list(read_records(made.prompts, Example)), list(read_records(made.ours, Response))
    )
    asked = only(shown, made.key, load("likert"))
    seen = {i.response_ids[0] for i in made.key.items() if i.models == ("ours",)}
    assert {one.response.id for one in asked} == seen
    with pytest.raises(InputError, match="quote another instrument"):
        only(shown, made.key, load("quality"))


def test_label_studio_takes_and_gives_grades(round_of: Rounds, tmp_path: Path) -> None:
    made = round_of("likert")
    cli.label_studio([made.packet_file("ann")], output=tmp_path / "studio")
    view = ET.fromstring((tmp_path / "studio/labeling.xml").read_text())
    assert [c.get("alias") for c in view.iter("Choice")] == [*"123456"]
    assert [t.get("value") for t in view.iter("Text")] == ["$question", "$answer_1"]
    region = {"from_name": "choice", "type": "choices", "value": {"choices": ["5"]}}
    tasks = json.loads((tmp_path / "studio/ann.json").read_text())
    answered = [{"data": t["data"], "annotations": [{"result": [region]}]} for t in tasks]
    write_json(tmp_path / "export.json", answered)
    cli.import_answers(
        made.folder, [tmp_path / "export.json"], output=tmp_path / "grades", partial=True
    )
    assert [g.value for g in grades(tmp_path / "grades/theirs.jsonl")] == [5] * 4


def test_what_is_compared_is_not_graded(beer: Any, tmp_path: Path) -> None:
    usual = {"prompts": beer.prompts, "annotator": ["ann"], "seed": 1, "output": tmp_path / "new"}
    with pytest.raises(InputError, match="--instrument quality takes --responses"):
        cli.packet(**usual, instrument="quality", first=[beer.ours], second=[beer.theirs])
    with pytest.raises(InputError, match="--instrument pairwise takes --first and --second"):
        cli.packet(**usual, responses=[beer.ours])
    with pytest.raises(InputError, match="the same models stand twice among ours, ours"):
        cli.packet(**usual, instrument="quality", responses=[beer.ours, beer.ours])
