"""The alignment tax is paired by item and refuses what cannot be paired."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from limaflow.analysis.claim_entries import Measure
from limaflow.analysis.decision_rules import equivalent
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.quantities import NotMeasured, mean_tax, tax_difference
from limaflow.analysis.tax import alignment_tax
from limaflow.errors import InputError
from limaflow.jsonl import write_json, write_records
from limaflow.measures.summaries import TaskTax
from limaflow.records import BenchmarkItem

Write = Callable[[str, Mapping[str, float]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def items(model: str, scores: Mapping[str, float]) -> Path:
        path = tmp_path / f"{model}.jsonl"
        write_records(
            path,
            (
                BenchmarkItem(task="t", item_id=i, model=model, metric="acc,none", value=v)
                for i, v in scores.items()
            ),
        )
        return path

    return items


def tax_of(base: Path, *tuned: Path) -> list[TaskTax]:
    return alignment_tax(base, list(tuned), rounds=400, confidence=0.95, seed=3)


def test_pairing_makes_the_interval_narrower_than_independent_scores(write: Write) -> None:
    base = {f"{i:03d}": float(i % 2) for i in range(200)}
    tuned = base | {"001": 0.0, "003": 0.0}
    (row,) = tax_of(write("base", base), write("lima", tuned))
    assert row.difference and row.base
    assert row.difference.estimate == pytest.approx(-0.01)
    assert row.difference.high - row.difference.low < 0.05 < row.base.high - row.base.low
    assert row.base.high - row.base.low > 0.1


@pytest.mark.parametrize(
    ("metric", "choices", "chance"),
    [("acc_norm,none", (4, 2), 0.375), ("acc,none", (4, None), None), ("em,none", (4, 4), None)],
)
def test_what_guessing_gets_follows_from_the_numbers_of_choices(
    metric: str, choices: tuple[int | None, ...], chance: float | None, tmp_path: Path
) -> None:
    files = []
    for model in ("base", "lima"):
        files.append(tmp_path / f"{model}.jsonl")
        rows = [
            BenchmarkItem(
                task="t", item_id=str(n), model=model, metric=metric, value=1.0, choices=count
            )
            for n, count in enumerate(choices)
        ]
        write_records(files[-1], rows)
    (row,) = tax_of(*files)
    assert row.chance == chance


def test_the_order_of_the_items_does_not_count(write: Write) -> None:
    scores = {f"{i}": float(i % 3 == 0) for i in range(50)}
    backwards = dict(reversed(scores.items()))
    assert tax_of(write("base", scores), write("a", scores)) == tax_of(
        write("base", backwards), write("a", backwards)
    )


def test_every_tuned_arm_has_its_row(write: Write) -> None:
    scores = {"1": 1.0, "2": 0.0}
    rows = tax_of(write("base", scores), write("lima", scores), write("few", scores))
    assert [row.arm for row in rows] == ["few", "lima"]
    assert all(row.difference and row.difference.estimate == 0 for row in rows)


@pytest.mark.parametrize(("count", "width"), [(3, 0.7076), (300, 0.0122)])
def test_items_that_did_not_change_are_no_certainty(write: Write, count: int, width: float) -> None:
    scores = {f"{i:03d}": 1.0 for i in range(count)}
    (row,) = tax_of(write("base", scores), write("lima", scores))
    difference = row.difference
    assert (difference.low, difference.high) == pytest.approx((-width, width), abs=5e-5)


def test_other_items_are_an_error_and_not_a_difference(write: Write) -> None:
    base, tuned = write("base", {"1": 1.0, "2": 0.0}), write("lima", {"1": 1.0, "3": 0.0})
    with pytest.raises(InputError, match="task 't': not the same items"):
        tax_of(base, tuned)


def test_a_file_of_two_models_is_an_error(write: Write, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.jsonl"
    parts = [write(name, {"1": 1.0}).read_text() for name in ("a", "b")]
    mixed.write_text("".join(parts))
    with pytest.raises(InputError, match="2 models instead of one"):
        tax_of(write("base", {"1": 1.0}), mixed)


def items_of(folder: Path, model: str, values: Mapping[str, float], **facts: Any) -> Path:
    path = folder / model / "items.jsonl"
    path.parent.mkdir(exist_ok=True)
    shared: Any = {"task": "t", "metric": "acc,none", "model": model} | facts
    write_records(path, (BenchmarkItem(item_id=i, value=v, **shared) for i, v in values.items()))
    return path


def test_where_less_is_better_a_rise_is_a_loss(tmp_path: Path) -> None:
    facts: Any = {"metric": "ppl", "higher_is_better": False}
    base = items_of(tmp_path, "base", {"1": 10.0, "2": 10.0}, **facts)
    (row,) = tax_of(base, items_of(tmp_path, "lima", {"1": 12.0, "2": 13.0}, **facts))
    assert row.base and row.tuned and row.difference
    assert (row.base.estimate, row.tuned.estimate) == (10.0, 12.5)
    assert (row.difference.estimate, row.higher_is_better) == (-2.5, False)
    assert row.difference.low < -2.5 < row.difference.high


def test_a_change_that_is_the_same_everywhere_has_no_width_on_a_scale_without_ends(
    tmp_path: Path,
) -> None:
    facts: Any = {"metric": "ppl", "higher_is_better": False}
    base = items_of(tmp_path, "base", {"1": 10.0, "2": 10.0}, **facts)
    (row,) = tax_of(base, items_of(tmp_path, "lima", {"1": 12.5, "2": 12.5}, **facts))
    assert row.base and row.tuned
    assert (row.base.estimate, row.tuned.estimate, row.difference) == (10.0, 12.5, None)
    assert "all items changed alike" in row.unpaired
    facts = {"metric": "bleu_max,none"}
    base = items_of(tmp_path, "base", {"1": 10.0, "2": 10.0}, **facts)
    (row,) = tax_of(base, items_of(tmp_path, "lima", {"1": 12.5, "2": 12.5}, **facts))
    assert row.difference and row.difference.low < -80 and row.difference.high > 80


def test_a_metric_that_is_known_to_fall_gains_by_falling_if_nothing_is_said(tmp_path: Path) -> None:
    old, new = ({str(i): value + i % 2 / 10 for i in range(20)} for value in (0.5, 0.2))
    (row,) = tax_of(
        items_of(tmp_path, "base", old, metric="wer,none"),
        items_of(tmp_path, "lima", new, metric="wer,none"),
    )
    assert row.difference and row.difference.estimate == pytest.approx(0.3)
    assert (row.higher_is_better, row.scale) == (False, None)


def test_a_margin_is_held_against_the_share_of_a_scale_from_0_to_100(tmp_path: Path) -> None:
    old = {str(i): 30.0 + 10 * (i % 2) for i in range(100)}
    new = {name: value + (int(name) % 5 - 2) / 5 - 0.1 for name, value in old.items()}
    rows = tax_of(
        items_of(tmp_path, "base", old, metric="bleu_max,none"),
        items_of(tmp_path, "lima", new, metric="bleu_max,none"),
    )
    assert rows[0].difference and rows[0].difference.estimate == pytest.approx(-0.1)
    [found] = tax_difference(
        Evidence(lima="lima", tax=rows), Measure(quantity="tax_difference", no_loss=0.02)
    )
    assert -0.002 < found.interval.low < -0.001
    assert "share of its 100 points" in str(found.names["metric"])


def test_a_metric_without_a_known_scale_decides_no_claim(tmp_path: Path) -> None:
    rows = tax_of(
        items_of(tmp_path, "base", {"1": 3.0, "2": 4.0}, metric="wer,none"),
        items_of(tmp_path, "lima", {"1": 3.5, "2": 4.0}, metric="wer,none"),
    )
    with pytest.raises(NotMeasured, match="no known scale"):
        tax_difference(
            Evidence(lima="lima", tax=rows), Measure(quantity="tax_difference", no_loss=0.02)
        )


def test_few_items_without_a_change_do_not_show_that_there_is_none(write: Write) -> None:
    few, many = ({str(i): float(i % 2) for i in range(count)} for count in (6, 2000))
    (row,) = tax_of(write("base", few), write("lima", few))
    assert row.difference and row.difference.low < -0.4
    (row,) = tax_of(write("base", many), write("lima", many))
    assert row.difference and -0.002 < row.difference.low < row.difference.high < 0.002


def test_an_item_twice_and_a_score_that_is_no_number_are_errors(tmp_path: Path) -> None:
    base = items_of(tmp_path, "base", {"a": 1.0, "b": 0.0})
    lima = items_of(tmp_path, "lima", {"a": 1.0, "b": 0.0})
    strange = tmp_path / "strange.jsonl"
    strange.write_text(lima.read_text().replace("0.0", "NaN"))
    with pytest.raises(InputError, match="item b has no number"):
        tax_of(base, strange)
    lima.write_text(lima.read_text().replace('"b"', '"a"'))
    with pytest.raises(InputError, match="item a stands twice"):
        tax_of(base, lima)


def test_items_that_were_asked_otherwise_are_not_paired(tmp_path: Path) -> None:
    scores = {"1": 1.0, "2": 0.0}
    base = items_of(tmp_path, "base", scores, prompt="0a")
    with pytest.raises(InputError, match="2 items were asked otherwise"):
        tax_of(base, items_of(tmp_path, "lima", scores, prompt="0b"))


def test_weights_make_the_tasks_of_a_group_count_alike(tmp_path: Path) -> None:
    small = {f"small/{i}": 1.0 for i in range(5)}
    large = {f"large/{i}": float(i % 5 == 0) for i in range(20)}
    paths = []
    for model in ("base", "lima"):
        folder = tmp_path / model
        folder.mkdir()
        shares = [(k, v, 1 / 5) for k, v in small.items()] + [
            (k, v, 1 / 20) for k, v in large.items()
        ]
        write_records(
            folder / "items.jsonl",
            [
                BenchmarkItem(
                    task="g", item_id=k, model=model, metric="acc,none", value=v, weight=w
                )
                for k, v, w in shares
            ],
        )
        paths.append(folder / "items.jsonl")
    (row,) = tax_of(*paths)
    assert row.base and row.base.estimate == pytest.approx(0.6)


def results_of(folder: Path, model: str, **run: object) -> Path:
    score = {"metric": "bleu,none", "value": 20.5, "items": 9, "higher_is_better": True}
    scores = {"t": score | {"unpaired": "no score per item", "few_shot": "5", "version": "1.0"}}
    path = folder / model / "results.json"
    path.parent.mkdir(exist_ok=True)
    write_json(path, {"model": model, "scores": scores, "run": {"precision": "fp32"} | run})
    return path


def test_a_task_without_scores_stands_in_the_table_as_not_paired(tmp_path: Path) -> None:
    results = [results_of(tmp_path, "base"), results_of(tmp_path, "lima", format="chat", limit=9)]
    paths = [items_of(tmp_path, model, {}) for model in ("base", "lima")]
    options: Any = {"rounds": 400, "confidence": 0.95, "seed": 3, "results": results}
    with pytest.raises(InputError, match="measured with limit 9, and 'base' with None"):
        alignment_tax(paths[0], paths[1:], **options)
    results_of(tmp_path, "base", limit=9, format="plain")
    (row,) = alignment_tax(paths[0], paths[1:], **options)
    assert row.base and row.base.estimate == 20.5
    assert (row.difference, row.unpaired) == (None, "no score per item")
    assert row.conditions
    assert row.conditions.description == "5-shot; plain, chat; fp32; version 1.0; first 9 items"


def study_of(tmp_path: Path, tasks: int, items: int, **scales: float | None) -> list[TaskTax]:
    """Half of the items right, and as many gained as lost; `scales`: a further task each."""
    paths = []
    for model in ("base", "lima"):
        folder = tmp_path / model
        folder.mkdir(exist_ok=True)
        found = [
            BenchmarkItem(
                task=f"t{task}",
                item_id=str(i),
                model=model,
                metric="acc,none",
                value=float((i + (model == "lima" and i % 20 in (0, 1))) % 2),
            )
            for task in range(tasks)
            for i in range(items)
        ]
        found += [
            BenchmarkItem(
                task=name,
                item_id=str(i),
                model=model,
                metric="wer,none",
                value=i / (7 if model == "base" else 6),
            )
            for name in scales
            for i in range(9)
        ]
        write_records(folder / "items.jsonl", found)
        paths.append(folder / "items.jsonl")
    return tax_of(*paths)


def test_no_tax_is_a_matter_of_the_mean_over_tasks_and_not_of_one(tmp_path: Path) -> None:
    rows = study_of(tmp_path, 6, 1000, unscaled=None)
    measure = Measure(quantity="mean_tax", equivalent=0.02)
    [mean] = mean_tax(Evidence(lima="lima", tax=rows), measure)
    assert (mean.names["tasks"], mean.items, mean.alone) == (6, 6000, False)
    assert mean.names["left_out"] == "; left out: unscaled (no known scale)"
    assert equivalent(mean.interval, 0.02, confidence=0.95) == "supported"
    [one] = mean_tax(Evidence(lima="lima", tax=rows[:1]), measure)
    assert one.alone
    of_task = tax_difference(
        Evidence(lima="lima", tax=rows), Measure(quantity="tax_by_task", no_sure_loss=0.0125)
    )
    assert [(found.loss_p_value or 0) > 0.4 for found in of_task] == [True] * 6


def test_how_many_more_items_would_decide_is_said(tmp_path: Path) -> None:
    rows = study_of(tmp_path, 2, 200)
    [mean] = mean_tax(
        Evidence(lima="lima", tax=rows), Measure(quantity="mean_tax", equivalent=0.02)
    )
    assert 2 < float(mean.names["bound"]) < 4
    assert "more items" in str(mean.names["more"]) and "80 %" in str(mean.names["more"])


def test_a_mean_over_no_task_says_what_each_lacks(tmp_path: Path) -> None:
    rows = study_of(tmp_path, 0, 0, unscaled=None)
    with pytest.raises(NotMeasured, match=r"unscaled \(no known scale\)"):
        mean_tax(Evidence(lima="lima", tax=rows), Measure(quantity="mean_tax", equivalent=0.02))


def test_a_model_asked_in_two_formats_has_a_row_for_each(tmp_path: Path) -> None:
    def written(model: str, scores: dict[str, list[float]]) -> tuple[Path, Path]:
        items, results = tmp_path / f"{model}.jsonl", tmp_path / f"{model}.json"
        write_records(
            items,
            (
                BenchmarkItem(
                    task="t",
                    item_id=f"{number}",
                    model=model,
                    metric="acc,none",
                    value=value,
                    format=name,
                )
                for name, values in scores.items()
                for number, value in enumerate(values)
            ),
        )

        def score(name: str) -> dict[str, object]:
            value = sum(scores[name]) / 4
            facts = {"metric": "acc,none", "value": value, "items": 4, "higher_is_better": True}
            return {"t": facts}

        main, *others = scores
        further = {name: {"scores": score(name)} for name in others}
        run = {"format": main, "precision": "fp32"}
        found = {"model": model, "scores": score(main), "also": further, "run": run}
        write_json(results, found)
        return items, results

    base, of_base = written("base", {"plain": [1, 1, 1, 1]})
    lima, of_lima = written("lima", {"plain": [1, 1, 1, 0], "chat": [1, 0, 0, 0]})
    rows = alignment_tax(
        base, [lima], rounds=200, confidence=0.95, seed=3, results=[of_base, of_lima]
    )
    found = [(r.asked_arm, r.difference and r.difference.estimate, r.conditions) for r in rows]
    assert [(arm, change) for arm, change, _ in found] == [("lima", -0.25), ("lima (chat)", -0.75)]
    assert [c and (c.base_format, c.format) for _, _, c in found] == [
        ("plain", "plain"),
        ("plain", "chat"),
    ]
    evidence = Evidence(lima="lima", tax=rows)
    (counted,) = tax_difference(evidence, Measure(quantity="tax_difference", no_loss=0.02))
    assert counted.interval.estimate == -0.25
    with pytest.raises(InputError, match=r"several formats .*nothing says which is its main"):
        alignment_tax(base, [lima], rounds=9, confidence=0.95, seed=3)


def averages_of(tmp_path: Path, model: str, value: float, items: int) -> Path:
    path = tmp_path / f"{model}.results.json"
    facts = {"metric": "acc,none", "value": value, "items": items, "higher_is_better": True}
    write_json(path, {"model": model, "scores": {"t": facts}})
    return path


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({"1": 1.0, "2": 1.0, "3": 1.0, "4": 1.0}, "average to 1, and results.json says 0.5"),
        ({"1": 1.0, "2": 0.0}, "2 items, and results.json says 4"),
    ],
    ids=["all ones", "half of them"],
)
def test_items_that_are_not_those_of_the_results_are_refused(
    write: Write, tmp_path: Path, scores: dict[str, float], said: str
) -> None:
    base = {"1": 1.0, "2": 0.0, "3": 1.0, "4": 0.0}
    results = [averages_of(tmp_path, name, 0.5, 4) for name in ("base", "lima")]
    options = {"rounds": 400, "confidence": 0.95, "seed": 3, "results": results}
    alignment_tax(write("base", base), [write("lima", base)], **options)
    path = write("lima", scores)
    with pytest.raises(InputError, match=f"{path}: task 't': .*{said}"):
        alignment_tax(write("base", base), [path], **options)
