"""HTML files that need no network: data that stay data, and code that its own hash admits."""

import base64
import hashlib
import json
from pathlib import Path

SHARED = Path(__file__).with_suffix(".js")


def embedded(value: object) -> str:
    """JSON that can end no script element and open no comment in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def source_hash(text: str) -> str:
    """The hash by which a content policy admits an inline script or style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def script_of(path: Path) -> str:
    """The script of a page that lists and shows records, after what all of those share."""
    return SHARED.read_text(encoding="utf-8") + path.read_text(encoding="utf-8")
