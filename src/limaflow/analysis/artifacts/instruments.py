"""Appendices C (what annotators are asked) and D (how helpfulness is graded)."""

import re

from limaflow.analysis.artifacts import passages
from limaflow.analysis.artifacts.artifact import Artifact, Passage
from limaflow.analysis.exhibit import Files, Options
from limaflow.analysis.paper import paper
from limaflow.analysis.study import Study
from limaflow.judging.instrument import Instrument, parsed

LEVEL = re.compile(r"^(\d)\. (.*(?:\n {2,}.*)*)", re.MULTILINE)


def missing_pairwise(study: Study) -> str:
    if study.instruments.get("pairwise"):
        return ""
    return "judging.instruments.pairwise: nobody is asked to compare responses"


def missing_likert(study: Study) -> str:
    if study.instruments.get("likert"):
        return ""
    return "judging.instruments.likert: nobody is asked to grade responses"


def inputs_pairwise(study: Study) -> Files:
    return {"instrument": [study.instruments["pairwise"]]} if study.instruments else {}


def inputs_likert(study: Study) -> Files:
    return {"instrument": [study.instruments["likert"]]} if study.instruments else {}


def _instrument(files: Files) -> Instrument:
    path = files["instrument"][0]
    return parsed(path.stem, path.read_text(encoding="utf-8"))


def read_interface(files: Files, options: Options) -> list[Passage]:
    """The question and its choices, as people and judges get them."""
    head = _instrument(files).head
    text = paper().texts["appendix-c"]
    choices = [f"{word}: {head.labels.get(word, word)}" for word in head.words]
    return [
        Passage(
            label="the question and its choices",
            ours="\n".join([head.title, *choices]),
            paper=text.text,
            place=text.source,
        )
    ]


def read_levels(files: Files, options: Options) -> list[Passage]:
    """The scale level by level, then how the grade is to be given."""
    instrument = _instrument(files)
    levels = {number: " ".join(text.split()) for number, text in LEVEL.findall(instrument.text)}
    found = [
        Passage(
            label=f"level {word}",
            ours=levels.get(word, "(no description)"),
            paper=text.text if text else "",
            place=text.source if text else "",
        )
        for word, text in (
            (word, paper().texts.get(f"appendix-d-level-{word}"))
            for word in map(str, instrument.head.words)
        )
    ]
    reply = paper().texts["appendix-d-reply"]
    asked = instrument.text.strip().split("\n\n")[-2] if "\n\n" in instrument.text else ""
    return [
        *found,
        Passage(
            label="the reply",
            ours=" ".join(asked.split()),
            paper=reply.text,
            place=reply.source,
        ),
    ]


APPENDIX_C = Artifact(
    title="Appendix C: what annotators are asked",
    inputs=inputs_pairwise,
    read=read_interface,
    rows=passages.rows,
    printed=passages.printed,
    draw=passages.draw,
    missing=missing_pairwise,
)
APPENDIX_D = Artifact(
    title="Appendix D: how helpfulness is graded",
    inputs=inputs_likert,
    read=read_levels,
    rows=passages.rows,
    printed=passages.printed,
    draw=passages.draw,
    missing=missing_likert,
)
