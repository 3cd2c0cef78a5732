"""The classes of an answer to a request that may be refused, and the words others use for them."""

from collections.abc import Mapping
from typing import Literal, get_args

from limaflow.errors import listed
from limaflow.records import AnnotatorKind, Grade, Response

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


def grade_of(response: Response, label: Class, *, annotator: str, kind: AnnotatorKind) -> Grade:
    """The class that an annotator gives a response, as a grade by the instrument."""
    return Grade(
        prompt_id=response.prompt_id,
        sample=response.sample,
        annotator=annotator,
        annotator_kind=kind,
        model=response.model,
        response_id=response.id,
        instrument=INSTRUMENT,
        scale=SCALE,
        value=VALUES[label],
    )


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
