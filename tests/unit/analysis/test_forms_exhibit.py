"""Shares of kept forms as a figure and a table, and numbers by label as a table."""

import csv
from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree

from limaflow.analysis.exhibit import Options, write_figure, write_table
from limaflow.analysis.exhibits.catalogue import FIGURES, TABLES
from limaflow.format_checks.summary import FormatDifference, Formats, FormatShare
from limaflow.intervals import Interval
from limaflow.jsonl import write_json
from limaflow.measures.by_tag import TaggedNumber


def formats() -> Formats:
    shares = [
        FormatShare(
            model=arm,
            level=level,
            reading=reading,
            rule=rule,
            prompts=100,
            checks=150,
            unchecked=2,
            share=Interval(share, share - 0.1, share + 0.1),
        )
        for arm, share in (("lima", 0.6), ("994", 0.3))
        for level, rule in (("prompts", ""), ("forms", ""), ("forms", "one_word"))
        for reading in ("strict", "loose")
    ]
    apart = FormatDifference(
        first="lima",
        second="994",
        level="prompts",
        reading="strict",
        prompts=100,
        difference=Interval(0.3, 0.2, 0.4),
    )
    return Formats(shares=shares, differences=[apart])


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_forms_are_drawn_by_arm_and_listed_by_rule_with_the_differences(tmp_path: Path) -> None:
    write_json(tmp_path / "formats.json", formats())
    files = {"formats": [tmp_path / "formats.json"]}
    figure = tmp_path / "forms.svg"
    write_figure(FIGURES["forms"], files, Options(), figure, miniature=True)
    text = figure.read_text(encoding="utf-8")
    ElementTree.fromstring(text)
    assert all(word in text for word in ("lima", "994", "strict", "loose", "miniature"))
    assert len(table(figure.with_suffix(".csv"))) == 8
    write_table(TABLES["forms"], files, Options(), tmp_path / "forms.csv")
    rows = table(tmp_path / "forms.csv")
    assert len(rows) == 13
    assert [(r["arm"], r["minus"], r["share"]) for r in rows if r["minus"]] == [
        ("lima", "994", "0.3")
    ]
    assert {r["not_checked"] for r in rows if not r["minus"]} == {"2"}


def test_numbers_by_label_can_be_filtered_by_tag_and_label(tmp_path: Path) -> None:
    graded = TaggedNumber(
        label="sensitive: malicious",
        arm="lima",
        judge="j",
        instrument="likert",
        prompts=30,
        judged=29,
        number=Interval(3, 2, 4),
    )
    write_json(tmp_path / "by_tag.json", [asdict(graded)])
    files = {"by_tag": [tmp_path / "by_tag.json"]}
    write_table(TABLES["by_tag"], files, Options(), tmp_path / "by_tag.csv")
    (row,) = table(tmp_path / "by_tag.csv")
    assert (row["tag"], row["label"], row["number_is"]) == ("sensitive", "malicious", "mean grade")
    assert (row["judged"], row["number_low"]) == ("29", "2.0")
