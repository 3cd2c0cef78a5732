"""Verdicts that other projects recorded: taken in, summarised, and compared with what they print.

PandaLM (Wang et al. 2024, 2306.05087): 999 items, three annotators. LLMBar (Zeng et al. 2024,
2310.07641): GPT-4 and ChatGPT as judges in both orders, with their own statistics.
"""

import json
from collections import Counter
from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.jsonl import read_records, write_records
from limaflow.judging.settings import Comparison
from limaflow.measures.cli import summarize
from limaflow.records import Choice, Example, Message, Verdict
from limaflow.verdict_import.cli import import_verdicts

PANDALM_CHOICES: dict[int, Choice] = {0: "tie", 1: "first", 2: "second"}


def example(prompt_id: str, question: str) -> Example:
    message = Message(role="user", content=question)
    return Example(id=prompt_id, messages=(message,), source="recorded", split="test")


def recorded(prompt_id: str, first: str, second: str, annotator: str, choice: Choice) -> Verdict:
    return Verdict(
        prompt_id=prompt_id,
        sample=0,
        first=first,
        second=second,
        first_response_id=f"{prompt_id}-{first}",
        second_response_id=f"{prompt_id}-{second}",
        annotator=annotator,
        choice=choice,
    )


def test_pandalm_annotators_are_counted_as_they_chose(shared_data: Path, tmp_path: Path) -> None:
    items = json.loads((shared_data / "agreement/pandalm/testset-v1.json").read_text())
    ours, theirs = "bloom-7b", "llama-7b"
    chosen = [item for item in items if item["cmp_key"] == f"{ours}_{theirs}"]
    assert len(chosen) > 80
    write_records(tmp_path / "prompts", (example(str(i["idx"]), i["instruction"]) for i in chosen))
    write_records(
        tmp_path / "recorded",
        (
            recorded(
                str(i["idx"]), ours, theirs, f"annotator{n}", PANDALM_CHOICES[i[f"annotator{n}"]]
            )
            for i in chosen
            for n in (1, 2, 3)
        ),
    )
    imported = tmp_path / f"{ours}-vs-{theirs}.jsonl"
    import_verdicts(
        files=[tmp_path / "recorded"],
        prompts=tmp_path / "prompts",
        first=ours,
        second=theirs,
        output=imported,
    )
    summarize(verdicts=[imported], output=tmp_path / "out.json", seed=1, bootstrap=100)
    for summary in json.loads((tmp_path / "out.json").read_text()):
        counts = Counter(item[summary["judge"]] for item in chosen)
        told = [round(summary[k]["estimate"] * len(chosen)) for k in ("win", "lose", "tie")]
        assert told == [counts[1], counts[2], counts[0]]
        assert summary["position_consistency"] is None, "one order only"


@pytest.mark.parametrize("subset", ["natural", "adversarial-neighbor"])
def test_llmbar_gpt4_has_the_accuracy_and_consistency_its_authors_print(
    shared_data: Path, tmp_path: Path, subset: str
) -> None:
    folder = shared_data / "agreement/llmbar"
    items = json.loads((folder / f"{subset}.gpt4.json").read_text())
    printed = json.loads((folder / f"{subset}.gpt4.statistics.json").read_text())
    verdicts = []
    for number, item in enumerate(items):
        best = str(item["label"])
        for key, reply in item["results"][0].items():
            right = reply["winner"] == best
            output_1_first = key == "swap = False"
            best_first = (best == "1") == output_1_first
            first, second = ("best", "other") if best_first else ("other", "best")
            choice: Choice = "first" if right == best_first else "second"
            verdicts.append(recorded(str(number), first, second, "gpt-4", choice))
    path = tmp_path / "best-vs-other.jsonl"
    write_records(tmp_path / "recorded.jsonl", verdicts)
    import_verdicts([tmp_path / "recorded.jsonl"], output=path)
    told = {}
    for merge in ("strict", "mean"):
        summarize(verdicts=[path], output=tmp_path / "out.json", seed=1, bootstrap=100, merge=merge)
        (told[merge],) = json.loads((tmp_path / "out.json").read_text())

    def share(key: str) -> float:
        return float(printed[key].split("=")[-1].strip().rstrip("%")) / 100

    assert told["strict"]["win"]["estimate"] == pytest.approx(share("correct_both"))
    assert told["mean"]["win"]["estimate"] == pytest.approx(share("correct_average"))
    assert told["mean"]["position_consistency"]["estimate"] == pytest.approx(share("equal"))
    assert told["strict"]["other_merges"][1]["win"] == told["mean"]["win"]["estimate"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"second": "c"}, "compares 'a' and 'c'"),
        ({"prompt_id": "q9"}, "not among the prompts"),
        ({"error": "and yet one"}, "either a choice or an error"),
        ({"choice": "both"}, "recorded:1: choice 'both' is not first, second or tie"),
    ],
)
def test_a_recorded_verdict_that_does_not_fit_is_refused(
    tmp_path: Path, change: dict[str, str | None], told: str
) -> None:
    good = recorded("q1", "a", "b", "someone", "first")
    write_records(tmp_path / "prompts", [example("q1", "Why?")])
    row = {name: getattr(good, name) for name in Verdict.__dataclass_fields__} | change
    write_records(tmp_path / "recorded", [row])
    with pytest.raises(InputError, match=told):
        import_verdicts(
            files=[tmp_path / "recorded"],
            prompts=tmp_path / "prompts",
            first="a",
            second="b",
            output=tmp_path / "out",
        )
    assert not (tmp_path / "out").exists()


def test_a_verdict_recorded_twice_is_refused(tmp_path: Path) -> None:
    write_records(tmp_path / "prompts", [example("q1", "Why?")])
    write_records(tmp_path / "recorded", [recorded("q1", "a", "b", "someone", "first")] * 2)
    options = {"first": "a", "second": "b", "output": tmp_path / "out"}
    with pytest.raises(InputError, match=r"recorded: verdict 2 .* stands twice"):
        import_verdicts(files=[tmp_path / "recorded"], prompts=tmp_path / "prompts", **options)


def test_recorded_verdicts_are_written_in_order(tmp_path: Path) -> None:
    verdicts = [recorded(f"q{n}", "a", "b", "someone", "tie") for n in (2, 1)]
    write_records(tmp_path / "prompts", [example(f"q{n}", "Why?") for n in (1, 2)])
    write_records(tmp_path / "recorded", verdicts)
    import_verdicts(
        files=[tmp_path / "recorded"],
        prompts=tmp_path / "prompts",
        first="b",
        second="a",
        output=tmp_path / "out",
    )
    assert list(read_records(tmp_path / "out", Verdict)) == verdicts[::-1]


def test_files_with_a_layout_each_make_one_comparison(tmp_path: Path) -> None:
    """The two orders in files of their own, scored, as the reviews of Cherry LLM."""
    pairs = {"won by both": ("9 7", "6 8"), "a win and a tie": ("8 8", "7 9")}
    pairs |= {"a win and a loss": ("9 7", "8 6"), "ties": ("8 8", "8 8"), "lost": ("6 8", "9 9")}
    folder = tmp_path / "reviews"
    folder.mkdir()
    for order, name in enumerate(("ahead", "behind")):
        rows = [{"id": prompt, f"{name}_review": pair[order]} for prompt, pair in pairs.items()]
        (folder / f"{name}.json").write_text(json.dumps({"data": rows}))
    comparison = Comparison.model_validate(
        {
            "first": "cherry",
            "second": "alpaca",
            "verdicts": [
                {
                    "path": str(folder / f"{name}.json"),
                    "columns": {"prompt_id": "id", "scores": f"{name}_review"},
                    "values": {"first": first, "second": second, "annotator": "gpt-4"},
                }
                for name, first, second in (
                    ("ahead", "cherry", "alpaca"),
                    ("behind", "alpaca", "cherry"),
                )
            ],
        }
    )
    output = tmp_path / "cherry-vs-alpaca.jsonl"
    import_verdicts(
        [Path(file.path) for file in comparison.verdicts],
        layout=[file.layout.model_dump_json() for file in comparison.verdicts],
        output=output,
    )
    summarize([output], output=tmp_path / "out.json", seed=1, bootstrap=50, merge="majority")
    (found,) = json.loads((tmp_path / "out.json").read_text())
    assert [found[rate]["estimate"] for rate in ("win", "tie", "lose")] == [0.4, 0.4, 0.2]
    assert [other["win"] for other in found["other_merges"]] == [0.2, 0.4]
    with pytest.raises(InputError, match="there are 1 files and 2 times --layout"):
        import_verdicts([output], layout=["{}", "{}"], output=tmp_path / "out")
    with pytest.raises(InputError, match="--layout says all of --column"):
        import_verdicts([output], layout=["{}"], repeats=True, output=tmp_path / "out")
    with pytest.raises(InputError, match=r"vs-alpaca.jsonl, .*stands twice"):
        import_verdicts([output, output], output=tmp_path / "out")


def test_a_file_of_verdicts_may_be_a_path_alone_or_one_of_several() -> None:
    arms = {"first": "a", "second": "b"}
    alone = Comparison.model_validate({**arms, "verdicts": "v.csv"})
    assert alone == Comparison.model_validate({**arms, "verdicts": ["v.csv"]})
    assert alone == Comparison.model_validate({**arms, "verdicts": {"path": "v.csv"}})
    assert Comparison.model_validate(arms).verdicts == []


def test_failed_verdicts_stand_in_every_printed_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"p{n},a,b,\n" for n in range(5))
    table = tmp_path / "v.csv"
    table.write_text(f"prompt_id,first,second,choice\n{rows}x,a,b,first\n")
    import_verdicts([table], output=tmp_path / "v.jsonl")
    assert capsys.readouterr().out == "6 verdicts on 6 prompts; 5 of them failed\n"
    summarize([tmp_path / "v.jsonl"], output=tmp_path / "out.json", seed=1, bootstrap=50)
    assert "1 prompts (5 of 6 verdicts failed), win 100.0%" in capsys.readouterr().out
