"""Duplicates: one of each group stays, whatever the order of the files."""

import random
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from limaflow.config import Deduplication
from limaflow.curation.deduplication import deduplicated
from limaflow.curation.wording import plain
from limaflow.jsonl import line_of
from limaflow.records import Example, Message, Provenance, example_id

Build = Callable[..., Example]
SETTINGS = Deduplication(jaccard=0.8, shingle_words=3, permutations=128)
STORY = " ".join(f"word{n}" for n in range(120))


def test_the_same_prompt_keeps_the_response_with_the_higher_score(example: Build) -> None:
    low = example("What is malt?", "Grain.", score=3)
    high = example("what is  malt", "Sprouted grain.", score=9)
    kept, [drop] = deduplicated([low, high], SETTINGS)
    assert kept == [high]
    assert (drop.id, drop.rule) == (low.id, "same_prompt")
    assert high.id in drop.detail


def test_equal_scores_keep_the_lowest_id_across_sources(example: Build) -> None:
    twins = [example("What is malt?", answer, source=s) for answer, s in [("a", "x"), ("b", "y")]]
    kept, _ = deduplicated(twins, SETTINGS)
    assert kept == [min(twins, key=lambda e: e.id)]


def test_near_duplicates_name_the_kept_one_and_the_similarity(example: Build) -> None:
    first = example("Tell a story of words", STORY, score=2)
    second = example("Tell one story of words", STORY.replace("word60", "other"), score=1)
    kept, [drop] = deduplicated([first, second], SETTINGS)
    assert kept == [first]
    assert drop.rule == "near_duplicate"
    assert first.id in drop.detail
    assert "similarity 0.9" in drop.detail


def test_a_shared_short_answer_and_a_shared_definition_are_no_duplicates(example: Build) -> None:
    first = example("Is it true? Paris lies in France.", "yes")
    second = example("Is it true? Rome lies in Italy.", "yes")
    sums = [example("What is 3 + 4?", "7"), example("What is 3 - 4?", "-1")]
    assert len(deduplicated([first, second, *sums], SETTINGS)[0]) == 4


def test_the_order_of_the_input_does_not_matter(example: Build) -> None:
    pool = [
        example(f"Prompt {n % 7} of {n % 3}", STORY.replace(f"word{n}", "x"), score=n % 4)
        for n in range(40)
    ]
    whole = deduplicated(pool, SETTINGS)
    for seed in range(3):
        random.Random(seed).shuffle(pool)
        assert list(map(line_of, deduplicated(pool, SETTINGS)[0])) == list(map(line_of, whole[0]))
        assert deduplicated(pool, SETTINGS)[1] == whole[1]


@given(st.lists(st.tuples(st.text(min_size=1, max_size=8), st.integers(0, 3)), max_size=30))
def test_counts_add_up_and_no_prompt_stands_twice(rows: list[tuple[str, int]]) -> None:
    examples = []
    for prompt, score in rows:
        messages = (Message(role="user", content=prompt),)
        examples.append(
            Example(
                id=example_id(messages),
                messages=messages,
                source="s",
                split="train",
                provenance=Provenance(score=score),
            )
        )
    kept, dropped = deduplicated(examples, SETTINGS)
    assert len(kept) + len(dropped) == len(examples)
    assert len({plain(e.prompt) for e in kept}) == len(kept)
    assert {e.id for e in kept} <= {e.id for e in examples}
