"""Verdicts that someone else made, as a table or JSON lines: read, or refused by file and line."""

from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.judging.tables import named, read_verdicts

CSV = """\ufeffprompt_id,first,second,choice,annotator,sample,first_chars,second_chars,note
1,a,b,first,ann,0,10,20,"fine, really"
1,b,a,tie,ann,0,20,10,
2,a,b,,ann,1,,,
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_is_read_with_lengths_and_failures(tmp_path: Path) -> None:
    verdicts, chars = read_verdicts(written(tmp_path / "v.csv", CSV))
    assert [(v.prompt_id, v.first, v.choice, v.sample) for v in verdicts] == [
        ("1", "a", "first", 0),
        ("1", "b", "tie", 0),
        ("2", "a", None, 1),
    ]
    assert verdicts[2].error == "no verdict"
    assert verdicts[0].first_response_id == verdicts[1].second_response_id
    assert chars[verdicts[0].first_response_id] == 10


def test_tabs_and_json_lines_say_the_same_as_commas(tmp_path: Path) -> None:
    rows = ["prompt_id\tfirst\tsecond\tchoice", "7\ta\tb\tneither"]
    tabs, _ = read_verdicts(written(tmp_path / "v.tsv", "\n".join(rows)))
    line = '{"prompt_id": 7, "first": "a", "second": "b", "choice": "tie", "extra": [1]}\n\n'
    lines, _ = read_verdicts(written(tmp_path / "v.jsonl", line))
    assert tabs == lines
    assert tabs[0].annotator == "v", "the file's name stands for who judged"


def test_other_names_of_columns_and_choices_are_told_by_options(tmp_path: Path) -> None:
    text = "question_id,model_a,model_b,winner,judge\n81,x,y,model_b,g\n82,x,y,tie (inconsistent),g"
    told = "prompt_id=question_id first=model_a second=model_b choice=winner annotator=judge"
    columns = named(told.split(), "--column")
    words = {"model_a": "first", "model_b": "second", "tie (inconsistent)": "tie"}
    verdicts, _ = read_verdicts(written(tmp_path / "v.csv", text), columns, words)
    assert [(v.choice, v.annotator) for v in verdicts] == [("second", "g"), ("tie", "g")]


def test_a_winner_may_be_named(tmp_path: Path) -> None:
    text = "prompt_id,first,second,winner\n1,x,y,y\n2,y,x,y\n3,x,y,tie\n4,x,y,\n"
    verdicts, _ = read_verdicts(written(tmp_path / "v.csv", text))
    assert [v.choice for v in verdicts] == ["second", "first", "tie", None]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("v.csv", "prompt_id,first,second\n1,a,b\n", r"v.csv:2: no 'choice'; this row has prompt_"),
        ("v.csv", "prompt_id,first,choice\n1,a,tie\n", r"v.csv:2: no 'second'"),
        ("v.csv", "prompt_id,first,second,choice\n1,a,b,A\n", r"v.csv:2: choice 'A' is not first"),
        ("v.csv", "prompt_id,first,second,winner\n1,a,b,c\n", r"v.csv:2: winner 'c' is not 'a'"),
        ("v.csv", "prompt_id,first,second,choice\n1,a,b,tie,9\n", r"v.csv:2: more cells"),
        ("v.csv", "prompt_id,first,second,choice\n1,a,a,tie\n", r"v.csv:2: 'a' is compared with"),
        ("v.csv", "prompt_id,first,second,choice,sample\n1,a,b,tie,x\n", r"v.csv:2: sample: "),
        (
            "v.csv",
            "prompt_id,first,second,choice,first_chars\n1,a,b,tie,-4\n",
            r"v.csv:2: first_chars: '-4' is no length",
        ),
        (
            "v.csv",
            "prompt_id,first,second,choice,first_chars\n1,a,b,tie,4\n1,a,b,tie,5\n",
            r"v.csv:3: first_chars is 5, before it was 4",
        ),
        ("v.csv", "prompt_id,first,second,choice\n", "v.csv: holds no verdicts"),
        ("v.jsonl", '{"prompt_id": "1"}\n', r"v.jsonl:1: no 'choice'"),
        ("v.jsonl", "\n[1]\n", r"v.jsonl:2: not a JSON object"),
        ("v.jsonl", "[" * 100_000, r"v.jsonl:1: not a JSON object"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        read_verdicts(written(tmp_path / name, text))


def test_an_unknown_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"v.csv:2: no 'question'; this row has prompt_id, first"):
        read_verdicts(written(tmp_path / "v.csv", CSV), {"prompt_id": "question"})
    with pytest.raises(InputError, match="--column first: not of the form"):
        named(["first"], "--column")


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_bytes(b"prompt_id,first\n\xff\xfe")
    with pytest.raises(InputError, match=r"v.csv: not UTF-8"):
        read_verdicts(tmp_path / "v.csv")
    with pytest.raises(InputError, match="no such file"):
        read_verdicts(tmp_path / "none.csv")
