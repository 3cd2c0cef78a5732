"""The tax is format and knowledge: what was planted is found again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from limaflow.analysis.tax import alignment_tax
from limaflow.analysis.tax_split import split_of, sureness_of
from limaflow.intervals import Interval, Resampling
from limaflow.jsonl import write_records
from limaflow.lm_evaluation.adopted_items import adopted
from limaflow.lm_evaluation.settings import ItemLayout
from limaflow.records import BenchmarkItem

RESAMPLING = Resampling(rounds=1000, confidence=0.95, seed=5)
Pairs = list[tuple[BenchmarkItem, BenchmarkItem]]


def item(model: str, number: int, *, right: bool, unread: bool = False) -> BenchmarkItem:
    return BenchmarkItem(
        task="t",
        item_id=f"{number:05d}",
        model=model,
        metric="exact_match",
        value=float(right and not unread),
        reply="text",
        unread=unread,
        choices=4,
    )


def planted(seed: int, items: int, *, unread: float, forgotten: float) -> Pairs:
    """A base that knows 60 %; the tuned model forgets a share of that, and a share is unread."""
    draw = np.random.default_rng(seed)
    known = draw.random(items) < 0.6
    kept = known & (draw.random(items) >= forgotten)
    lost = draw.random(items) < unread
    return [
        (
            item("base", number, right=bool(known[number])),
            item("lima", number, right=bool(kept[number]), unread=bool(lost[number])),
        )
        for number in range(items)
    ]


def holds(interval: Interval | None, truth: float) -> bool:
    assert interval is not None
    return interval.low <= truth <= interval.high


@pytest.mark.parametrize(("unread", "forgotten"), [(0.15, 0.0), (0.0, 0.2), (0.1, 0.1)])
def test_planted_losses_lie_in_their_intervals(unread: float, forgotten: float) -> None:
    hits = []
    for seed in range(60):
        split = split_of(planted(seed, 400, unread=unread, forgotten=forgotten), RESAMPLING)
        assert split is not None
        knowledge = -0.6 * forgotten
        whole = -0.6 + 0.6 * (1 - forgotten) * (1 - unread)
        hits.append((holds(split.knowledge, knowledge), holds(split.format, whole - knowledge)))
    of_knowledge, of_format = np.mean(hits, axis=0)
    # 60 studies at 95 %: fewer than 52 hits would be a chance of one in a thousand.
    assert of_knowledge >= 52 / 60
    assert of_format >= 52 / 60


def test_a_loss_of_format_alone_is_no_loss_of_knowledge() -> None:
    split = split_of(planted(1, 2000, unread=0.2, forgotten=0.0), RESAMPLING)
    assert split and split.format and split.knowledge
    assert split.format.high < -0.08
    assert split.knowledge.estimate == 0


def test_the_parts_add_up_to_the_whole() -> None:
    pairs = planted(2, 300, unread=0.1, forgotten=0.1)
    split = split_of(pairs, RESAMPLING)
    assert split and split.format and split.knowledge
    whole = np.mean([other.value - one.value for one, other in pairs])
    assert split.format.estimate + split.knowledge.estimate == pytest.approx(whole)


def test_answers_that_were_all_read_are_no_certainty_about_format() -> None:
    split = split_of(planted(3, 30, unread=0.0, forgotten=0.2), RESAMPLING)
    assert split and split.format
    assert split.format.low < 0 < split.format.high


def test_scores_without_replies_have_no_split() -> None:
    pairs = [
        (replace(one, reply=None), replace(other, reply=None))
        for one, other in planted(4, 20, unread=0.0, forgotten=0.1)
    ]
    assert split_of(pairs, RESAMPLING) is None


def test_a_task_of_which_nothing_was_read_in_both_has_no_knowledge() -> None:
    split = split_of(planted(5, 20, unread=1.0, forgotten=0.0), RESAMPLING)
    assert split and split.knowledge is None and split.format is None
    assert split.guessed is not None


def choice(number: int, *, right: float, confidence: float) -> BenchmarkItem:
    return replace(
        item("m", number, right=right == confidence),
        reply=None,
        right_probability=right,
        confidence=confidence,
    )


def test_calibration_error_is_the_gap_of_accuracy_and_confidence() -> None:
    # Ten items at 0.75, of which five are right: a gap of 0.25 in one bin.
    before = [choice(n, right=0.75 if n < 5 else 0.1, confidence=0.75) for n in range(10)]
    after = [choice(n, right=0.5, confidence=0.5) for n in range(10)]
    found = sureness_of(list(zip(before, after, strict=True)), RESAMPLING)
    assert found is not None
    assert found.base_error == pytest.approx(0.25)
    assert found.tuned_error == pytest.approx(0.5)
    assert found.error_difference.estimate == pytest.approx(0.25)
    assert found.right_probability.estimate == pytest.approx(0.5 - (0.75 + 0.1) / 2)


def test_mmlu_pro_of_mistral_and_its_instruct_model(shared_data: Path, tmp_path: Path) -> None:
    """Published answers: the sign of the change depends on what an unread answer counts."""
    source = shared_data / "benchmarks/parity/mmlu-pro-mistral-7b-v0.2.csv"
    for model in ("base", "tuned"):
        layout = ItemLayout(
            task="mmlu_pro",
            columns={
                "item": "question_id",
                "right": "answer",
                "answer": f"{model}_choice",
                "choices": "options",
            },
        )
        write_records(tmp_path / f"{model}.jsonl", adopted([(source, layout)], model)[1])
    (row,) = alignment_tax(
        tmp_path / "base.jsonl", [tmp_path / "tuned.jsonl"], rounds=300, confidence=0.95, seed=1
    )
    split = row.split
    assert row.difference and split and split.knowledge and split.format and split.guessed
    assert row.items == 12032
    assert 100 * row.difference.estimate == pytest.approx(-0.42, abs=0.005)
    assert 100 * split.guessed.estimate == pytest.approx(0.43, abs=0.005)
    assert 100 * split.knowledge.estimate == pytest.approx(2.1, abs=0.05)
    assert (split.unread_base, split.unread_tuned) == (1334, 2237)
    assert split.knowledge.low > 0 > split.format.high
    assert holds(row.difference, 0)


def test_a_planted_loss_of_format_is_found_by_its_test_and_none_of_knowledge() -> None:
    split = split_of(planted(7, 600, unread=0.15, forgotten=0.0), RESAMPLING)
    assert split and split.format_loss_p is not None and split.knowledge_loss_p is not None
    assert split.format_loss_p < 0.001
    assert split.knowledge_loss_p == 1


def test_a_planted_loss_of_knowledge_is_found_by_its_test_and_none_of_format() -> None:
    found = [
        split_of(planted(seed, 400, unread=0.0, forgotten=0.15), RESAMPLING) for seed in range(20)
    ]
    assert all(split and (split.knowledge_loss_p or 0) < 0.001 for split in found)
    assert all(split and split.format_loss_p == 1 for split in found)


def test_without_a_loss_of_format_its_test_seldom_finds_one() -> None:
    found = []
    for seed in range(100):
        pairs = planted(seed, 300, unread=0.1, forgotten=0.0)
        # As many of the base's replies are unread, by lot.
        draw = np.random.default_rng(seed + 1000).random(len(pairs)) < 0.1
        both = [
            (replace(one, value=0.0, unread=True) if lost else one, other)
            for (one, other), lost in zip(pairs, draw, strict=True)
        ]
        split = split_of(both, RESAMPLING)
        assert split and split.format_loss_p is not None
        found.append(split.format_loss_p < 0.05)
    # More than 12 of 100 at 5 % would be a chance of one in a thousand.
    assert sum(found) <= 12
