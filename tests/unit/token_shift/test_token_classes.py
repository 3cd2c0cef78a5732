"""Each token has the class that the documented rule gives it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from limaflow.token_shift.token_classes import CLASSES, style_words, token_classes, token_texts


def classes_of(*texts: str, end: bool = False) -> list[str]:
    return list(token_classes(texts, [*[False] * (len(texts) - end), *[True] * end]))


def test_words_of_the_list_and_punctuation_are_style_and_other_words_content() -> None:
    found = classes_of("The", " river", " there", " is", " the", " Sab", "le", ",", " 4", "0", "!")
    assert found == [
        *("sentence start", "content", "style", "style", "style", "content", "content"),
        *("style", "content", "content", "style"),
    ]


def test_a_sentence_starts_after_its_stop_and_on_a_new_line() -> None:
    found = classes_of(
        "Go", ".", " Then", " 3", ".", "5", " miles", "\n", "-", " Rest", "!)", " Ok"
    )
    starts = [place for place, kind in enumerate(found) if kind == "sentence start"]
    assert starts == [0, 2, 9, 11]


def test_only_the_first_token_of_the_first_word_starts_a_sentence() -> None:
    assert classes_of("H", "ap", "py", " trav", "els")[:2] == ["sentence start", "style"]


def test_the_token_that_ends_the_response_has_a_class_of_its_own() -> None:
    found = classes_of("Yes", ".", "<|end_of_turn|>", end=True)
    assert found == ["sentence start", "style", "end of turn"]


def test_an_apostrophe_does_not_part_a_word() -> None:
    assert classes_of("So", " I", "'m", " don", "’t", " climb") == [
        *("sentence start", "style", "style", "style", "style", "content")
    ]


def test_parts_of_a_character_are_of_the_class_of_its_word() -> None:
    assert classes_of("the", " ", "", "é", "t", "é")[2:] == ["content"] * 4


@given(st.lists(st.text(alphabet="ab .!\n,é'’1", max_size=4), max_size=30))
def test_every_token_has_one_class(texts: list[str]) -> None:
    found = token_classes(texts, [False] * len(texts))
    assert len(found) == len(texts)
    assert set(found) <= set(CLASSES) - {"end of turn"}


def test_the_list_holds_function_words_and_no_names() -> None:
    assert {"the", "however", "thank", "dont"} <= style_words()
    assert not {"river", "python", "paris", "question"} & style_words()


@pytest.mark.parametrize("text", ["Plain words, twice.", "Ünïcödé — 数 and 🎉🎉", "a\n\n  b", ""])
def test_texts_of_tokens_join_to_the_text(tiny_base: Path, text: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    texts = token_texts(tokens, tokenizer)
    assert len(texts) == len(tokens)
    assert "".join(texts) == text
