"""The rules of claims keep the level and the power that docs/statistics.md gives them."""

import numpy as np
import pytest
from simulated_studies import (
    PAPER,
    above_the_lower_end,
    interval_by_interval,
    no_tax,
    replicated,
    share,
    task,
    taxed,
)

from limaflow.analysis.decision_rules import (
    equivalent,
    no_sure_loss,
    times_as_many,
)
from limaflow.analysis.replication import replicates, replication_margin
from limaflow.intervals import Interval, mean_of_independent

STUDIES = 300


@pytest.mark.slow
def test_without_a_tax_twenty_tasks_of_a_thousand_items_seldom_show_one_and_mostly_none() -> None:
    found = taxed([0.0] * 20, 1000, 0.25, STUDIES)
    assert found["contradicted"] / STUDIES <= 0.05
    assert found["supported"] / STUDIES >= 0.8


def test_task_by_task_the_same_studies_would_be_contradicted_a_third_of_the_time() -> None:
    found = taxed([0.0] * 20, 1000, 0.25, STUDIES, interval_by_interval)
    assert found["contradicted"] / STUDIES > 0.25
    assert found["supported"] == 0


@pytest.mark.parametrize(("tasks", "items"), [(1, 300), (3, 40), (20, 10)])
def test_a_mean_loss_of_the_margin_is_seldom_called_none(tasks: int, items: int) -> None:
    for discordant in (0.02, 0.05, 0.25):
        found = taxed([0.02] * tasks, items, discordant, STUDIES)
        assert found["supported"] / STUDIES <= 0.05


@pytest.mark.parametrize(("tasks", "items"), [(1, 30), (5, 30), (20, 30), (5, 300)])
def test_few_tasks_and_few_items_keep_the_level_of_a_loss(tasks: int, items: int) -> None:
    for discordant in (0.05, 0.25, 1.0):
        found = taxed([0.0] * tasks, items, discordant, 500)
        assert found["contradicted"] / 500 <= 0.05


def test_a_loss_of_all_tasks_or_of_one_is_found() -> None:
    spread = taxed([0.02] * 20, 1000, 0.25, 100)
    alone = taxed([0.1] + [0.0] * 19, 1000, 0.25, 100)
    assert min(spread["contradicted"], alone["contradicted"]) >= 80


def test_tasks_of_which_no_answer_changed_show_nothing_on_few_items() -> None:
    assert no_tax([task(0, 0, 3)] * 3) == "undecided"
    assert no_tax([task(0, 0, 60)]) == "undecided"
    assert no_tax([task(0, 0, 500)] * 5) == "supported"


@pytest.mark.slow
def test_so_many_more_items_as_are_named_support_that_there_is_no_loss() -> None:
    few = mean_of_independent([task(25, 25, 200)[0]] * 5)
    needed = times_as_many(few, 0.02, confidence=0.95)
    assert needed > 2
    found = taxed([0.0] * 5, round(200 * needed), 0.25, STUDIES)
    assert 0.75 <= found["supported"] / STUDIES <= 0.95


def test_two_one_sided_tests_agree_with_students() -> None:
    statsmodels = pytest.importorskip("statsmodels.stats.weightstats")
    draw = np.random.default_rng(0)
    agreed = 0
    for _ in range(200):
        gained, lost, _ = draw.multinomial(1000, [0.03, 0.03, 0.94]).tolist()
        changes = np.repeat([1.0, -1.0, 0.0], [gained, lost, 1000 - gained - lost])
        theirs = statsmodels.DescrStatsW(changes).ttost_mean(-0.02, 0.02)[0] < 0.05
        ours = equivalent(task(gained, lost, 1000)[0], 0.02, confidence=0.95) == "supported"
        agreed += ours == theirs or task(gained, lost, 1000)[0].high < 0
    assert agreed >= 180


def test_losses_are_sure_by_holms_method() -> None:
    p_values = [0.001, 0.2, 0.004, 0.02]
    found = no_sure_loss(p_values, 0.0125)
    sure = "contradicted"
    # 0.001 ≤ 0.0125 / 4, 0.004 ≤ 0.0125 / 3, and 0.02 > 0.0125 / 2.
    assert [bearing == sure for bearing in found] == [True, False, True, False]
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    rejected = multitest.multipletests(p_values, alpha=0.0125, method="holm")[0]
    assert [bearing == sure for bearing in found] == rejected.tolist()


@pytest.mark.parametrize("value", PAPER[300])
def test_an_exact_replication_is_supported_and_one_far_off_contradicted(value: float) -> None:
    margin = replication_margin(value, 300)
    assert margin.decides and 0.05 < margin.size <= 0.1
    studies = 2000
    assert replicated(value, margin, 300, studies)["supported"] / studies >= 0.8
    for away in (value - 2 * margin.size, value + 2 * margin.size):
        if 0 <= away <= 1:
            found = replicated(away, margin, 300, studies)
            assert found["contradicted"] / studies >= 0.8


def test_the_lower_end_of_the_papers_interval_would_support_half_of_exact_replications() -> None:
    margin = replication_margin(0.58, 300)
    assert above_the_lower_end(0.58, margin, 300, 2000) < 0.6


@pytest.mark.parametrize("value", PAPER[300])
def test_it_is_supported_as_often_where_the_papers_sample_is_drawn_too(value: float) -> None:
    margin = replication_margin(value, 300)
    found = replicated(value, margin, 300, 2000, printed=False)
    assert found["supported"] / 2000 >= 0.77


@pytest.mark.parametrize("prompts", [10, 30, 50])
def test_few_prompts_of_the_paper_cannot_decide_and_say_so(prompts: int) -> None:
    margin = replication_margin(0.5, prompts)
    assert not margin.decides and margin.size == 0.1
    assert "the paper's sample cannot decide" in margin.reason
    exact = replicated(0.5, margin, prompts, 500)
    assert exact["contradicted"] / 500 <= 0.05
    assert exact["supported"] == 0


def test_a_larger_sample_of_ours_decides_where_the_papers_cannot() -> None:
    margin = replication_margin(0.8, 30)
    assert replicated(0.8, margin, 300, 1000)["supported"] / 1000 >= 0.8
    assert replicated(0.6, margin, 300, 1000)["contradicted"] / 1000 >= 0.8
    assert replicates(share(210, 300), margin, confidence=0.95) == "undecided"


def test_a_share_beyond_the_papers_is_no_replication_either() -> None:
    margin = replication_margin(0.34, 300)
    assert replicates(Interval(0.6, 0.54, 0.66), margin, confidence=0.95) == "contradicted"
