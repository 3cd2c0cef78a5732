"""Label Studio's tasks and annotations, as its version 1.23 takes and exports them."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from limaflow.errors import InputError
from limaflow.jsonl import read_records, write_json, write_records
from limaflow.records import Verdict
from limaflow.tools.annotation import cli

ALL = ["first", "second", "neither", "first"]
Export = Callable[..., Path]


def annotation(choice: str | None, user: Any = 7, **changes: Any) -> dict[str, Any]:
    region = {
        "id": "0Im5Yrtro4",
        "from_name": "choice",
        "to_name": "answer_1",
        "type": "choices",
        "value": {"choices": [choice]},
        "origin": "manual",
    }
    made = {"id": 1, "completed_by": user, "was_cancelled": False, "ground_truth": False}
    return {**made, "result": [region] if choice else [], "lead_time": 4.2, **changes}


@pytest.fixture
def exported(beer: Any, tmp_path: Path) -> Export:
    """Write what Label Studio exports of an annotator's tasks, one list of annotations a task."""

    def write(annotations: list[list[dict[str, Any]]], annotator: str = "ann") -> Path:
        cli.label_studio([beer.packet_file(annotator)], output=tmp_path / "studio")
        tasks = json.loads((tmp_path / f"studio/{annotator}.json").read_text())
        path = tmp_path / f"{annotator}.export.json"
        rows = zip(tasks, annotations, strict=False)
        write_json(path, [{"id": 3, "data": t["data"], "annotations": a} for t, a in rows])
        return path

    return write


def test_tasks_show_the_packets_texts_and_nothing_of_the_key(beer: Any, tmp_path: Path) -> None:
    cli.label_studio([beer.packet_file("ann")], output=tmp_path)
    packet = beer.packet("ann")
    tasks = json.loads((tmp_path / "ann.json").read_text())
    shown = [(t["data"]["question"], t["data"]["answer_1"], t["data"]["answer_2"]) for t in tasks]
    assert shown == [(i.question, *i.answers) for i in packet.items]
    assert "ours" not in (tmp_path / "ann.json").read_text()
    assert [t["predictions"] for t in tasks] == [[]] * 4


def test_the_interface_offers_three_choices_on_the_texts(beer: Any, tmp_path: Path) -> None:
    cli.label_studio([beer.packet_file("ann")], output=tmp_path)
    view = ET.fromstring((tmp_path / "labeling.xml").read_text())
    assert [c.get("alias") for c in view.iter("Choice")] == ["first", "second", "neither"]
    assert [t.get("value") for t in view.iter("Text")] == ["$question", "$answer_1", "$answer_2"]
    headers = " ".join(h.get("value", "") for h in view.iter("Header"))
    assert "neither is significantly better than the other" in headers


def test_an_export_is_imported_like_a_pages_file(
    beer: Any, exported: Export, saved: Callable[..., Path], tmp_path: Path
) -> None:
    file = exported([[annotation(choice)] for choice in ALL])
    page = saved(beer.packet("ann"), dict(enumerate(ALL, start=1)))
    for source, folder in ((file, "studio"), (page, "page")):
        cli.import_answers(beer.folder, [source], output=tmp_path / folder, partial=True)
    same = [tmp_path / folder / "ours-vs-theirs.jsonl" for folder in ("studio", "page")]
    assert same[0].read_bytes() == same[1].read_bytes()
    assert len(list(read_records(same[0], Verdict))) == 4


def test_the_time_that_a_task_took_tells_haste(
    beer: Any, exported: Export, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    took = [
        annotation(choice, lead_time=t) for choice, t in zip(ALL, (0.4, 30, None, 3), strict=True)
    ]
    file = exported([[made] for made in took])
    cli.import_answers(beer.folder, [file], output=tmp_path, partial=True)
    assert "warning: ann: hasty: 1 within 2 s of being shown: 1\n" in capsys.readouterr().out


def test_several_packets_may_share_a_project(beer: Any, exported: Export, tmp_path: Path) -> None:
    ann = json.loads(exported([[annotation(c, 7)] for c in ALL]).read_text())
    bob = json.loads(exported([[annotation(c, 8)] for c in ALL], "bob").read_text())
    write_json(tmp_path / "both.json", ann + bob)
    cli.import_answers(
        beer.folder, [tmp_path / "both.json"], output=tmp_path, user=["ann=7", "bob=8"]
    )
    assert len(list(read_records(tmp_path / "ours-vs-theirs.jsonl", Verdict))) == 8
    unnamed = [{**t, "annotations": [annotation("neither", None)]} for t in ann + bob]
    write_json(tmp_path / "both.json", unnamed)
    cli.import_answers(beer.folder, [tmp_path / "both.json"], output=tmp_path)
    write_json(
        tmp_path / "both.json", [{**t, "annotations": [annotation("neither")]} for t in ann + bob]
    )
    with pytest.raises(InputError, match="task 5 of bob is answered by the user who was ann"):
        cli.import_answers(beer.folder, [tmp_path / "both.json"], output=tmp_path)


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ([], "ann has not answered 1 of 4 items: 2"),
        ([annotation(None)], "ann has not answered 1 of 4 items: 2"),
        ([annotation("neither", was_cancelled=True)], "ann has not answered 1 of 4 items: 2"),
        ([annotation("both")], r"task 2 is answered by \['both'\]"),
        ([annotation("neither", 8)], "task 2 is answered by user 8, tasks of ann before it by 7"),
        ([annotation("neither"), annotation("neither")], "item 2 is answered twice"),
        ([annotation("neither"), annotation("first")], "item 2 is answered in two ways"),
    ],
)
def test_what_is_no_whole_answer_is_named(
    beer: Any, exported: Export, second: list[dict[str, Any]], told: str
) -> None:
    file = exported([[annotation("first")], second, *([annotation(c)] for c in ALL[2:])])
    with pytest.raises(InputError, match=rf"ann\.export\.json: {told}"):
        cli.import_answers(beer.folder, [file], output=beer.folder)


def test_a_user_may_be_named_by_number_or_email(beer: Any, exported: Export) -> None:
    person = {"id": 7, "email": "ann@lab.org"}
    file = exported([[annotation(choice, person)] for choice in ALL])
    for user in ("ann=7", "ann=ann@lab.org"):
        cli.import_answers(beer.folder, [file], output=beer.folder, user=[user], partial=True)
    with pytest.raises(InputError, match=r"task 1 is ann's \(9\), answered by ann@lab\.org"):
        cli.import_answers(beer.folder, [file], output=beer.folder, user=["ann=9"])
    with pytest.raises(InputError, match="--user must be like"):
        cli.import_answers(beer.folder, [file], output=beer.folder, user=["ann"])


def test_altered_texts_and_other_peoples_tasks_are_refused(beer: Any, exported: Export) -> None:
    file = exported([[annotation(choice)] for choice in ALL])
    tasks = json.loads(file.read_text())
    tasks[2]["data"]["answer_1"] += "."
    write_json(file, tasks)
    with pytest.raises(InputError, match="item 3 was shown with other texts"):
        cli.import_answers(beer.folder, [file], output=beer.folder)
    write_json(file, [{"data": {"text": "a"}, "annotations": []}])
    with pytest.raises(InputError, match="task 1 is no item of a packet of this key"):
        cli.import_answers(beer.folder, [file], output=beer.folder)
    write_json(file, [])
    with pytest.raises(InputError, match="holds no tasks"):
        cli.import_answers(beer.folder, [file], output=beer.folder)


def test_verdicts_may_be_looked_at_as_predictions(beer: Any, tmp_path: Path) -> None:
    keyed = beer.key.packets[0].items[0]
    verdicts = [
        Verdict(
            prompt_id=keyed.prompt_id,
            sample=0,
            annotator="gpt-4",
            first=one,
            second=other,
            first_response_id="",
            second_response_id="",
            choice="first",
        )
        for one, other in (keyed.models, keyed.models[::-1])
    ]
    write_records(tmp_path / "gpt-4.jsonl", verdicts)
    cli.label_studio(
        [beer.packet_file("ann")],
        output=tmp_path,
        key=beer.folder,
        verdicts=[tmp_path / "gpt-4.jsonl"],
    )
    first, *rest = json.loads((tmp_path / "ann.json").read_text())
    shown = [(p["model_version"], p["result"][0]["value"]) for p in first["predictions"]]
    assert shown == [
        ("gpt-4, this order", {"choices": ["first"]}),
        ("gpt-4, the other order", {"choices": ["second"]}),
    ]
    assert [task["predictions"] for task in rest] == [[]] * 3
