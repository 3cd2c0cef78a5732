"""Sampling over strata, the order within them, the reserve, and held-out prompts."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limaflow.curation.holdout import prompts_of
from limaflow.curation.sampling import sampled
from limaflow.curation.settings import Prompts
from limaflow.curation.wording import plain
from limaflow.errors import InputError
from limaflow.records import Example, Message, Provenance, example_id

Build = Callable[..., Example]


def pool_of(sizes: dict[str, int], kind: str = "stackexchange") -> list[Example]:
    pool = []
    for stratum, size in sizes.items():
        for n in range(size):
            messages = (
                Message(role="user", content=f"{stratum} {n}"),
                Message(role="assistant", content="yes"),
            )
            pool.append(
                Example(
                    id=example_id(messages),
                    messages=messages,
                    source="s",
                    split="train",
                    kind=kind,
                    stratum=stratum,
                    provenance=Provenance(prompt_score=n),
                )
            )
    return pool


def test_within_a_site_the_questions_with_the_highest_score_come_first() -> None:
    pool = pool_of({"beer": 30, "wine": 30})
    chosen, reserve = sampled(pool, {"s": 20}, 3.0, 0.25, seed=1)
    for stratum, count in Counter(e.stratum for e in chosen).items():
        scores = sorted(e.provenance.prompt_score or 0 for e in chosen if e.stratum == stratum)
        assert scores == list(range(30 - count, 30))
        spare = sorted(e.provenance.prompt_score or 0 for e in reserve if e.stratum == stratum)
        assert spare == list(range(30 - count - -(-count // 4), 30 - count))


def test_all_is_whatever_the_source_has() -> None:
    pool = pool_of({"beer": 30, "wine": 2}, kind="released")
    chosen, reserve = sampled(pool, {"s": "all"}, 3.0, 0.25, seed=1)
    assert {e.id for e in chosen} == {e.id for e in pool}
    assert not reserve
    with pytest.raises(InputError, match="all examples wanted, none available"):
        sampled(pool, {"other": "all"}, 3.0, 0.25, seed=1)


@pytest.mark.parametrize(
    ("temperature", "largest_first"), [(1e-3, True), (1e-320, True), (1e9, False)]
)
def test_any_temperature_draws_from_all_strata(temperature: float, largest_first: bool) -> None:
    pool = pool_of({"beer": 30, "wine": 90, "tea": 3})
    chosen, _ = sampled(pool, {"s": 90}, temperature, 0.0, seed=1)
    assert ({e.stratum for e in chosen} == {"wine"}) is largest_first
    assert len(sampled(pool, {"s": 123}, temperature, 0.0, seed=1)[0]) == 123


def test_a_higher_temperature_draws_small_sites_more_often() -> None:
    pool = pool_of({"big": 800, "small": 100})
    shares = []
    for temperature in (1.0, 3.0, 1e9):
        small = [
            sum(e.stratum == "small" for e in sampled(pool, {"s": 90}, temperature, 0, seed)[0])
            for seed in range(30)
        ]
        shares.append(sum(small) / 30 / 90)
    # p ∝ n^(1/τ): 100 against 800 is 1/9 at τ = 1, 1/3 at τ = 3, and 1/2 without a bound.
    assert shares == pytest.approx([1 / 9, 1 / 3, 1 / 2], abs=0.03)


def test_every_task_gives_one_instance_before_any_gives_two() -> None:
    pool = pool_of({f"task{n}": 10 for n in range(6)}, kind="natural-instructions")
    chosen, _ = sampled(pool, {"s": 6}, 3.0, 0, seed=1)
    assert set(Counter(e.stratum for e in chosen).values()) == {1}
    more, _ = sampled(pool, {"s": 8}, 3.0, 0, seed=1)
    assert sorted(Counter(e.stratum for e in more).values()) == [1, 1, 1, 1, 2, 2]


def test_wikihow_draws_a_category_whatever_its_size_then_any_article() -> None:
    pool = pool_of({"big": 900, "small": 100}, kind="wikihow")
    draws = [sampled(pool, {"s": 40}, 1.0, 0, seed)[0] for seed in range(20)]
    assert sum(e.stratum == "small" for d in draws for e in d) / 800 == pytest.approx(0.5, abs=0.06)
    assert max(e.provenance.prompt_score or 0 for e in draws[0] if e.stratum == "big") < 899


def test_a_smaller_sample_is_part_of_a_larger_one() -> None:
    pool = pool_of({"beer": 40, "wine": 25, "tea": 5})
    small, _ = sampled(pool, {"s": 20}, 3.0, 0, seed=1)
    large, _ = sampled(pool, {"s": 50}, 3.0, 0, seed=1)
    assert {e.id for e in small} <= {e.id for e in large}


def test_too_small_a_pool_names_source_wanted_and_available() -> None:
    with pytest.raises(InputError, match="source 's': 9 examples wanted, 5 available"):
        sampled(pool_of({"beer": 5}), {"s": 9}, 3.0, 0, seed=1)
    with pytest.raises(InputError, match="source 'other': 1 examples wanted, 0 available"):
        sampled([], {"other": 1}, 3.0, 0, seed=1)


SIZES = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(1, 8), min_size=1)


@given(SIZES, st.integers(0, 8), st.integers(0, 3), st.randoms(use_true_random=False))
def test_samples_are_of_their_size_distinct_and_independent_of_order(
    sizes: dict[str, int], wanted: int, seed: int, shuffler: object
) -> None:
    pool = pool_of(sizes)
    wanted = min(wanted, len(pool))
    chosen, reserve = sampled(pool, {"s": wanted}, 3.0, 0.5, seed)
    assert len(chosen) == wanted
    assert len({e.id for e in [*chosen, *reserve]}) == len(chosen) + len(reserve)
    assert sampled(pool[::-1], {"s": wanted}, 3.0, 0.5, seed) == (chosen, reserve)


def test_held_out_prompts_are_distinct_disjoint_and_marked() -> None:
    pool = pool_of({"beer": 30, "wine": 10})
    twice = [*pool, *pool[:5]]
    splits = prompts_of(
        twice, {"dev": {"s": 8}, "test": {"s": 12}}, {"dev": [], "test": []}, 3.0, seed=1
    )
    assert [len(splits["dev"]), len(splits["test"])] == [8, 12]
    prompts = [plain(e.prompt) for members in splits.values() for e in members]
    assert len(set(prompts)) == 20
    assert {e.split for e in splits["dev"]} == {"dev"}
    assert all(e.response for e in splits["test"])


def test_held_out_counts_ask_for_distinct_prompts(example: Build) -> None:
    same = [example("What is malt?", answer) for answer in "abc"]
    with pytest.raises(InputError, match="2 examples wanted, 1 available"):
        prompts_of(same, {"dev": {"se": 1}, "test": {"se": 1}}, {}, 3.0, seed=1)


def test_a_split_draws_from_each_source_once() -> None:
    twice = [{"source": "se", "examples": 3}, {"source": "se", "examples": 2}]
    with pytest.raises(ValueError, match="test: se is drawn from twice"):
        Prompts.model_validate({"dev": [], "test": twice})
