"""The model as lm-eval asks it; control tokens come of a chat template only, never of items' texts.

lm-eval hands a prompt on as one string. What a chat template has made of messages is therefore
told by a first character, and the control tokens that the messages mention are marked in it; all
other strings are text from end to end.
"""

import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from lm_eval.models.huggingface import HFLM
from lm_eval.models.utils import has_bos_prefix
from tqdm import tqdm

from limaflow.cuda import computing_device
from limaflow.generation.padding import in_words, keeps_padding_out
from limaflow.generation.placement import require_whole, too_large
from limaflow.lm_evaluation.system_turns import in_first_turn, knows_system_turns, with_shots
from limaflow.manifests import read_manifest
from limaflow.records import Message
from limaflow.training.control_tokens import (
    framed,
    is_marked,
    marked,
    marked_tokens,
    unclosed,
)
from limaflow.training.end_of_turn import asked_stops, base_eos
from limaflow.unreachable import no_model

RENDERED = "\U000f0002"
"""A private-use character, before what a chat template has made."""


def load_model(manifest_path: Path, *, precision: str, batch: int, gpus: int = 1) -> "TextModel":
    """The model of a manifest, on the GPU or so many of them if there are any.

    Log-probabilities are taken in fp32 whatever the weights are in: in bf16 they have 8 bits of
    mantissa, so that choices tie and the first one wins.

    Raises:
        InputError: there is no causal language model, no GPU where one is meant, or none that it
            fits on.
    """
    device = computing_device()
    manifest, location = read_manifest(manifest_path)
    several = device == "cuda" and gpus > 1
    # As in generation/placement.py: nothing may be left to the CPU.
    spread = {"parallelize": True, "max_cpu_memory": 0, "offload_folder": None} if several else {}
    try:
        model = TextModel(
            pretrained=location,
            revision=manifest.revision or "main",
            device=device,
            dtype={"fp32": "float32", "bf16": "bfloat16"}[precision],
            softmax_dtype="float32",
            batch_size=batch,
            **spread,
        )
    except (OSError, ValueError) as error:
        raise no_model(location, error) from None
    except torch.OutOfMemoryError:
        raise too_large(gpus) from None
    if several:
        require_whole(model.model, gpus)
    if batch > 1 and not (apart := keeps_padding_out(model.model)).holds:
        model.batch_size_per_gpu = 1
        tqdm.write(f"items are asked one at a time: {in_words(apart)}", file=sys.stderr)
    return model


class TextModel(HFLM):  # type: ignore[misc]
    """lm-eval's model of transformers, which would read control tokens in the texts of items."""

    is_in_chat = False
    """Whether it is being asked in its chat template."""
    shots: Sequence[Message] = ()
    """Turns of an in-context arm's examples, before what a task asks in the chat template."""

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """The messages in the chat template, told as such, with marks where they mention tokens."""
        history = with_shots(self.shots, chat_history)
        kept = history if knows_system_turns(self.tokenizer) else in_first_turn(history)
        turns = [{**turn, "content": self._marked(turn["content"])} for turn in kept]
        return RENDERED + str(super().apply_chat_template(turns, add_generation_prompt))

    def tok_encode(
        self,
        string: str,
        add_special_tokens: bool | None = None,
        left_truncate_len: int | None = None,
        **kwargs: Any,
    ) -> list[int]:
        """The tokens of a prompt or a text, as lm-eval's own but for what texts mention.

        An EOS that the tokenizer puts behind all texts is left out: it would stand between prompt
        and continuation, or end the prompt.
        """

        def encode(text: str) -> list[int]:
            tokens: list[int] = super(TextModel, self).tok_encode(text, add_special_tokens)
            return tokens

        text = self._text_of(string)
        # lm-eval puts nothing around a text that begins with BOS.
        is_framed = add_special_tokens is not None or not has_bos_prefix(text, self._bos)
        if is_marked(text):
            tokens = marked_tokens(text, self.tokenizer)
            tokens = framed(tokens, encode, self.tokenizer) if is_framed else tokens
        else:
            closed = is_framed and self._closes_texts
            tokens = unclosed(text, encode, self.tokenizer) if closed else encode(text)
        return tokens[-left_truncate_len:] if left_truncate_len else tokens

    def tok_batch_encode(
        self,
        strings: Sequence[str],
        padding_side: str = "left",
        left_truncate_len: int | None = None,
        truncation: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens and attention mask of several prompts, [prompts, longest]."""
        texts = [self._text_of(string) for string in strings]
        if not any(map(is_marked, texts)) and not self._closes_texts:
            encoded: tuple[torch.Tensor, torch.Tensor] = super().tok_batch_encode(
                texts, padding_side, left_truncate_len, truncation
            )
            return encoded
        rows = [self.tok_encode(string) for string in strings]
        padded = self.tokenizer.pad(
            {"input_ids": rows}, padding_side=padding_side, return_tensors="pt"
        )
        kept = slice(-left_truncate_len if left_truncate_len else None, None)
        return padded["input_ids"][:, kept], padded["attention_mask"][:, kept]

    def _model_generate(
        self, context: torch.Tensor, max_length: int, stop: list[str], **settings: Any
    ) -> torch.Tensor:
        """As lm-eval's own; in the chat template the end of a turn stops too."""
        if self.is_in_chat and "eos_token_id" not in settings:
            named = self.model.generation_config.eos_token_id
            ends = frozenset(named if isinstance(named, list) else [named]) - {None}
            settings["eos_token_id"] = sorted(asked_stops(ends, self.tokenizer, in_chat=True))
        generated: torch.Tensor = super()._model_generate(context, max_length, stop, **settings)
        return generated

    def mentions(self, request: Sequence[Any]) -> bool:
        """Whether the texts of a request (prompt, and continuation or settings) mention a control
        token."""
        texts = [part for part in request if isinstance(part, str)]
        return any(is_marked(self._text_of(text)) for text in texts)

    def _encode_pair(self, context: str, continuation: str) -> tuple[list[int], list[int]]:
        if context.startswith(RENDERED):
            continuation = self._marked(continuation)
        pair: tuple[list[int], list[int]] = super()._encode_pair(context, continuation)
        return pair

    def _text_of(self, string: str) -> str:
        """A text with marks at the control tokens that are text."""
        if string.startswith(RENDERED):
            return string.removeprefix(RENDERED)
        return self._marked(string)

    def _marked(self, text: str) -> str:
        return marked(text, self.tokenizer)

    @property
    def prefix_token_id(self) -> int:
        """What stands before a text without a prompt: BOS, else EOS.

        The EOS of an export is its end of turn; its texts begin as those of its base model do.
        """
        if self.tokenizer.bos_token_id is not None:
            return int(self.tokenizer.bos_token_id)
        return base_eos(self.tokenizer, self.model.generation_config)

    @cached_property
    def _closes_texts(self) -> bool:
        encode = super().tok_encode
        return len(encode("a")) > len(unclosed("a", encode, self.tokenizer))

    @property
    def _bos(self) -> str:
        return str(self.tokenizer.decode(self.prefix_token_id))
