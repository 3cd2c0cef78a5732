"""Which strings of a message a server may take for control tokens."""

import pytest

from limaflow.endpoints.control_tokens import USUAL, notice


@pytest.mark.parametrize(
    "text",
    [
        *("<s>", "</s>", "<unk>", "<|im_end|>", "<|endoftext|>", "<|start_header_id|>", "<eos>"),
        *("[INST]", "[/INST]", "<start_of_turn>", "<｜end▁of▁sentence｜>", "<｜User｜>"),
    ],
)
def test_the_usual_control_tokens_are_known(text: str) -> None:
    assert USUAL.findall(f"What does {text} mean?") == [text]


@pytest.mark.parametrize(
    "text", ["<sub>", "<strong>", "a <| b |> c", "[1]", "|x|", "<||>", "< s >"]
)
def test_other_markup_is_none(text: str) -> None:
    assert notice([text], "gpt-4") is None
