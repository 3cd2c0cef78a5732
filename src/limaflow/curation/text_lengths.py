"""How long the texts of a data set are, in tokens of a model or in characters."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from limaflow.records import Example


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Length of a text, and what it counts: "tokens" or "characters"."""

    length: Callable[[str], int]
    unit: str


def measure_of(tokenizer: Path | None) -> Measure:
    """Tokens of the model whose manifest is given, else characters."""
    if tokenizer is None:
        return Measure(length=len, unit="characters")
    from limaflow.manifests import read_manifest

    manifest, location = read_manifest(tokenizer)
    file = Path(location) / "tokenizer.json"
    if file.is_file():
        # Transformers would import torch for it, three seconds of a job that takes one.
        from tokenizers import Tokenizer

        fast = Tokenizer.from_file(str(file))
        fast.no_truncation()
        fast.no_padding()
        # A control token that a text mentions is text.
        fast.encode_special_tokens = True
        return Measure(
            length=lambda text: len(fast.encode(text, add_special_tokens=False)), unit="tokens"
        )
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(location, revision=manifest.revision)
    return Measure(
        length=lambda text: len(
            loaded.encode(text, add_special_tokens=False, split_special_tokens=True)
        ),
        unit="tokens",
    )


def text_of_role(example: Example, role: str) -> str:
    """The turns of one role, joined."""
    return "\n".join(message.content for message in example.messages if message.role == role)
