"""Verdicts that someone else made, as a table or JSON lines: read, or refused by file and line."""

import json
import shlex
from collections import defaultdict
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from limaflow.errors import InputError
from limaflow.records import Response, Verdict
from limaflow.verdict_import.checks import checked, numbered_readings
from limaflow.verdict_import.column_mapping import Layout, layout_of
from limaflow.verdict_import.tables import read_verdicts

CSV = """\ufeffprompt_id,first,second,choice,annotator,sample,first_chars,second_chars,note
1,a,b,first,ann,0,10,20,"fine, really"
1,b,a,tie,ann,0,20,10,
2,a,b,,ann,1,,,
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_is_read_with_lengths_and_failures(tmp_path: Path) -> None:
    verdicts = read_verdicts(written(tmp_path / "v.csv", CSV))
    assert [(v.prompt_id, v.first, v.choice, v.sample) for v in verdicts] == [
        ("1", "a", "first", 0),
        ("1", "b", "tie", 0),
        ("2", "a", None, 1),
    ]
    assert verdicts[2].error == "no verdict"
    assert verdicts[0].first_response_id == verdicts[1].second_response_id
    assert [(v.first_chars, v.second_chars) for v in verdicts] == [(10, 20), (20, 10), (None, None)]


def test_tabs_and_json_lines_say_the_same_as_commas(tmp_path: Path) -> None:
    rows = ["prompt_id\tfirst\tsecond\tchoice", "7\ta\tb\tneither"]
    tabs = read_verdicts(written(tmp_path / "v.tsv", "\n".join(rows)))
    line = '{"prompt_id": 7, "first": "a", "second": "b", "choice": "tie", "extra": [1]}\n\n'
    lines = read_verdicts(written(tmp_path / "v.jsonl", line))
    assert tabs == lines
    assert tabs[0].annotator == "v", "the file's name stands for who judged"


def test_parquet_says_the_same_as_json(tmp_path: Path) -> None:
    rows = [
        {"prompt_id": n, "first": "x", "second": "y", "games": [{"score": choice}], "at": None}
        for n, choice in enumerate(["first", "tie", None])
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "v.parquet")
    layout = layout_of(["choice=games.0.score"], None, None)
    ours = read_verdicts(tmp_path / "v.parquet", layout)
    theirs = read_verdicts(written(tmp_path / "v.json", json.dumps(rows)), layout)
    assert ours == theirs
    for broken in ("PAR1", "PAR1" * 50):
        with pytest.raises(InputError, match=r"v.parquet: not a Parquet file"):
            read_verdicts(written(tmp_path / "v.parquet", broken))


def test_other_names_of_columns_and_choices_are_told_by_options(tmp_path: Path) -> None:
    text = "question_id,model_a,model_b,winner,judge\n81,x,y,model_b,g\n82,x,y,tie (inconsistent),g"
    told = "prompt_id=question_id first=model_a second=model_b choice=winner annotator=judge"
    words = ["model_a=first", "model_b=second", "tie (inconsistent)=tie"]
    layout = layout_of(told.split(), None, words)
    verdicts = read_verdicts(written(tmp_path / "v.csv", text), layout)
    assert [(v.choice, v.annotator) for v in verdicts] == [("second", "g"), ("tie", "g")]


def test_a_column_that_is_named_is_meant_whatever_the_files_own_is(tmp_path: Path) -> None:
    text = "prompt_id,first,second,choice,won\n1,x,y,greedy,y\n"
    layout = layout_of(["winner=won"], None, None)
    verdicts = read_verdicts(written(tmp_path / "v.csv", text), layout)
    assert verdicts[0].choice == "second"


def test_rows_without_ids_are_each_of_a_prompt_of_their_own(tmp_path: Path) -> None:
    path = written(tmp_path / "v.csv", "left,right,winner\nx,y,left\nx,y,left\n")
    layout = layout_of(["prompt_id=#", "first=left", "second=right"], None, ["left=first"])
    assert [v.prompt_id for v in read_verdicts(path, layout)] == ["2", "3"]


def test_a_winner_may_be_named(tmp_path: Path) -> None:
    text = "prompt_id,first,second,winner\n1,x,y,y\n2,y,x,y\n3,x,y,tie\n4,x,y,\n"
    verdicts = read_verdicts(written(tmp_path / "v.csv", text))
    assert [v.choice for v in verdicts] == ["second", "first", "tie", None]


def read(path: Path, rows: object, told: str) -> list[Verdict]:
    """The verdicts of these rows as one JSON array, by options as a shell would part them."""
    given: dict[str, list[str]] = defaultdict(list)
    for option in shlex.split(told):
        flag, _, value = option.partition("=")
        given[flag].append(value)
    layout = layout_of(given["--column"], given["--value"], given["--word"])
    return read_verdicts(written(path, json.dumps(rows, indent=1)), layout)


def test_mt_bench_judge_holds_both_orders_in_a_row(tmp_path: Path) -> None:
    """FastChat's gpt-4_pair.jsonl: g2 is with the two swapped, its winner named as in g1."""
    games = [("model_1", "model_1"), ("model_2", "tie"), ("error", "model_2")]
    rows = [
        {"question_id": n, "model_1": "x", "model_2": "y", "g1_winner": one, "g2_winner": other}
        | {"judge": ["gpt-4", "pair-v2"], "turn": 1}
        for n, (one, other) in enumerate(games)
    ]
    made = read(
        tmp_path / "pair.json",
        rows,
        "--column=prompt_id=question_id --column=first=model_1 --column=second=model_2 "
        "--column=annotator=judge.0 --column=sample=turn --column=winner=g1_winner "
        "--column=winner_swapped=g2_winner "
        "--word=model_1=first --word=model_2=second --word=error=",
    )
    assert [(v.first, v.choice) for v in made] == [
        *(("x", "first"), ("y", "second")),
        *(("x", "second"), ("y", "tie")),
        *(("x", None), ("y", "first")),
    ]
    assert made[0].first_response_id == made[1].second_response_id
    assert {(v.annotator, v.sample) for v in made} == {("gpt-4", 1)}


def test_arena_hard_says_by_place_who_won_each_game(tmp_path: Path) -> None:
    rows = [{"uid": "q", "model": "m", "games": [{"score": "A=B"}, {"score": "A>>B"}]}]
    made = read(
        tmp_path / "hard.json",
        rows,
        "--column=prompt_id=uid --value=first=base --column=second=model --value=annotator=j "
        "--column=choice=games.0.score --column=choice_swapped=games.1.score "
        "'--word=A>>B=first' --word=A=B=tie",
    )
    assert [(v.first, v.second, v.choice) for v in made] == [
        ("base", "m", "tie"),
        ("m", "base", "first"),
    ]


def test_alpaca_eval_says_one_or_two_and_holds_the_answers(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Do", "output_1": "four", "generator_1": "d", "output_2": "éé"}
        | {"generator_2": "g", "annotator": "a", "preference": preference}
        for preference in (1.0, 2, None)
    ]
    told = (
        "--column=prompt_id=instruction --column=first=generator_1 --column=second=generator_2 "
        "--column=choice=preference --word=1=first --word=2=second"
    )
    made = [read(tmp_path / f"{n}.json", [row], told)[0] for n, row in enumerate(rows)]
    assert [v.choice for v in made] == ["first", "second", None]
    told = f"{told} --column=first_text=output_1 --column=second_text=output_2"
    layout = layout_of([option[9:] for option in told.split() if "column" in option], None, None)
    (measured,) = read_verdicts(tmp_path / "2.json", layout)
    assert (measured.first_chars, measured.second_chars) == (4, 2)


def test_a_number_is_a_choice_by_its_side_of_a_bound(tmp_path: Path) -> None:
    """AlpacaEval's weighted preferences, as its discrete win rate counts them."""
    rows = [
        {"prompt_id": n, "first": "d", "second": "g", "choice": preference}
        for n, preference in enumerate((1.0004, 1.5, 1.93, 2.0, "n/a"))
    ]
    told = "--word=<1.5=first --word=>1.5=second --word=1.5=tie --word=n/a="
    made = read(tmp_path / "v.json", rows, told)
    assert [v.choice for v in made] == ["first", "tie", "second", "second", None]


def test_a_number_on_a_scale_is_a_choice_and_a_share_of_the_first(tmp_path: Path) -> None:
    rows = [
        {"prompt_id": n, "first": "d", "second": "g", "choice": preference}
        for n, preference in enumerate((1.0, 1.25, "1.5", 2, 0))
    ]
    made = read(tmp_path / "v.json", rows, "--word=1..2=first..second --word=0=")
    assert [(v.choice, v.first_share) for v in made] == [
        *(("first", 1.0), ("first", 0.75), ("tie", 0.5), ("second", 0.0), (None, None))
    ]
    mirrored = read(tmp_path / "v.json", rows, "--word=1..2=second..first --word=0=tie")
    assert [v.first_share for v in mirrored] == [0.0, 0.25, 0.5, 1.0, None]
    with pytest.raises(InputError, match=r"v.json:5: choice '0' is not first"):
        read(tmp_path / "v.json", rows, "--word=1..2=first..second")
    for wrong in ("1..2=first..tie", "1..1=first..second", "a..b=first..second"):
        with pytest.raises(InputError, match="not a scale"):
            layout_of(None, None, [wrong])


def test_a_share_in_the_other_order_is_by_place_or_by_winner(tmp_path: Path) -> None:
    row = {"prompt_id": 1, "first": "x", "second": "y"}
    told = "--word=0..10=second..first"
    for key, swapped in (("choice", 0.2), ("winner", 0.8)):
        rows = [{**row, key: 7, f"{key}_swapped": 2}]
        made = read(tmp_path / "v.json", rows, told)
        assert [(v.first, v.first_share) for v in made] == [("x", 0.7), ("y", swapped)]


def test_the_arenas_kaggle_tables_hold_a_one_where_the_winner_is(tmp_path: Path) -> None:
    head = "id,model_a,model_b,response_a,response_b,winner_model_a,winner_model_b,winner_tie\n"
    told = (
        "--column=prompt_id=id --column=first=model_a --column=second=model_b "
        "--column=first_won=winner_model_a --column=second_won=winner_model_b "
        "--column=tied=winner_tie"
    )
    layout = layout_of([option[9:] for option in told.split()], None, None)
    rows = ["1,x,y,r,s,1,0,0", "2,x,y,r,s,0,1,0", "3,x,y,r,s,0,0,1", "4,x,y,r,s,,,"]
    path = written(tmp_path / "train.csv", head + "\n".join(rows))
    assert [v.choice for v in read_verdicts(path, layout)] == ["first", "second", "tie", None]
    for cells in ("1,1,0", "0,0,0", "0.7,0.3,0", "1,,"):
        written(path, f"{head}1,x,y,r,s,{cells}\n")
        with pytest.raises(InputError, match=r"train.csv:2: one of .* must be 1 and the others 0"):
            read_verdicts(path, layout)
    spoken = [{"id": 1, "model_a": "x", "model_b": "y", "winner_model_a": False}]
    spoken[0] |= {"winner_model_b": True, "winner_tie": False}
    assert read(tmp_path / "v.json", spoken, told)[0].choice == "second"


def test_an_arena_battle_names_the_side_that_won(tmp_path: Path) -> None:
    """lmsys/chatbot_arena_conversations and its successors."""
    rows = [
        {"question_id": n, "model_a": "x", "model_b": "y", "winner": winner, "judge": "u1"}
        for n, winner in enumerate(("model_a", "model_b", "tie", "tie (bothbad)"))
    ]
    made = read(
        tmp_path / "battles.json",
        rows,
        "--column=prompt_id=question_id --column=first=model_a --column=second=model_b "
        "--word=model_a=first --word=model_b=second '--word=tie (bothbad)=tie'",
    )
    assert [v.choice for v in made] == ["first", "second", "tie", "tie"]


def test_pandalm_has_a_column_for_each_annotator(tmp_path: Path) -> None:
    rows = [{"idx": 3, "annotator1": 0, "annotator2": 2}]
    made = read(
        tmp_path / "v.json",
        rows,
        "--column=prompt_id=idx --value=first=response1 --value=second=response2 "
        "--column=choice=annotator1 --column=choice=annotator2 "
        "--word=0=tie --word=1=first --word=2=second",
    )
    assert [(v.annotator, v.choice) for v in made] == [
        ("annotator1", "tie"),
        ("annotator2", "second"),
    ]


def test_two_scores_say_who_is_better(tmp_path: Path) -> None:
    """Vicuna's reviews, FastChat's lists, and the two orders of Cherry LLM in one row."""
    row = {"prompt_id": 1, "first": "x", "second": "y"}
    pairs = ["8.0 9.0", "9, 8\nBoth answers …", [7, 7.0], "-1 -1", [8, None], None]
    pairs.append("[8.0, 9.0]")
    rows = [{**row, "prompt_id": n, "review": pair} for n, pair in enumerate(pairs)]
    told = "--column=scores=review '--word=-1 -1='"
    made = read(tmp_path / "v.json", [*rows[:4], *rows[5:]], told)
    assert [v.choice for v in made] == ["second", "first", "tie", None, None, "second"]
    for wrong in (rows[4], {**row, "review": "good"}, {**row, "review": "1 2 3"}):
        with pytest.raises(InputError, match=r"v.json:1: scores '.*': not two numbers"):
            read(tmp_path / "v.json", [wrong], told)
    swapped = [{**row, "scores": "8 5", "scores_swapped": "6 9"}]
    made = read(tmp_path / "v.json", swapped, "")
    assert [(v.first, v.choice) for v in made] == [("x", "first"), ("y", "second")]
    apart = written(tmp_path / "v.csv", "prompt_id,first,second,a,b\n1,x,y,2.5,2\n2,x,y,,\n")
    layout = layout_of(["first_score=a", "second_score=b"], None, None)
    assert [v.choice for v in read_verdicts(apart, layout)] == ["first", None]


def test_words_of_more_than_three_classes_are_shares_of_the_win(tmp_path: Path) -> None:
    row = {"prompt_id": 1, "first": "x", "second": "y"}
    rows = [{**row, "choice": f"A{sign}B"} for sign in (">>", ">", "=", "<", "<<")]
    told = "--word=A>>B=1 --word=A>B=0.75 --word=A=B=0.5 --word=A<B=0.25 --word=A<<B=0"
    made = read(tmp_path / "v.json", rows, told)
    assert [(v.choice, v.first_share) for v in made] == [
        *(("first", 1), ("first", 0.75), ("tie", 0.5), ("second", 0.25), ("second", 0))
    ]
    turned = [{**row, "winner": "A>B", "winner_swapped": "A>B"}]
    made = read(tmp_path / "v.json", turned, told)
    assert [(v.choice, v.first_share) for v in made] == [("first", 0.75), ("second", 0.25)]
    with pytest.raises(InputError, match="not a share of the win from 0 to 1"):
        read(tmp_path / "v.json", rows, "--word=A>>B=2")


def test_a_document_may_hold_its_rows_in_an_array(tmp_path: Path) -> None:
    rows = [{"prompt_id": n, "first": "x", "second": "y", "choice": "tie"} for n in range(2)]
    lines = read_verdicts(written(tmp_path / "v.jsonl", "\n".join(map(json.dumps, rows))))
    path = tmp_path / "v.json"
    for document in (*(rows, {"data": rows}, {"version": 1, "data": rows, "notes": ["one"]}),):
        assert read_verdicts(written(path, json.dumps(document, indent=1))) == lines
    assert read_verdicts(written(path, "\n".join(map(json.dumps, rows)))) == lines
    assert read_verdicts(written(path, json.dumps(rows[0]))) == lines[:1]
    deep = {"models": [{"name": "x"}], "result": {"verdicts": rows}, "prompts": [{"id": 1}]}
    written(path, json.dumps(deep))
    with pytest.raises(InputError, match=r"several arrays of objects: models, prompts .*--rows"):
        read_verdicts(path)
    layout = layout_of(None, None, None, "result.verdicts")
    assert read_verdicts(path, layout) == lines
    with pytest.raises(InputError, match="no array at 'result'"):
        read_verdicts(path, layout_of(None, None, None, "result"))


def test_answers_are_kept_and_give_responses_the_ids_that_they_have_here(tmp_path: Path) -> None:
    row = {"prompt_id": "p", "first": "x", "second": "y", "choice": "first", "sample": 1}
    row |= {"first_text": "yes", "second_text": "", "choice_swapped": "second"}
    one, other = read(tmp_path / "v.json", [row], "")
    assert (one.first_text, one.second_text, other.first_text) == ("yes", "", "")
    assert (one.first_chars, one.second_chars) == (3, 0)
    response = Response(
        prompt_id="p", model="x", sample=1, text="yes", tokens=1, finish_reason="stop"
    )
    assert one.first_response_id == other.second_response_id == response.id
    with pytest.raises(InputError, match=r"first_text holds several .*first_text=THEIRS.0"):
        read(tmp_path / "v.json", [{**row, "first_text": ["yes"]}], "")


def test_other_answers_to_a_prompt_are_other_samples(tmp_path: Path) -> None:
    rows = [
        {"prompt_id": 1, "first": "x", "second": "y", "choice": choice, "annotator": "j"}
        | {"first_text": text, "second_text": "b"}
        for text, choice in (("a", "first"), ("aa", "second"), ("a", "tie"))
    ]
    told = read(tmp_path / "v.json", rows, "")
    with pytest.raises(InputError, match=r"verdict 2 \(prompt 1, sample 0\) shows another answer"):
        checked(told)
    made = checked(numbered_readings(told))
    assert [(v.first_text, v.sample, v.reading) for v in made] == [
        *(("a", 0, 0), ("a", 0, 1), ("aa", 1, 0))
    ]


def test_messages_stay_on_a_line_whatever_the_file_holds(tmp_path: Path) -> None:
    question = "Why? " * 500
    row = {"prompt_id": question, "first": "x", "second": "y", "choice": "tie"}
    twice = read(tmp_path / "v.json", [row, row], "")
    with pytest.raises(InputError, match=r"sample 0.* stands twice") as refused:
        checked(twice)
    assert len(str(refused.value)) < 300
    wide = {f"column {n}": n for n in range(300)}
    with pytest.raises(InputError, match=r"this row has column 0, .*… and 288 more") as refused:
        read(tmp_path / "v.json", [wide], "")
    assert len(str(refused.value)) < 400


def test_what_is_lacking_is_told_with_the_option_that_gives_it(tmp_path: Path) -> None:
    rows = [{"id": 1, "a": "x", "b": "y", "preference": 2.0, "judge": ["gpt-4"]}]
    told = ""
    for lacking, option in (
        (r"no 'choice'.*\(--column choice=THEIRS", "--column=choice=preference"),
        (
            r"no 'prompt_id'; .* a, b.*\(--column prompt_id=THEIRS .*--value",
            "--column=prompt_id=id",
        ),
        ("no 'first'", "--column=first=a"),
        ("no 'second'", "--value=second=y"),
        (r"choice '2' is not first.*\(--word \"2=first\"", "--word=2=second"),
        ("", "--column=annotator=judge"),
    ):
        if lacking:
            with pytest.raises(InputError, match=lacking):
                read(tmp_path / "v.json", rows, told)
        told += f" {option}"
    with pytest.raises(InputError, match=r"annotator holds several .*annotator=THEIRS.0"):
        read(tmp_path / "v.json", rows, told)
    assert read(tmp_path / "v.json", rows, told + ".0")[0].choice == "second"


def test_long_texts_do_not_end_a_table(tmp_path: Path) -> None:
    text = f"prompt_id,first,second,choice,prompt\n1,a,b,tie,{'x' * 300_000}\n"
    assert read_verdicts(written(tmp_path / "v.csv", text))[0].choice == "tie"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("v.json", "[{]", r"v.json: begins as a JSON array and is none"),
        ("v.json", "[]", r"v.json: holds no verdicts"),
        ("v.csv", "prompt_id,first,second\n1,a,b\n", r"v.csv:2: no 'choice'; this row has prompt_"),
        ("v.csv", "prompt_id,first,choice\n1,a,tie\n", r"v.csv:2: no 'second'"),
        ("v.csv", "prompt_id,first,second,choice\n1,a,b,A\n", r"v.csv:2: choice 'A' is not first"),
        ("v.csv", "prompt_id,first,second,winner\n1,a,b,c\n", r"v.csv:2: winner 'c' is not 'a'"),
        ("v.csv", "prompt_id,first,second,choice\n1,a,b,tie,9\n", r"v.csv:2: more cells"),
        ("v.csv", "prompt_id,first,second,choice\n1,a,a,tie\n", r"v.csv:2: 'a' is compared with"),
        ("v.csv", "prompt_id,first,second,choice,sample\n1,a,b,tie,x\n", r"v.csv:2: sample: "),
        (
            "v.csv",
            "prompt_id,first,second,choice,first_share\n1,a,b,first,1.5\n",
            r"v.csv:2: first_share: 1.5 is no share",
        ),
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
        read_verdicts(written(tmp_path / "v.csv", CSV), Layout(columns={"prompt_id": ["question"]}))
    with pytest.raises(InputError, match="--column first: not of the form"):
        layout_of(["first"], None, None)
    with pytest.raises(InputError, match="--column first is given 2 times"):
        layout_of(["first=a", "first=b"], None, None)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_bytes(b"prompt_id,first\n\xff\xfe")
    with pytest.raises(InputError, match=r"v.csv: not UTF-8"):
        read_verdicts(tmp_path / "v.csv")
    with pytest.raises(InputError, match="no such file"):
        read_verdicts(tmp_path / "none.csv")
