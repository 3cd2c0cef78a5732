"""Decontamination: shared runs of words, short prompts, held-out examples."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from limaflow.curation.decontamination import Protected, contamination, decontaminated
from limaflow.curation.protected_text import ProtectedText, ProtectedTexts
from limaflow.records import Example

Build = Callable[..., Example]


def item(text: str) -> ProtectedText:
    return ProtectedText(task="quiz", item_id="7", text=text)


def test_a_shared_run_of_words_is_found_in_prompt_and_response_and_quoted(
    example: Build,
) -> None:
    text = "The quick brown fox jumps over the lazy dog near the river"
    inside = example("Tell!", "Well: the quick, brown fox -- JUMPS over the lazy cat.")
    kept, [drop], [match] = decontaminated([inside], Protected([], [item(text)], 5))
    assert not kept
    assert drop.rule == "contaminated"
    assert (match.where, match.against, match.item_id) == ("assistant", "quiz", "7")
    assert match.matched == "the quick, brown fox -- JUMPS over the lazy"
    assert match.words == 8


def test_fewer_shared_words_than_the_ngram_are_let_pass(example: Build) -> None:
    far = example("Tell!", "the quick brown fox walks")
    kept, dropped, _ = decontaminated(
        [far], Protected([], [item("the quick brown fox jumps over")], 5)
    )
    assert (kept, dropped) == ([far], [])


def test_a_prompt_shorter_than_the_ngram_is_matched_whole(example: Build) -> None:
    prompt = example("Name three Greek gods", split="test")
    asked = example("Please name three Greek gods for us.", "Zeus, Hera, Ares")
    near = example("Please name three Greek islands.", "Naxos")
    kept, [drop], [match] = decontaminated([asked, near], Protected([prompt], [], 13))
    assert kept == [near]
    assert (match.against, match.matched) == ("test", "name three Greek gods")
    assert drop.id == asked.id


def test_a_text_of_a_word_or_two_must_be_the_whole_turn(example: Build) -> None:
    whole, inside = example("the river!", "It flows."), example("Where is the river?", "There.")
    kept, [drop], _ = decontaminated([whole, inside], Protected([], [item("The river")], 13))
    assert kept == [inside]
    assert drop.id == whole.id


def test_the_question_of_a_multiple_choice_item_is_protected_without_its_choices(
    example: Build,
) -> None:
    question = "The river of Linstead is the"
    quiz = replace(item(f"{question}\nElsin\nMossel\nTavish\nLorne"), question=question)
    told = example("Tell!", "Gladly. The river of Linstead is the Elsin.")
    kept, [drop], [match] = decontaminated([told], Protected([], [quiz], 8))
    assert not kept
    assert match.matched == "The river of Linstead is the"
    assert "quiz 7" in drop.detail


def test_held_out_examples_and_prompts_alone_leave_the_pool(example: Build) -> None:
    held, alone = example("What is malt?", "Grain."), example("What is hop?")
    other = example("What is must?", "Juice.")
    kept, dropped, matches = decontaminated(
        [held, alone, other], Protected([example("what is malt", split="dev")], [], 13)
    )
    assert kept == [other]
    assert {(drop.id, drop.rule) for drop in dropped} == {
        (held.id, "held_out"),
        (alone.id, "no_response"),
    }
    assert matches == []


def test_real_benchmark_items_planted_in_a_response_come_to_light(
    shared_data: Path, example: Build
) -> None:
    import json

    lines = (shared_data / "benchmarks/gsm8k/test.jsonl").read_text().splitlines()
    texts = [
        ProtectedText(task="gsm8k", item_id=str(n), text=json.loads(line)["question"])
        for n, line in enumerate(lines)
    ]
    planted = example("Write a quiz.", f"First question. {texts[42].text} Think well.")
    clean = example("Write a poem.", "Roses are red, violets are blue, and barley is gold.")
    kept, [drop], matches = decontaminated([planted, clean], Protected([], texts, 13))
    assert kept == [clean]
    assert drop.id == planted.id
    best = max(matches, key=lambda match: match.words)
    assert best.item_id == "42"
    assert best.matched == texts[42].text.rstrip(".?!")


def test_the_report_quotes_both_texts_and_bounds_what_it_lists(example: Build) -> None:
    phrase = "the answer to the question below is one of these four letters always"
    texts = [ProtectedText(task="quiz", item_id=str(n), text=f"{phrase} {n}") for n in range(500)]
    long = example("Quiz", f"{'before ' * 500}{phrase} 7 {'after ' * 500}")
    _, [drop], matches = decontaminated([long], Protected([], texts, 13))
    assert len(matches) == 100
    best = max(matches, key=lambda match: match.words)
    assert (best.item_id, best.text) == ("7", f"{phrase} 7")
    assert best.matched == f"{phrase} 7"
    assert best.matched in best.turn
    assert len(best.turn) <= 600
    assert "quiz 7: 14 words" in drop.detail


def test_a_long_protected_text_is_quoted_where_it_is_shared(example: Build) -> None:
    phrase = "somewhere deep inside the item stands this very sentence of thirteen words indeed"
    text = item(f"{'before ' * 500}{phrase} {'after ' * 500}")
    _, _, [match] = decontaminated([example("Tell!", phrase)], Protected([], [text], 13))
    assert phrase in match.text
    assert len(match.text) <= 600


def test_a_data_set_brought_whole_is_searched_and_keeps_its_examples(example: Build) -> None:
    held_out = example("Name three Greek gods of the sea", split="test")
    train = [example("Name three Greek gods of the sea!", "Poseidon"), example("Why?", "So.")]
    [match] = contamination(train, Protected([held_out], [], 13))
    assert (match.id, match.against, match.where) == (train[0].id, "test", "user")


WORDS = st.lists(st.sampled_from("abc"), max_size=12)


@given(WORDS, WORDS, st.integers(1, 5))
def test_a_match_is_found_exactly_when_a_naive_search_finds_one(
    said: list[str], protected: list[str], size: int
) -> None:
    def runs(words: list[str], length: int) -> set[tuple[str, ...]]:
        return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}

    if len(protected) >= size:
        expected = bool(runs(said, size) & runs(protected, size))
    elif len(protected) >= min(4, size):
        expected = tuple(protected) in runs(said, len(protected))
    else:
        expected = bool(protected) and said == protected
    found = ProtectedTexts([item(" ".join(protected))], size).shared(" ".join(said))
    assert bool(found) == expected
