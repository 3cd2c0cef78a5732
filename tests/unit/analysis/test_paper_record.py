"""The paper's values are whole, add up, and are the record's."""

from pathlib import Path

from limaflow.analysis.paper import paper


def test_table_1_counts_a_thousand_training_and_three_hundred_test_prompts() -> None:
    count = dict.fromkeys(("train", "dev", "test"), 0)
    for row in paper().sources.rows:
        count[row.split] += row.examples
    assert count == {"train": 1000, "dev": 50, "test": 300}


def test_win_tie_and_lose_add_up_to_the_whole() -> None:
    assert all(row.win + row.tie + row.lose == 100 for row in paper().preferences.rows)


def test_both_annotators_of_figures_1_and_2_judged_the_same_baselines() -> None:
    rows = paper().preferences.rows
    by_figure = [{r.baseline for r in rows if r.place == f"Figure {n}"} for n in (1, 2)]
    assert by_figure[0] == by_figure[1]
    assert len(by_figure[0]) == 5


def test_no_value_lacks_both_a_number_and_a_range() -> None:
    for value in paper().values.values():
        assert value.value is not None or (value.low is not None and value.high is not None)


def test_values_agree_with_the_shared_record(shared_data: Path) -> None:
    record = (shared_data.parent / "paper/lima.md").read_text(encoding="utf-8")
    rows: dict[str, list[str]] = {}
    for row in paper().preferences.rows:
        rows.setdefault(row.baseline, []).append(f"{row.win:g} / {row.tie:g} / {row.lose:g}")
    for baseline, cells in rows.items():
        line = next(x for x in record.splitlines() if x.startswith(f"| {baseline}"))
        assert all(cell in line for cell in cells)
    curve = [row.perplexity for row in paper().epochs.rows]
    assert ", ".join(f"{value:g}" for value in curve) in record
    for source in paper().sources.rows:
        length = "–" if source.mean_output is None else f"{source.mean_output:,}"
        shown = (source.split, source.source, source.examples, source.mean_input, length)
        cell = f"| {' | '.join(map(str, shown))} |"
        assert cell in record
