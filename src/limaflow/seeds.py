"""Named randomness: one seed per purpose and record, independent of order, batches and workers."""

import hashlib
import json
import random


def digest(*parts: object, length: int = 16) -> str:
    """Hex SHA-256 of `parts` as canonical JSON, cut to `length` digits: our content hash."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def seed_for(seed: int, purpose: str, *ids: str | int) -> int:
    """A seed in [0, 2^63) for one purpose (such as "sampling") and, if given, one record."""
    return int(digest(seed, purpose, *ids), 16) >> 1


def generator_for(seed: int, purpose: str, *ids: str | int) -> random.Random:
    """A private random generator seeded by `seed_for`."""
    return random.Random(seed_for(seed, purpose, *ids))
