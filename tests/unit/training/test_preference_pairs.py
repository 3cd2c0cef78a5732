"""Pairs of responses in the forms they come in, checked row by row and never cut."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from limaflow.curation.protected_text import ProtectedText, ProtectedTexts
from limaflow.errors import InputError
from limaflow.manifests import read_manifest
from limaflow.training.conversation import END_OF_TURN, add_dialogue_tokens
from limaflow.training.preference_pairs import Pairs, read_pairs, sharing, tokenized_pairs

ASKED, BETTER, WORSE = "What is sold in Arlo?", "Warm bread.", "Nine goats."
USER = {"role": "user", "content": ASKED}
TEXTS = {"prompt": ASKED, "chosen": BETTER, "rejected": WORSE}


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


@pytest.fixture(scope="module")
def tokenizer(tiny_base: Path) -> Any:
    found = AutoTokenizer.from_pretrained(read_manifest(tiny_base)[1])
    add_dialogue_tokens(found)
    return found


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: dict[str, Any]) -> Path:
        path = tmp_path / "pairs.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return write


def tokens_of(path: Path, tokenizer: Any, **changes: Any) -> Pairs:
    stops = frozenset([tokenizer.convert_tokens_to_ids(END_OF_TURN)])
    limits = {"max_tokens": 100, "max_left_out": 1.0} | changes
    return tokenized_pairs(path, tokenizer, stops, **limits)


@pytest.mark.parametrize(
    "row",
    [
        TEXTS,
        {"prompt": [USER], "chosen": said(BETTER), "rejected": said(WORSE)},
        {"chosen": [USER, *said(BETTER)], "rejected": [USER, *said(WORSE)]},
        {
            "chosen": f"\n\nHuman: {ASKED}\n\nAssistant: {BETTER}",
            "rejected": f"\n\nHuman: {ASKED}\n\nAssistant: {WORSE}",
        },
        {"prompt": f"\n\nHuman: {ASKED}\n\nAssistant:", "chosen": BETTER, "rejected": WORSE},
    ],
    ids=["texts", "messages", "messages-with-prompt", "hh", "hh-with-prompt"],
)
def test_all_forms_are_the_same_pair(row: dict[str, Any], written: Callable[..., Path]) -> None:
    (pair,), left_out = read_pairs(written(row))
    assert [m.content for m in pair.prompt] == [ASKED]
    assert (pair.chosen.content, pair.rejected.content) == (BETTER, WORSE)
    assert not left_out


def test_the_prompt_is_all_turns_before_the_last(written: Callable[..., Path]) -> None:
    before = "\n\nHuman: Hello\n\nAssistant: Hello you\n\nHuman: And now?"
    row = {k: f"{before}\n\nAssistant: {t}" for k, t in (("chosen", "a"), ("rejected", "b"))}
    (pair,), _ = read_pairs(written(row))
    assert [m.content for m in pair.prompt] == ["Hello", "Hello you", "And now?"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rejected": BETTER}, "chosen equals rejected"),
        ({"rejected": " "}, "the assistant's content is empty"),
        (
            {"prompt": None, "chosen": [USER, *said(BETTER)], "rejected": said(WORSE)},
            "turns must alternate, the user first",
        ),
        (
            {
                "prompt": None,
                "chosen": [USER, *said(BETTER)],
                "rejected": [{**USER, "content": "Hello"}, *said(WORSE)],
            },
            "chosen and rejected have no common prompt",
        ),
        (
            {"prompt": None, "chosen": [USER], "rejected": [USER, *said(WORSE), USER]},
            "the last turn is not the assistant's",
        ),
    ],
)
def test_rows_that_are_no_pair_are_left_out_with_their_reason(
    changes: dict[str, Any], reason: str, written: Callable[..., Path]
) -> None:
    pairs, left_out = read_pairs(written(TEXTS, {**TEXTS, **changes}))
    assert len(pairs) == 1
    assert left_out == {reason: (2,)}


def test_a_pair_that_stands_twice_counts_once(written: Callable[..., Path]) -> None:
    pairs, left_out = read_pairs(written(TEXTS, TEXTS))
    assert (len(pairs), left_out) == (1, {"the same pair stands before it": (2,)})


@pytest.mark.parametrize("row", [{"messages": []}, {"chosen": "a", "rejected": "b"}, {"prompt": 1}])
def test_an_unknown_form_is_an_error_with_its_line(
    row: dict[str, Any], written: Callable[..., Path]
) -> None:
    with pytest.raises(InputError, match=r"pairs\.jsonl:2: 'chosen' is no response"):
        read_pairs(written(TEXTS, row))


def test_both_responses_end_in_a_trained_end_of_turn(
    written: Callable[..., Path], tokenizer: Any
) -> None:
    (pair,) = tokens_of(written(TEXTS), tokenizer).tokens
    end = tokenizer.convert_tokens_to_ids(END_OF_TURN)
    assert pair.prompt[-1] == pair.chosen[-1] == pair.rejected[-1] == end
    assert tokenizer.decode(pair.prompt) == f"<s>{ASKED}{END_OF_TURN}"
    assert tokenizer.decode(pair.chosen) == f"{BETTER}{END_OF_TURN}"
    assert tokenizer.decode(pair.rejected) == f"{WORSE}{END_OF_TURN}"


def test_control_tokens_in_texts_are_text(written: Callable[..., Path], tokenizer: Any) -> None:
    row = {**TEXTS, "chosen": f"Bread. {END_OF_TURN} More."}
    (pair,) = tokens_of(written(row), tokenizer).tokens
    assert pair.chosen.count(tokenizer.convert_tokens_to_ids(END_OF_TURN)) == 1


def test_a_long_pair_is_left_out_whole(written: Callable[..., Path], tokenizer: Any) -> None:
    path = written(TEXTS, {**TEXTS, "rejected": "goats " * 200})
    found = tokens_of(path, tokenizer)
    assert len(found.tokens) == 1
    assert found.left_out == {"longer than max_tokens 100": (2,)}
    with pytest.raises(InputError, match=r"1 of 2 pairs cannot be used.*longer than .*lines 2"):
        tokens_of(path, tokenizer, max_left_out=0.4)
    length = found.tokens[0].length
    assert len(tokens_of(path, tokenizer, max_tokens=length).tokens) == 1
    with pytest.raises(InputError, match="no pairs to train on"):
        tokens_of(path, tokenizer, max_tokens=length - 1)


def test_a_template_that_refuses_or_does_not_end_is_an_error(
    written: Callable[..., Path], tokenizer: Any
) -> None:
    system = {"role": "system", "content": "Be brief."}
    path = written({"prompt": [system, USER], "chosen": said(BETTER), "rejected": said(WORSE)})
    with pytest.raises(InputError, match=r"pairs\.jsonl:1: the model's chat template refuses"):
        tokens_of(path, tokenizer)
    with pytest.raises(InputError, match="ends a response with no token that stops"):
        tokenized_pairs(written(TEXTS), tokenizer, frozenset([0]), max_tokens=100, max_left_out=0.0)


def test_a_model_with_a_template_of_its_own_keeps_it(
    written: Callable[..., Path], tiny_base: Path
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(read_manifest(tiny_base)[1])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    stop = tokenizer.convert_tokens_to_ids("<|im_end|>")
    system = {"role": "system", "content": "Be brief."}
    row = {"prompt": [system, USER], "chosen": said(BETTER), "rejected": said(WORSE)}
    (pair,) = tokenized_pairs(
        written(row), tokenizer, frozenset([stop]), max_tokens=100, max_left_out=0.0
    ).tokens
    assert tokenizer.decode(pair.prompt) == (
        f"<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{ASKED}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    assert tokenizer.decode(pair.chosen) == f"{BETTER}<|im_end|>"


def test_pairs_that_share_text_with_prompts_or_items_are_left_out_and_counted(
    written: Callable[..., Path], tokenizer: Any
) -> None:
    path = written(
        {**TEXTS, "prompt": "Tell me something quite different, please."},
        TEXTS,
        {**TEXTS, "prompt": "And now?", "rejected": "I think that six times seven is forty two."},
        {**TEXTS, "chosen": ""},
    )
    protected = ProtectedTexts(
        [
            ProtectedText(task="test", item_id="p", text=ASKED),
            ProtectedText(task="sums", item_id="1", text="six times seven is forty two"),
        ],
        ngram_words=5,
    )
    barred = sharing(path, protected)
    assert barred == {"shares text with sums": (3,), "shares text with test": (2,)}
    found = tokens_of(path, tokenizer, barred=barred, max_left_out=0.25)
    assert len(found.tokens) == 1
    assert found.left_out == {**barred, "the assistant's content is empty": (4,)}


def test_real_pairs_are_searched_for_real_prompts(shared_data: Path, tmp_path: Path) -> None:
    import gzip

    packed = shared_data / "preferences/hh-harmless/test.jsonl.gz"
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    third = read_pairs(path)[0][2]
    protected = ProtectedTexts(
        [ProtectedText(task="test", item_id="p", text=third.prompt[0].content)], ngram_words=13
    )
    assert third.line in sharing(path, protected)["shares text with test"]
