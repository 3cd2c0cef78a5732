"""Which word of a scale a reply ends with.

Its last line counts, or the last field where the reply is a JSON object, and only if it is a word
of the scale and nothing else. Emphasis, quotes, the point of a sentence, capitals and signs without
width make no difference; anything more does, since a reply may say a word without choosing it.
"""

import json
import string
import unicodedata
from collections.abc import Sequence

AROUND = "*_`~\"'.,:;!()[]{}<>#“”‘’«»„。！"
"""What models put around a word: Markdown, quotes, brackets and the end of a sentence."""


def last_word(reply: str, words: Sequence[str]) -> str | None:
    """The one of `words` that is the last line of `reply`, or None."""
    lines = [line.strip() for line in (_last_field(reply) or reply).splitlines()]
    spoken = [line for line in lines if line in words or _plain(line)]
    if not spoken:
        return None
    if spoken[-1] in words:
        return spoken[-1]
    found = [word for word in words if _plain(word) == _plain(spoken[-1])]
    return found[0] if len(found) == 1 else None


def _last_field(reply: str) -> str | None:
    """The value of the last field, as text, where a reply is a JSON object; None elsewhere."""
    start, end = reply.find("{"), reply.rfind("}")
    if start == -1 or _plain(reply[:start]) not in ("", "json") or _plain(reply[end + 1 :]):
        return None
    try:
        fields = json.loads(reply[start : end + 1])
    except (ValueError, RecursionError):
        return None
    value = list(fields.values())[-1] if isinstance(fields, dict) and fields else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _plain(text: str) -> str:
    """A text without what makes no difference."""
    composed = unicodedata.normalize("NFC", text)
    visible = "".join(sign for sign in composed if unicodedata.category(sign) != "Cf")
    return visible.strip(AROUND + string.whitespace + "\u00a0").casefold()
