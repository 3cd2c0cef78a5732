"""How many tokens a model can see at once."""

import sys
from typing import Any


def context_length(config: Any) -> int:
    """Of a transformers configuration; sys.maxsize where positions have no end (ALiBi, states)."""
    # A model of text and images keeps it with the text's.
    return int(getattr(config.get_text_config(), "max_position_embeddings", sys.maxsize))
