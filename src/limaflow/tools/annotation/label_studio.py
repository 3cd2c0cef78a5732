"""Label Studio's JSON: the same items as its tasks, and its annotations as our answers.

Formats: labelstud.io/guide/task_format and labelstud.io/tags/choices. Read and written against
Label Studio 1.23.
"""

import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.judging.pairwise import VALUES
from limaflow.judging.rounds import Key, KeyItem, item_hash
from limaflow.records import Verdict
from limaflow.tools.annotation.answers import Answer
from limaflow.tools.annotation.packet import Packet, titles

CONTROL = "choice"


@dataclass(frozen=True, kw_only=True)
class ExportedAnnotation:
    """As much of an annotation as is read here."""

    result: list[dict[str, Any]] = field(default_factory=list)
    completed_by: int | dict[str, Any] | None = None
    was_cancelled: bool = False
    lead_time: float | None = None
    """Seconds from the task's being opened to its being submitted."""


@dataclass(frozen=True, kw_only=True)
class ExportedTask:
    """As much of a task as is read here."""

    data: dict[str, Any]
    annotations: list[ExportedAnnotation]


def labeling_config(packet: Packet) -> str:
    """The XML of a project's labelling interface."""
    view = ET.Element("View")
    for paragraph in packet.instructions.split("\n\n"):
        for line in paragraph.split("\n- "):
            ET.SubElement(view, "Header", value=" ".join(line.lstrip("#- ").split()), size="5")
    _text(view, "question", "Question")
    answers = ET.SubElement(view, "View", style="display: flex; gap: 1rem")
    for number, title in enumerate(titles(packet.form), start=1):
        place = ET.SubElement(answers, "View", style="flex: 1 1 0; min-width: 0")
        _text(place, f"answer_{number}", title)
    choices = ET.SubElement(
        view, "Choices", name=CONTROL, toName="answer_1", choice="single-radio", required="true"
    )
    for number, (choice, label) in enumerate(packet.choices, start=1):
        ET.SubElement(choices, "Choice", value=label, alias=choice, hotkey=str(number))
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def _text(parent: ET.Element, name: str, title: str) -> None:
    ET.SubElement(parent, "Header", value=title, size="4")
    ET.SubElement(parent, "Text", name=name, value=f"${name}", valueType="text")


def tasks_of(
    packet: Packet, key: Key | None = None, verdicts: Iterable[Verdict] = ()
) -> list[dict[str, Any]]:
    """The packet's items as tasks; `verdicts` on them, which need the key, as predictions.

    Predictions are shown to annotators as a proposal and say who judged, so they are for looking
    at disagreement afterwards, not for annotation.
    """
    made: dict[tuple[str, int, frozenset[str]], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        models = frozenset((verdict.first, verdict.second))
        made[verdict.prompt_id, verdict.sample, models].append(verdict)
    keyed = key.packet(packet.hash) if key else None
    words = {value: word for word, value in key.words.items()} if key else {}
    tasks = []
    for number, item in enumerate(packet.items, start=1):
        data = {
            "question": item.question,
            **{f"answer_{n}": text for n, text in enumerate(item.answers, start=1)},
            "annotator": packet.annotator,
            "packet": packet.hash,
            "item": number,
        }
        shown = keyed.items[number - 1] if keyed else None
        found = made[shown.prompt_id, shown.sample, frozenset(shown.models)] if shown else []
        predictions = [_prediction(v, shown, words) for v in found if shown and v.choice]
        tasks.append({"data": data, "predictions": predictions})
    return tasks


def _prediction(verdict: Verdict, shown: KeyItem, words: Mapping[int, str]) -> dict[str, Any]:
    assert verdict.choice
    same = verdict.first == shown.models[0]
    value = VALUES[verdict.choice]
    choice = words[value if same else -value]
    order = "this order" if same else "the other order"
    region = {
        "from_name": CONTROL,
        "to_name": "answer_1",
        "type": "choices",
        "value": {"choices": [choice]},
    }
    return {"model_version": f"{verdict.annotator}, {order}", "result": [region]}


def answers_in(
    tasks: Iterable[ExportedTask], key: Key, users: dict[str, str], path: Path
) -> Iterator[tuple[str, str, list[Answer]]]:
    """(annotator, packet's hash, answers) of each packet in an export.

    The hash of each answer is made from the task's own texts.

    Args:
        users: annotator → who that is in Label Studio, by number or email.

    Raises:
        InputError: a task is no item of a packet of this key, is answered by someone else than its
            annotator, or in a way that is no choice.
    """
    found: dict[tuple[str, str], list[Answer]] = {}
    seen: dict[str, str] = {}
    for number, task in enumerate(tasks, start=1):
        place = f"task {number}"
        names = [f"answer_{n}" for n, _ in enumerate(titles(key.form), start=1)]
        question, *texts = [task.data.get(name) for name in ("question", *names)]
        packet = key.packet(str(task.data.get("packet")))
        item = task.data.get("item")
        if (
            packet is None
            or not isinstance(item, int)
            or not all(isinstance(text, str) for text in (question, *texts))
        ):
            raise InputError(f"{place} is no item of a packet of this key", path=path)
        annotator = packet.annotator
        answers = found.setdefault((annotator, packet.hash), [])
        for annotation in task.annotations:
            choice = _choice(annotation, key.words, place, path)
            if choice is None:
                continue
            if problem := _stranger(annotation, annotator, users, seen):
                raise InputError(f"{place} {problem}", path=path)
            shown = item_hash(str(question), [*map(str, texts)])
            took = annotation.lead_time
            ms = None if took is None else round(1000 * took)
            answers.append(Answer(item=item, hash=shown, choice=choice, shown_ms=ms))
    for (annotator, hash), answers in found.items():
        yield annotator, hash, answers


def _choice(
    annotation: ExportedAnnotation, known: Collection[str], place: str, path: Path
) -> str | None:
    """The choice, or None where the task was skipped."""
    if annotation.was_cancelled or not annotation.result:
        return None
    chosen = [
        value
        for region in annotation.result
        if region.get("from_name") == CONTROL
        for value in region.get("value", {}).get("choices", [])
    ]
    if len(chosen) != 1 or chosen[0] not in known:
        raise InputError(f"{place} is answered by {chosen or 'no choice'}", path=path)
    return str(chosen[0])


def _stranger(
    annotation: ExportedAnnotation, annotator: str, users: dict[str, str], seen: dict[str, str]
) -> str:
    """Why the one who answered is not this annotator; "" if nothing speaks against it."""
    by = annotation.completed_by
    if by is None and not users:  # an export without the users' details
        return ""
    names = [str(by.get(k)) for k in ("email", "id")] if isinstance(by, dict) else [str(by)]
    if users and users.get(annotator) not in names:
        return f"is {annotator}'s ({users.get(annotator, 'no --user')}), answered by {names[0]}"
    before = seen.setdefault(annotator, names[0])
    if before != names[0]:
        return f"is answered by user {names[0]}, tasks of {annotator} before it by {before}"
    others = [name for name, user in seen.items() if user == names[0] and name != annotator]
    return f"of {annotator} is answered by the user who was {others[0]}" if others else ""
