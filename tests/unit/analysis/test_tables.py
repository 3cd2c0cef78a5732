"""Tables: ours beside the paper's, no row of either lost."""

from pathlib import Path

from limaflow.analysis.exhibits.agreement import rows_beside as agreement_rows
from limaflow.analysis.exhibits.sources import source_rows
from limaflow.analysis.paper import paper
from limaflow.jsonl import write_records
from limaflow.measures.summaries import Agreement
from limaflow.records import Example, Message


def example(number: int, source: str, split: str) -> Example:
    turns = (
        Message(role="user", content="x" * number),
        Message(role="assistant", content="yy" * number),
    )
    return Example(
        id=f"{source}-{split}-{number}",
        messages=turns,
        source=source,
        split="train" if split == "train" else "test",
    )


def test_table_1_holds_every_row_of_the_paper_and_of_ours(tmp_path: Path) -> None:
    train = tmp_path / "train.jsonl"
    write_records(
        train,
        [
            example(2, "wikihow", "train"),
            example(4, "wikihow", "train"),
            example(1, "letters", "train"),
        ],
    )
    rows = source_rows([train], None, paper())
    assert len(rows) == len(paper().sources.rows) + 1
    ours = {row["source"]: row for row in rows if row["source"]}
    assert ours["wikihow"]["mean_input_chars"] == 3
    assert ours["wikihow"]["mean_output_chars"] == 6
    assert ours["wikihow"]["paper_mean_output"] == 1811
    assert ours["letters"]["paper_source"] is None


def test_reference_answers_of_test_prompts_are_not_counted_as_outputs(tmp_path: Path) -> None:
    test = tmp_path / "test.jsonl"
    write_records(test, [example(5, "askreddit", "test")])
    (row,) = (row for row in source_rows([test], None, paper()) if row["source"])
    assert row["mean_input_chars"] == 5
    assert row["mean_output_chars"] is None


def test_tokens_are_those_of_the_given_model(tmp_path: Path, tiny_base: Path) -> None:
    from transformers import AutoTokenizer

    train = tmp_path / "train.jsonl"
    turns = (
        Message(role="user", content="Who feeds nine goats?"),
        Message(role="assistant", content="Somebody in Arlo feeds nine goats."),
    )
    write_records(train, [Example(id="1", messages=turns, source="wikihow", split="train")])
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    row = next(row for row in source_rows([train], tiny_base, paper()) if row["source"])
    assert row["mean_input_tokens"] == len(tokenizer.tokenize(turns[0].content))
    assert row["mean_output_tokens"] == len(tokenizer.tokenize(turns[1].content))
    assert row["paper_mean_input"] == 12


def test_agreement_stands_beside_the_papers_five_values(people_and_models: Agreement) -> None:
    mine, *theirs = agreement_rows([people_and_models], paper())
    assert (mine["tie_discounted"], mine["tie_discounted_low"], mine["cohen"]) == (0.8, 0.7, None)
    assert {(row["first"], row["second"]): row["tie_discounted"] for row in theirs} == {
        ("crowd", "crowd"): 0.82,
        ("crowd", "author"): 0.81,
        ("author", "author"): 0.78,
        ("crowd", "gpt"): 0.78,
        ("author", "gpt"): 0.79,
    }
    assert all(row.keys() == mine.keys() for row in theirs)
    assert len(agreement_rows([], paper())) == 5
