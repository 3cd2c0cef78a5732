"""A model as lm-eval asks it."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.manifests import content_of, read_manifest
from limaflow.seeds import digest

PACKAGES = ("lm-eval", "transformers", "torch", "datasets")
Turns = Sequence[dict[str, str]]


def harness_model(manifest_path: Path, *, precision: str, batch: int) -> Any:
    """The model of a manifest as an lm-eval `HFLM`, on the GPU if there is one.

    Log-probabilities are taken in fp32 whatever the weights are in: in bf16 they have 8 bits of
    mantissa, so that choices tie (17 of 60 items of ARC with SmolLM2-135M) and the first one wins.

    Raises:
        InputError: there is no causal language model.
    """
    import torch
    from lm_eval.models.huggingface import HFLM

    class HarnessModel(HFLM):  # type: ignore[misc, unused-ignore]
        """Keeps a system turn, lm-eval's place for a task's description, in every template."""

        def apply_chat_template(
            self, chat_history: Turns, add_generation_prompt: bool = True
        ) -> str:
            turns = [dict(turn) for turn in chat_history]
            if not knows_system_turns(self.tokenizer):
                turns = in_first_turn(turns)
            rendered = self.tokenizer.apply_chat_template(
                turns,
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                continue_final_message=not add_generation_prompt,
            )
            return str(rendered)

    manifest, location = read_manifest(manifest_path)
    try:
        return HarnessModel(
            pretrained=location,
            revision=manifest.revision or "main",
            device="cuda" if torch.cuda.is_available() else "cpu",
            dtype={"fp32": "float32", "bf16": "bfloat16"}[precision],
            softmax_dtype="float32",
            batch_size=batch,
        )
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise InputError(f"no causal language model at {location}: {first}") from None


def knows_system_turns(tokenizer: Any) -> bool:
    """Whether the chat template writes a system turn; some refuse one, others leave it out."""
    from jinja2 import TemplateError

    word = "7c1fsystem"
    turns = [{"role": "system", "content": word}, {"role": "user", "content": "?"}]
    try:
        return word in tokenizer.apply_chat_template(turns, tokenize=False)
    except TemplateError:
        return False


def in_first_turn(turns: Turns) -> list[dict[str, str]]:
    """The turns with the system's text at the head of the first user turn."""
    system = [turn["content"].rstrip("\n") for turn in turns if turn["role"] == "system"]
    rest = [dict(turn) for turn in turns if turn["role"] != "system"]
    if system and rest:
        rest[0]["content"] = "\n\n".join([*system, rest[0]["content"]])
    return rest


def identity(manifest_path: Path, precision: str, commit: str | None) -> str:
    """All of a model that an answer to a request depends on; the batch does not count."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    packages = {package: version(package) for package in PACKAGES}
    return digest(content_of(manifest_path), commit, precision, "fp32 softmax", device, packages)
