"""Figure 7 (how turns of dialogues are graded) and Figure 8 (a dialogue to read)."""

from collections.abc import Sequence

from limaflow.analysis.artifacts import lines, passages
from limaflow.analysis.artifacts.artifact import Artifact, Line, Passage, exact, scaled
from limaflow.analysis.artifacts.outputs import tests_safety
from limaflow.analysis.exhibit import Files, Options
from limaflow.analysis.exhibits import dialogues
from limaflow.analysis.paper import paper
from limaflow.analysis.study import Study
from limaflow.dialogue.measure import Dialogues, DialogueSummary
from limaflow.jsonl import read_json, read_records
from limaflow.records import Example, Response

UNIT = "share of the turns, per cent"
WORDS = ("excellent", "pass", "fail")
SIDES = {"without": "LIMA without dialogues", "with": "LIMA with 30 dialogues"}


def missing(study: Study) -> str:
    if study.holds_dialogues:
        return ""
    return "dialogue.scripts and dialogue.arms: no arm holds dialogues"


def read(files: Files, options: Options) -> list[Line]:
    """Shares of each grade: the paper's two models, each beside the arms that answer to it."""
    found = read_json(files["dialogues"][0], Dialogues)
    graded = [arm for arm in found.arms if arm.annotator]
    sides = {
        side: [arm for arm in graded if arm.arm in options.roles.get(f"dialogues-{side}", ())]
        for side in SIDES
    }
    lines_of_paper = []
    for side, name in SIDES.items():
        for word in WORDS:
            value = paper().values.get(f"dialogue-{word}-{side}")
            arms: Sequence[DialogueSummary | None] = sides[side] or [None]
            for arm in arms:
                share = arm.shares.get(word) if arm else None
                lines_of_paper.append(
                    Line(
                        panel=UNIT,
                        label=f"{arm.arm if arm else name}: {word}",
                        ours=scaled(share, 100) if share else None,
                        basis=f"{arm.annotator}, {arm.turns} turns" if arm else "",
                        paper=exact(value.value) if value and value.value is not None else None,
                        place=f"arXiv {value.arxiv} {value.place} [{value.mark}], {name}"
                        if value
                        else "",
                    )
                )
    known = {arm.arm for arms in sides.values() for arm in arms}
    return lines_of_paper + [
        Line(
            panel=UNIT,
            label=f"{arm.arm}: {word}",
            ours=scaled(share, 100),
            basis=f"{arm.annotator}, {arm.turns} turns",
        )
        for arm in graded
        if arm.arm not in known
        for word, share in arm.shares.items()
    ]


def inputs_of_texts(study: Study) -> Files:
    folders = [study.results.root / "dialogues" / arm for arm in study.holding]
    return {
        "prompts": [folder / "prompts.jsonl" for folder in folders],
        "responses": [folder / "responses.jsonl" for folder in folders],
    }


def read_texts(files: Files, options: Options) -> list[Passage]:
    """The longest dialogue of each arm; of several the first by id. None that tests safety."""
    found = []
    for prompts, responses in zip(files["prompts"], files["responses"], strict=True):
        said = {response.prompt_id: response for response in read_records(responses, Response)}
        asked = [
            prompt
            for prompt in read_records(prompts, Example)
            if prompt.id in said and not tests_safety(prompt)
        ]
        if asked:
            last = min(asked, key=lambda prompt: (-len(prompt.messages), prompt.id))
            found.append(_passage(last, said[last.id]))
    return found


def _passage(asked: Example, answer: Response) -> Passage:
    turns = [f"{turn.role}: {turn.content}" for turn in asked.messages]
    text = paper().texts["figure-8"]
    return Passage(
        label=f"a dialogue of {answer.model}",
        ours="\n".join([*turns, f"assistant: {answer.text}"]),
        paper=text.text,
        place=text.source,
    )


FIGURE_7 = Artifact(
    title="Figure 7: turns of dialogues graded excellent, pass or fail",
    inputs=dialogues.inputs,
    read=read,
    rows=lines.rows,
    printed=lines.printed,
    draw=lines.draw,
    uses=("roles",),
    missing=missing,
)
FIGURE_8 = Artifact(
    title="Figure 8: dialogues to read",
    inputs=inputs_of_texts,
    read=read_texts,
    rows=passages.rows,
    printed=passages.printed,
    draw=passages.draw,
    missing=missing,
)
