"""Messages that mention control tokens, where a server tokenizes them that we know nothing of.

A server may split such a string as text, as the large providers do, or read a control token there,
as vLLM and others do with a model of Hugging Face: the message then ends, or another turn begins,
in the middle of what was to be data. No request can forbid it, and a string with something put
into it would be another text. So messages go out as they are, and are counted.
"""

import re
from collections.abc import Iterable

from limaflow.training.control_tokens import counted, counts_in_words

USUAL = re.compile(
    r"</?s>|<(?:unk|pad|bos|eos|start_of_turn|end_of_turn)>|\[/?INST\]|<[|｜][^<>|｜\s]{1,64}[|｜]>"
)
"""As the families of LLaMA, Mistral, Gemma, DeepSeek and ChatML write theirs."""


def notice(messages: Iterable[str], receiver: str) -> str | None:
    """A line that says how many messages mention control tokens, and which; None if none does."""
    mentions = [frozenset(USUAL.findall(message)) for message in messages]
    if not any(mentions):
        return None
    return (
        f"control tokens that {sum(map(bool, mentions))} of {len(mentions)} messages to {receiver} "
        "mention, which a server of your own may not read as text: "
        f"{counts_in_words(counted(mentions))}"
    )
