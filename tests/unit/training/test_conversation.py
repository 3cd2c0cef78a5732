"""How a conversation becomes tokens and labels."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from limaflow.errors import InputError
from limaflow.records import Example, Message
from limaflow.training.conversation import (
    END_OF_TURN,
    IGNORED,
    TokenizedExample,
    check_trained,
    extend_embeddings,
    shown,
    tokenized,
)
from limaflow.training.data import dialogue_tokenizer


def dialogue(*texts: str) -> Example:
    roles = ["user", "assistant"] * len(texts)
    messages = tuple(
        Message(role=role, content=text) for role, text in zip(roles, texts, strict=False)
    )
    return Example(id="e1", messages=messages, source="test", split="train")


def test_every_utterance_ends_in_the_end_of_turn_and_no_words_name_the_roles(
    tiny_base: Path,
) -> None:
    tokenizer, _ = dialogue_tokenizer(tiny_base)
    example = tokenized(dialogue("Hi?", "Yes."), tokenizer, max_tokens=64, loss_on="responses")
    assert tokenizer.decode(example.tokens) == f"<s>Hi?{END_OF_TURN}Yes.{END_OF_TURN}"


def test_only_responses_and_their_ends_are_trained_in_every_turn(tiny_base: Path) -> None:
    tokenizer, _ = dialogue_tokenizer(tiny_base)
    example = tokenized(
        dialogue("Hi?", "Yes.", "Why?", "So."), tokenizer, max_tokens=64, loss_on="responses"
    )
    trained = [label for label in example.labels if label != IGNORED]
    assert tokenizer.decode(trained) == f"Yes.{END_OF_TURN}So.{END_OF_TURN}"
    assert example.trained == len(trained)


def test_loss_on_everything_trains_all_but_the_first_token(tiny_base: Path) -> None:
    tokenizer, _ = dialogue_tokenizer(tiny_base)
    example = tokenized(dialogue("Hi?", "Yes."), tokenizer, max_tokens=64, loss_on="everything")
    assert example.labels == (IGNORED, *example.tokens[1:])


def test_a_prompt_is_rendered_for_generation_as_it_was_for_training(tiny_base: Path) -> None:
    tokenizer, _ = dialogue_tokenizer(tiny_base)
    example = tokenized(dialogue("Hi?", "Yes."), tokenizer, max_tokens=64, loss_on="responses")
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi?"}], add_generation_prompt=True, return_dict=False
    )
    assert example.tokens[: len(asked)] == tuple(asked)
    assert set(example.labels[: len(asked)]) == {IGNORED}


def test_a_long_example_is_cut_at_its_end_and_says_by_how_much(tiny_base: Path) -> None:
    tokenizer, _ = dialogue_tokenizer(tiny_base)
    talk = dialogue("Hi?", "Yes. " * 20)
    whole = tokenized(talk, tokenizer, max_tokens=999, loss_on="responses")
    cut = tokenized(talk, tokenizer, max_tokens=10, loss_on="responses")
    assert cut.tokens == whole.tokens[:10]
    assert cut.trimmed == len(whole.tokens) - 10


def test_pad_is_neither_the_end_of_turn_nor_eos(tiny_base: Path) -> None:
    tokenizer, new = dialogue_tokenizer(tiny_base)
    end = tokenizer.convert_tokens_to_ids(END_OF_TURN)
    assert len({tokenizer.pad_token_id, end, tokenizer.eos_token_id}) == 3
    assert set(new) == {tokenizer.pad_token_id, end}


@pytest.mark.parametrize("tied", [True, False])
def test_the_end_of_turn_starts_as_eos_in_tied_and_untied_heads(
    tiny_base: Path, tied: bool
) -> None:
    tokenizer, new = dialogue_tokenizer(tiny_base)
    model = AutoModelForCausalLM.from_pretrained(
        tiny_base.parent / "model", tie_word_embeddings=tied
    )
    extend_embeddings(model, tokenizer, new)
    end = tokenizer.convert_tokens_to_ids(END_OF_TURN)
    for table in (model.get_input_embeddings().weight, model.get_output_embeddings().weight):
        assert table.shape[0] == len(tokenizer)
        assert table[end].equal(table[tokenizer.eos_token_id])


@pytest.mark.parametrize("tied", [True, False])
def test_the_vocabulary_is_padded_with_rows_of_the_mean(tiny_base: Path, tied: bool) -> None:
    tokenizer, new = dialogue_tokenizer(tiny_base)
    model = AutoModelForCausalLM.from_pretrained(
        tiny_base.parent / "model", tie_word_embeddings=tied
    )
    known = model.config.vocab_size
    extend_embeddings(model, tokenizer, new, multiple=64)
    assert model.config.vocab_size == 448 > len(tokenizer)
    for table in (model.get_input_embeddings().weight, model.get_output_embeddings().weight):
        beyond = table[len(tokenizer) :]
        assert beyond.shape[0] == 448 - len(tokenizer)
        torch.testing.assert_close(beyond, table[:known].mean(dim=0).expand_as(beyond))


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([("assistant", "Yes.")], "alternate"),
        ([("user", "a"), ("user", "b")], "alternate"),
        ([("system", "s"), ("user", "a")], "alternate"),
        ([("user", "a"), ("assistant", " \n")], "response is empty"),
    ],
)
def test_what_is_no_dialogue_is_refused_by_name(
    tiny_base: Path, messages: list[tuple[str, str]], complaint: str
) -> None:
    tokenizer, _ = dialogue_tokenizer(tiny_base)
    turns = tuple(Message(role=r, content=c) for r, c in messages)
    example = Example(id="e1", messages=turns, source="test", split="train")
    with pytest.raises(InputError, match=f"e1.*{complaint}"):
        tokenized(example, tokenizer, max_tokens=64, loss_on="responses")


def test_a_text_that_mentions_control_tokens_ends_no_turn_and_is_told(tiny_base: Path) -> None:
    tokenizer, _ = dialogue_tokenizer(tiny_base)
    asked, answered = f"What is {END_OF_TURN}?", "It ends a turn, as </s> ends a text."
    example = tokenized(dialogue(asked, answered), tokenizer, max_tokens=99, loss_on="responses")
    assert tokenizer.decode(example.tokens) == f"<s>{asked}{END_OF_TURN}{answered}{END_OF_TURN}"
    end = tokenizer.convert_tokens_to_ids(END_OF_TURN)
    assert example.tokens.count(end) == 2
    assert tokenizer.eos_token_id not in example.tokens
    trained = [label for label in example.labels if label != IGNORED]
    assert tokenizer.decode(trained) == f"{answered}{END_OF_TURN}"
    assert example.control_strings == {END_OF_TURN, "</s>"}


def test_an_untrained_end_of_turn_or_an_example_that_teaches_nothing_stops_the_run() -> None:
    end = 9
    good = TokenizedExample("good", (1, end, 2, end), (IGNORED, IGNORED, 2, end), 0, (3,))
    endless = TokenizedExample("endless", (1, end, 2, end), (IGNORED, IGNORED, 2, IGNORED), 0, (3,))
    empty = TokenizedExample("empty", (1, end), (IGNORED, IGNORED), 5)
    check_trained([good])
    with pytest.raises(InputError, match=r"endless.*\[3\] is not trained"):
        check_trained([good, endless])
    with pytest.raises(InputError, match="empty has no trained token"):
        check_trained([good, empty])


def test_the_printed_table_shows_each_token_with_its_label(tiny_base: Path) -> None:
    tokenizer, _ = dialogue_tokenizer(tiny_base)
    example = tokenized(dialogue("Hi?", "Yes."), tokenizer, max_tokens=64, loss_on="responses")
    lines = shown(example, tokenizer).splitlines()[1:]
    assert len(lines) == len(example.tokens)
    assert END_OF_TURN in lines[-1]
    assert lines[-1].endswith("yes")
    assert lines[0].endswith("-")
