"""A text that mentions a control token is text: no control token comes of it, and it decodes."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from limaflow.records import Message
from limaflow.training.control_tokens import (
    chat_tokens,
    control_strings,
    mentioned,
    text_tokens,
)
from limaflow.training.conversation import END_OF_TURN, add_dialogue_tokens

PROSE = [
    "HTML strikes a text through with <s>…</s>, or <del>.",
    "The end of a turn is <|im_end|>.",
]
MENTIONS = ["<s>", "</s>", "<unk>", "<|im_end|>", END_OF_TURN, "<think>"]
PIECES = st.sampled_from(
    [*MENTIONS, " ", "\n", "  ", "<", "|", "s", "/", ">", "a", "é", "漢", "\t"]
)
TEXTS = st.lists(PIECES | st.text(st.characters(exclude_categories=["Cs", "Co"]), max_size=3)).map(
    "".join
)


def byte_level() -> Tokenizer:
    """As GPT-2's, with BOS."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<unk>", "<s>", "</s>"]
    made.train_from_iterator(
        PROSE * 9,
        BpeTrainer(special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    return made


def sentencepiece_like(legacy: bool) -> Tokenizer:
    """As LLaMA's: a space before the text, spaces as ▁, bytes of what it does not know.

    Args:
        legacy: the space is put before each stretch between control tokens, not the first alone.
    """
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trained.train_from_iterator(PROSE * 9, BpeTrainer(show_progress=False, min_frequency=2))
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    by_number = sorted(trained.get_vocab().items(), key=lambda pair: pair[1])
    learned = [word for word, _ in by_number if word not in special]
    vocabulary = {word: number for number, word in enumerate([*special, *learned])}
    pairs = [(a, word[len(a) :]) for word in learned for a in learned if word.startswith(a)]
    made = Tokenizer(
        models.BPE(
            vocabulary,
            [(a, b) for a, b in pairs if b in vocabulary],
            unk_token="<unk>",
            byte_fallback=True,
            fuse_unk=True,
        )
    )
    if legacy:
        made.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
    else:
        made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    made.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return made


KINDS: dict[str, Callable[[], Tokenizer]] = {
    "byte-level": byte_level,
    "as LLaMA's": lambda: sentencepiece_like(legacy=False),
    "as LLaMA's, legacy": lambda: sentencepiece_like(legacy=True),
}


@cache
def tokenizer_of(kind: str) -> Any:
    """With our dialogue tokens; its added tokens `<|im_end|>` and `<think>` are not special."""
    made = KINDS[kind]()
    made.post_processor = TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", made.token_to_id("<s>"))]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    tokenizer.add_tokens(
        [AddedToken(text, special=False, normalized=False) for text in ("<|im_end|>", "<think>")]
    )
    tokenizer.chat_template = "{% if false %}<think>{% endif %}"
    add_dialogue_tokens(tokenizer)
    return tokenizer


def readable(text: str) -> str:
    """What a SentencePiece tokenizer can give back: ▁ is its space, the first one is lost."""
    return text.replace("▁", " ").lstrip(" ")


def turn(text: str) -> Message:
    return Message(role="user", content=text)


@pytest.mark.parametrize("kind", KINDS)
@given(text=TEXTS)
def test_a_text_makes_no_control_token_and_decodes_to_itself(kind: str, text: str) -> None:
    tokenizer = tokenizer_of(kind)
    control = {tokenizer.convert_tokens_to_ids(string) for string in control_strings(tokenizer)}
    for whole, start, end in (
        (chat_tokens([turn(text)], tokenizer), 1, -1),
        (text_tokens(text, tokenizer), 1, None),
    ):
        assert whole[0] == tokenizer.bos_token_id
        own = whole[start:end]
        assert not control.intersection(own)
        assert readable(tokenizer.decode(own)) == readable(text)


@pytest.mark.parametrize("kind", KINDS)
@given(text=TEXTS.filter(lambda text: not any(mention in text for mention in MENTIONS)))
def test_a_text_without_control_strings_has_the_tokens_that_it_always_had(
    kind: str, text: str
) -> None:
    tokenizer = tokenizer_of(kind)
    rendered = tokenizer.apply_chat_template([{"role": "user", "content": text}], tokenize=False)
    before = tokenizer(rendered, add_special_tokens=False)["input_ids"]
    assert chat_tokens([turn(text)], tokenizer) == before
    assert text_tokens(text, tokenizer) == tokenizer(text)["input_ids"]


def test_control_strings_are_special_or_written_so_or_written_by_the_models_own_template() -> None:
    tokenizer = tokenizer_of("byte-level")
    tokenizer.add_tokens([AddedToken("    ", special=False), AddedToken("strike", special=False)])
    assert {*MENTIONS} < {*control_strings(tokenizer)}
    assert not {"    ", "strike"} & {*control_strings(tokenizer)}
    assert tokenizer.chat_control_tokens == ["<think>", "<|im_end|>"]


def test_what_a_text_mentions_is_named() -> None:
    tokenizer = tokenizer_of("byte-level")
    assert mentioned(["a </s> b </s>", "<s>"], tokenizer) == {"<s>", "</s>"}
    assert not mentioned(["< /s>", "s"], tokenizer)


def test_an_exported_tokenizer_knows_them_when_the_template_that_wrote_them_is_gone(
    tmp_path: Path,
) -> None:
    tokenizer = tokenizer_of("byte-level")
    tokenizer.save_pretrained(tmp_path)
    exported = AutoTokenizer.from_pretrained(tmp_path)
    assert "<think>" not in exported.chat_template
    assert control_strings(exported) == control_strings(tokenizer)
    asked = [turn("What is <think> for?")]
    assert chat_tokens(asked, exported) == chat_tokens(asked, tokenizer)
    assert exported.convert_tokens_to_ids("<think>") not in chat_tokens(asked, exported)
