"""wikiHow's CSV: columns by header, steps put together, broken files named."""

from collections import Counter
from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.records import Candidate
from limaflow.sources.kinds.wikihow import Columns, WikihowOptions, address, joined_steps, read
from limaflow.sources.shard import Shard


def candidates(folder: Path, rows: str, **columns: str | None) -> list[Candidate]:
    path = folder / "wikihowAll.csv"
    path.write_text(rows, encoding="utf-8-sig", newline="")
    shard = Shard(
        kind="wikihow",
        source="wh",
        name="all",
        files=(path,),
        scratch=folder,
        options=WikihowOptions(licence="CC BY-NC-SA", columns=Columns.model_validate(columns)),
    )
    return list(read(shard, Counter()))


def test_columns_go_by_their_header_and_a_category_is_the_stratum(tmp_path: Path) -> None:
    rows = "text,headline,category,title\nStir.,Stir,Food,How to Stir\n"
    [candidate] = candidates(tmp_path, rows)
    assert (candidate.title, candidate.response, candidate.stratum) == (
        "How to Stir",
        "Stir.",
        "Food",
    )


def test_without_a_category_the_shard_is_the_stratum(tmp_path: Path) -> None:
    [candidate] = candidates(tmp_path, "headline,title,text\nA,How to A,Do a.\n")
    assert candidate.stratum == "all"


def test_columns_of_another_file_are_named_in_the_configuration(tmp_path: Path) -> None:
    rows = "Question,Answer,Topic\nHow to Stir,Take a spoon. Stir.,Food\n"
    named = {"title": "question", "text": "Answer", "headline": None, "category": "topic"}
    [candidate] = candidates(tmp_path, rows, **named)
    assert (candidate.title, candidate.response, candidate.stratum) == (
        "How to Stir",
        "Take a spoon. Stir.",
        "Food",
    )


def test_a_column_that_is_named_must_be_there_and_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lacks the columns topic; has headline, title, text"):
        candidates(tmp_path, "headline,title,text\n", category="topic")
    with pytest.raises(InputError, match="has the column text twice"):
        candidates(tmp_path, "headline,title,text,Text\n")


@pytest.mark.parametrize("header", ['","text",title,text\n"', '"headline"x,title,text\n', '"title'])
def test_a_broken_header_is_one_clear_error(tmp_path: Path, header: str) -> None:
    with pytest.raises(InputError, match=r"wikihowAll\.csv:1: (broken CSV|lacks)"):
        candidates(tmp_path, header)


def test_the_other_layout_is_refused_with_the_columns_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lacks the columns headline"):
        candidates(tmp_path, "overview,text,sectionLabel,title\na,b,c,d\n")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ('a,"b"c,d\n', ":2: broken CSV"),
        ('a,b,c\na,"b,d\ne,f,g\n', ":3: broken CSV"),
        ("a,b\n", ":2: 2 fields under 3 columns"),
    ],
)
def test_broken_rows_are_named_by_line(tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        candidates(tmp_path, "headline,title,text\n" + rows)


def test_bold_lines_and_explanations_that_match_become_numbered_steps() -> None:
    headline = "\nClear the desk.,\nSort the paints.,\nLabel the boxes."
    text = "Start with paper.;\n, Use one shelf.\n\n, Write large."
    assert joined_steps(headline, text) == (
        "1. Clear the desk. Start with paper.\n\n"
        "2. Sort the paints. Use one shelf.\n\n"
        "3. Label the boxes. Write large."
    )


def test_where_they_do_not_match_the_text_stands_alone() -> None:
    assert joined_steps("One.,\nTwo.,\nThree.", "First.;\n, Second.") == "First.\n\nSecond."


def test_an_article_is_attributed_to_its_address() -> None:
    assert address("How to Clean a Pan, Well?2") == "https://www.wikihow.com/Clean-a-Pan%2C-Well%3F"


def test_text_that_is_not_utf8_is_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "wikihowAll.csv"
    path.write_bytes(b"headline,title,text\n" + b"a,b,c\n" * 9000 + b"a,\xff,c\n")
    shard = Shard(
        kind="wikihow",
        source="wh",
        name="all",
        files=(path,),
        scratch=tmp_path,
        options=WikihowOptions(),
    )
    with pytest.raises(InputError, match=r"All\.csv:[78]\d{3}: not UTF-8"):
        list(read(shard, Counter()))
