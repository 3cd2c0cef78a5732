"""Who agrees with whom, from the command line: PandaLM's and LLMBar's own numbers, and rules."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from limaflow.cli import app
from limaflow.errors import InputError

HEAD = ["prompt_id", "first", "second", "choice", "annotator"]
Row = tuple[object, ...]


def table(path: Path, rows: list[Row], head: list[str] = HEAD, *options: str) -> Path:
    """The rows of a table as our records, by `limaflow judge import`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    output = path.with_suffix(".jsonl")
    command = ["judge", "import", str(path), *options, "--output", str(output)]
    CliRunner().invoke(app, command, catch_exceptions=False)
    return output


def agreement(*arguments: object) -> list[dict[str, Any]]:
    output = Path(str(arguments[0])).with_suffix(".json")
    command = ["judge", "agreement", *map(str, arguments), "--output", str(output), "--seed", "1"]
    CliRunner().invoke(app, [*command, "--bootstrap", "200"], catch_exceptions=False)
    return json.loads(output.read_text(encoding="utf-8"))


def test_pandalms_annotators_agree_as_its_authors_print(shared_data: Path, tmp_path: Path) -> None:
    items = json.loads((shared_data / "agreement/pandalm/testset-v1.json").read_text("utf-8"))
    rows = [
        (item["idx"], *item["cmp_key"].split("_"), item[f"annotator{n}"], f"annotator{n}")
        for item in items
        for n in (1, 2, 3)
    ]
    words = [
        f"--word={number}={choice}" for number, choice in enumerate(("tie", "first", "second"))
    ]
    kind = "--value=annotator_kind=person"
    found = agreement(table(tmp_path / "pandalm.csv", rows, HEAD, *words, kind))
    kappas = {(r["first"], r["second"]): r["cohen"] for r in found if r["relation"] == "pair"}
    printed = {("1", "2"): 0.852, ("1", "3"): 0.879, ("2", "3"): 0.862}
    for (one, other), kappa in printed.items():
        ours = kappas[f"annotator{one}", f"annotator{other}"]
        assert ours["estimate"] == pytest.approx(kappa, abs=5e-4)
        assert ours["low"] < ours["estimate"] < ours["high"]
    (people,) = [r for r in found if r["relation"] == "within"]
    assert (people["first"], people["annotators"], people["items"]) == ("people", 3, 999)


def test_annotators_of_whom_nothing_is_said_are_no_people(tmp_path: Path) -> None:
    head = [*HEAD, "annotator_kind", "answered_by"]
    rows: list[Row] = [
        (1, "a", "b", "first", who, *kind)
        for who, kind in [
            *(("ann", ("person", "")), ("bob", ("person", ""))),
            *(("own", ("", "gpt-4-0613")), ("theirs", ("model", ""))),
            *(("alpaca_eval_gpt4", ("", "")), ("someone", ("", ""))),
        ]
    ]
    found = agreement(table(tmp_path / "v.csv", rows, head))
    within = {row["first"]: row["annotators"] for row in found if row["relation"] == "within"}
    assert within == {"people": 2, "models": 2, "unspecified": 2}


@pytest.mark.parametrize("subset", ["natural", "adversarial-neighbor"])
def test_llmbars_gpt4_is_as_right_and_as_steady_as_its_authors_print(
    shared_data: Path, tmp_path: Path, subset: str
) -> None:
    folder = shared_data / "agreement/llmbar"
    items = json.loads((folder / f"{subset}.gpt4.json").read_text(encoding="utf-8"))
    printed = json.loads((folder / f"{subset}.gpt4.statistics.json").read_text(encoding="utf-8"))
    rows: list[Row] = []
    for number, item in enumerate(items):
        rows.append((number, "output_1", "output_2", f"output_{item['label']}", "label"))
        for key, reply in item["results"][0].items():
            shown = ("output_1", "output_2") if key == "swap = False" else ("output_2", "output_1")
            rows.append((number, *shown, f"output_{reply['winner']}", "gpt-4"))
    head = ["prompt_id", "first", "second", "winner", "annotator"]
    made = table(tmp_path / "llmbar.csv", rows, head)
    found = agreement(made)
    (orders,) = [r for r in found if r["relation"] == "orders" and r["first"] == "gpt-4"]
    assert orders["items"] == len(items)
    assert orders["agreement"]["estimate"] == pytest.approx(share(printed["equal"]))
    assert orders["cohen"]["estimate"] == pytest.approx(printed["kappa_agreement"])
    (right,) = [r for r in found if r["relation"] == "pair"]
    # A disagreement of the two orders is a tie, which here is half right.
    assert right["agreement"]["estimate"] == pytest.approx(share(printed["correct_both"]))
    assert right["tie_discounted"]["estimate"] == pytest.approx(share(printed["correct_average"]))
    # Each order on its own is right or wrong; so merged, no tie is made.
    mean = agreement(made, "--merge", "mean")
    (right,) = [r for r in mean if r["relation"] == "pair"]
    assert right["agreement"]["estimate"] == pytest.approx(share(printed["correct_average"]))
    (orders_too,) = [r for r in mean if r["relation"] == "orders" and r["first"] == "gpt-4"]
    assert orders_too == orders


def share(text: str) -> float:
    return float(text.rpartition("=")[2].strip().rstrip("%")) / 100


def test_groups_are_compared_within_and_between(tmp_path: Path) -> None:
    said = {
        "ann": ["first", "second", "tie", "first"],
        "bob": ["first", "second", "first", "first"],
        "cem": ["first", "first", "tie", "second"],
        "gpt": ["first", "second", "tie", "tie"],
    }
    rows = [(n, "a", "b", choice, who) for who, of in said.items() for n, choice in enumerate(of)]
    path = table(tmp_path / "v.csv", rows)
    found = agreement(path, "--group", "crowd=ann,bob", "--group", "authors=cem,gpt")
    rows_of = {(r["relation"], r["first"], r["second"]): r for r in found}
    assert rows_of["pair", "ann", "bob"]["agreement"]["estimate"] == 0.75
    assert rows_of["within", "crowd", "crowd"]["tie_discounted"]["estimate"] == 3.5 / 4
    between = rows_of["between", "crowd", "authors"]
    assert (between["annotators"], between["items"]) == (4, 4)
    # ann–cem 1 0 1 0, ann–gpt 1 1 1 ½, bob–cem 1 0 ½ 0, bob–gpt 1 1 ½ ½.
    assert between["tie_discounted"]["estimate"] == 10 / 16
    assert between["alpha"] is None and between["cohen"] is None
    assert between["minus_first"]["estimate"] == 10 / 16 - 3.5 / 4


def test_a_second_file_of_one_judge_is_a_second_pass(tmp_path: Path) -> None:
    choices = ["first", "second", "tie", "first"]
    once = table(tmp_path / "1.csv", [(n, "a", "b", c, "j") for n, c in enumerate(choices)])
    choices[0] = "tie"
    again = table(tmp_path / "2.csv", [(n, "a", "b", c, "j") for n, c in enumerate(choices)])
    (passes,) = agreement(once, again)
    assert (passes["relation"], passes["first"], passes["items"]) == ("passes", "j", 4)
    assert passes["agreement"]["estimate"] == 0.75
    assert passes["tie_discounted"]["estimate"] == 3.5 / 4


def test_a_failed_order_leaves_the_item_out(tmp_path: Path) -> None:
    rows: list[Row] = [
        *((1, "a", "b", "first", "j"), (1, "b", "a", "", "j"), (1, "a", "b", "first", "ann")),
        *(
            (2, "a", "b", "first", "j"),
            (2, "b", "a", "second", "j"),
            (2, "b", "a", "second", "ann"),
        ),
    ]
    found = agreement(table(tmp_path / "v.csv", rows))
    (pair,) = [r for r in found if r["relation"] == "pair"]
    assert (pair["items"], pair["agreement"]["estimate"]) == (1, 1.0)
    assert pair["cohen"] is None, "a single choice determines no kappa"


def test_what_stands_twice_is_another_pass_where_that_is_asked_for(tmp_path: Path) -> None:
    said = [("ann", "tie"), ("bob", "tie"), ("ann", "first")]
    told = [(1, "a", "b", choice, who) for who, choice in said]
    with pytest.raises(InputError, match=r"verdict 3 .* stands twice .*\(--repeats takes"):
        table(tmp_path / "v.csv", told)
    path = table(tmp_path / "v.csv", told, HEAD, "--repeats")
    rows = {r["relation"]: r for r in agreement(path)}
    assert rows["passes"]["first"] == "ann"
    assert rows["passes"]["tie_discounted"]["estimate"] == 0.5
    assert rows["pair"]["agreement"]["estimate"] == 1, "of first readings"


def test_a_thousand_voters_on_prompts_of_their_own_are_no_crowd(tmp_path: Path) -> None:
    """An arena's votes: hardly anybody meets; who does is compared."""
    rows = [(n, "a", "b", "tie", f"user_{n}") for n in range(8000)]
    shared = [(0, "a", "b", "first", "expert_1"), (0, "a", "b", "first", "expert_2")]
    path = table(tmp_path / "v.csv", [*rows, *shared])
    found = agreement(path, "--group", "voters=user_*", "--group", "experts=expert_*")
    kinds = {(r["relation"], r["first"], r["second"]): r for r in found}
    assert ("within", "voters", "voters") not in kinds
    assert kinds["within", "experts", "experts"]["agreement"]["estimate"] == 1
    between = kinds["between", "voters", "experts"]
    assert (between["annotators"], between["items"]) == (3, 1)
    assert between["tie_discounted"]["estimate"] == 0.5


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    twice = table(tmp_path / "v.csv", [(1, "a", "b", "tie", "j")])
    twice.write_text(twice.read_text() * 2)
    with pytest.raises(InputError, match="prompt 1, sample 0: two verdicts of 'j'"):
        agreement(twice)
    once = table(tmp_path / "w.csv", [(1, "a", "b", "tie", "j")])
    with pytest.raises(InputError, match=r"nothing is of 'ann' \(annotators are j\)"):
        agreement(once, "--group", "people=ann")
    assert agreement(once) == []
    with pytest.raises(InputError, match=r"w\.csv:1: not a valid Verdict.*judge import` reads"):
        agreement(once.with_suffix(".csv"))


def test_one_prompt_has_no_interval_of_a_coefficient(tmp_path: Path) -> None:
    said = {"ann": ["first", "second", "tie"], "bob": ["first", "tie", "tie"]}
    rows = [(1, "a", "b", c, who, n) for who, of in said.items() for n, c in enumerate(of)]
    (pair, _) = agreement(table(tmp_path / "v.csv", rows, [*HEAD, "sample"]))
    assert (pair["items"], pair["prompts"], pair["cohen"], pair["alpha"]) == (3, 1, None, None)
    assert pair["agreement"]["low"] < 0.03 and pair["agreement"]["high"] > 0.99
