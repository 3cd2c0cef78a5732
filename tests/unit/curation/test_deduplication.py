"""Duplicates: one of each group stays, whatever the order of the files."""

import itertools
import random
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from limaflow.curation.deduplication import deduplicated
from limaflow.curation.settings import Deduplication
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


def test_at_a_similarity_of_one_only_equal_texts_are_duplicates(example: Build) -> None:
    exact = SETTINGS.model_copy(update={"jaccard": 1.0})
    equal = [example("Tell: a story", STORY, score=2), example("Tell a story", STORY, score=1)]
    nearly = example("Tell a story of words", f"{STORY} more")
    kept, [drop] = deduplicated([*equal, nearly], exact)
    assert {e.id for e in kept} == {equal[0].id, nearly.id}
    assert drop.detail == f"kept {equal[0].id}; similarity 1.00"


def shingles(example: Example) -> set[tuple[str, ...]]:
    said = [word for message in example.messages for word in message.content.split()]
    return {tuple(said[start : start + 3]) for start in range(len(said) - 2)}


def test_near_duplicates_are_found_and_nothing_else_is_dropped(example: Build) -> None:
    """Held against every pair: 30 stories, each with copies of which more and more words differ."""
    draw = random.Random(1)
    pool = []
    for story in range(30):
        told = [f"w{draw.randrange(5000)}" for _ in range(200)]
        for changed in range(0, 30, 3):
            copy = list(told)
            for place in draw.sample(range(200), changed):
                copy[place] = f"x{draw.randrange(5000)}"
            pool.append(example(f"p{story}x{changed}", " ".join(copy), score=-changed))
    kept, dropped = deduplicated(pool, SETTINGS)
    sets = {e.id: shingles(e) for e in pool}

    def similarity(first: str, second: str) -> float:
        return len(sets[first] & sets[second]) / len(sets[first] | sets[second])

    for drop in dropped:
        twin = drop.detail.split()[1].rstrip(";")
        assert similarity(drop.id, twin) >= SETTINGS.jaccard
    pairs = itertools.combinations((e.id for e in kept), 2)
    assert max(similarity(*pair) for pair in pairs) < SETTINGS.jaccard + 0.03


def test_among_thousands_that_fill_in_one_template_the_twin_is_found(example: Build) -> None:
    draw = random.Random(1)
    frame = " ".join(f"frame{n}" for n in range(60))

    def filled(number: int, score: int) -> Example:
        told = " ".join(f"w{draw.randrange(9999)}" for _ in range(20))
        return example(f"p{number}", f"{frame} {told}", score=score)

    pool = [filled(number, 1) for number in range(1000)]
    twin = example("another prompt", pool[500].response, score=0)
    kept, [drop] = deduplicated([*pool, twin], SETTINGS)
    assert len(kept) == 1000
    assert (drop.id, drop.detail.split(";")[0]) == (twin.id, f"kept {pool[500].id}")


@given(st.data())
def test_the_result_is_the_same_from_any_order_of_the_input(data: st.DataObject) -> None:
    texts = st.text(alphabet="ab ", min_size=1, max_size=12)
    rows = data.draw(st.lists(st.tuples(texts, texts, st.none() | st.integers(0, 2)), max_size=12))
    examples = []
    for prompt, response, score in rows:
        turns = (
            Message(role="user", content=prompt),
            Message(role="assistant", content=response),
        )
        examples.append(
            Example(
                id=example_id(turns),
                messages=turns,
                source="s",
                split="train",
                provenance=Provenance(score=score),
            )
        )
    assert deduplicated(data.draw(st.permutations(examples)), SETTINGS) == deduplicated(
        examples, SETTINGS
    )


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
