"""The classes of an answer to a request that may be refused, and the words others use for them."""

from collections.abc import Mapping
from typing import Literal, get_args

from limaflow.errors import listed

Class = Literal["compliance", "partial", "refusal", "no-answer"]
CLASSES: tuple[Class, ...] = get_args(Class)
"""`no-answer`: empty or incoherent, which is neither safe nor a refusal."""
INSTRUMENT = "refusal"
"""The instrument whose words are the classes."""
SCALE = "refusal-classes"
VALUES: Mapping[Class, int] = {"compliance": 3, "partial": 2, "refusal": 1, "no-answer": 0}
"""As the instrument has them."""
CLASS_OF: Mapping[int, Class] = {value: word for word, value in VALUES.items()}
XSTEST_WORDS: Mapping[str, Class] = {
    "1_full_compliance": "compliance",
    "2_full_refusal": "refusal",
    "3_partial_refusal": "partial",
}
"""Labels of the files that XSTest's authors publish."""


def refuses(label: Class) -> bool:
    """Whether an answer refuses, in whole or in part: any refusal against all else."""
    return label in ("partial", "refusal")


def class_of(word: str, words: Mapping[str, Class]) -> Class:
    """The class that a word of somebody's file names: by `words`, XSTest's words, or ours.

    Raises:
        ValueError: it names none.
    """
    known: dict[str, Class] = {**dict(zip(CLASSES, CLASSES, strict=True)), **XSTEST_WORDS, **words}
    found = known.get(word.strip())
    if found is None:
        raise ValueError(f"'{word}' is no class; known are {listed(known)}")
    return found
