"""Files that came back, read and checked against the key."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from limaflow import journal
from limaflow.dialogue.turns import turn_id
from limaflow.errors import InputError
from limaflow.jsonl import read_json
from limaflow.judging.rounds import Key, KeyPacket, judgment_of
from limaflow.records import Grade, Verdict
from limaflow.seeds import generator_for
from limaflow.tools.annotation.answers import (
    HASTY_MS,
    Answer,
    Answers,
    Entry,
    standing,
    turns_problem,
)
from limaflow.tools.annotation.label_studio import ExportedTask, answers_in

SHOWN_ITEMS = 10


@dataclass(frozen=True, kw_only=True)
class Returned:
    """One annotator's answers, item number → answer, all checked."""

    path: Path
    packet: KeyPacket
    answers: dict[int, Answer]

    @property
    def missing(self) -> list[int]:
        """Numbers of the items that are not answered."""
        return [n for n in range(1, len(self.packet.items) + 1) if n not in self.answers]


def read_returned(path: Path, key: Key, users: dict[str, str]) -> list[Returned]:
    """The answers of one file: of a page (.json), a server (.jsonl) or Label Studio (.json).

    Args:
        users: annotator → the Label Studio user, by number or email; may name none.

    Raises:
        InputError: the file is none of these, was changed, answers another packet or shows other
            texts, comes from someone the key does not know, or answers an item twice.
    """
    if path.suffix == ".jsonl":
        return [_served(path, key)]
    if _is_list(path):
        tasks = read_json(path, list[ExportedTask])
        if not tasks:
            raise InputError("holds no tasks", path=path, fix="Label Studio exports answered ones")
        return [
            _checked(path, key, annotator, hash, answers)
            for annotator, hash, answers in answers_in(tasks, key, users, path)
        ]
    held = read_json(path, Answers)
    if not held.whole:
        raise InputError(
            "was changed after the page saved it", path=path, fix="ask for the file again"
        )
    return [_checked(path, key, held.annotator, held.packet, held.answers)]


def judgments_of(
    returned: Sequence[Returned], key: Key, *, partial: bool
) -> dict[tuple[str, ...], list[Verdict | Grade]]:
    """Pair of models → the verdicts on it, or model → its grades; by prompt, sample, annotator.

    Raises:
        InputError: nothing came back of anyone, an annotator's answers came back twice, or, where
            not `partial`, items are missing or nothing came back of an annotator.
    """
    if not returned:
        raise InputError("nothing came back of anyone", fix="give files of answers")
    seen: dict[str, Path] = {}
    for back in returned:
        annotator = back.packet.annotator
        if annotator in seen:
            raise InputError(
                f"answers of {annotator} again, as in {seen[annotator]}",
                path=back.path,
                fix="give one file for each annotator",
            )
        seen[annotator] = back.path
    missing = [
        f"{back.path}: {back.packet.annotator} has not answered {missing_items(back)}"
        for back in returned
        if back.missing
    ]
    missing += [f"nothing came back of {name}" for name in absent(returned, key)]
    if missing and not partial:
        raise InputError("; ".join(missing), fix="--partial takes the rest")
    judgments: dict[tuple[str, ...], list[Verdict | Grade]] = {of: [] for of in key.comparisons}
    for back in returned:
        for number, answer in back.answers.items():
            item = back.packet.items[number - 1]
            if item.check:
                continue
            made = judgment_of(item, answer.choice, back.packet.annotator, key)
            judgments[key.comparison(item)].append(replace(made, hasty=answer.hasty))
    return {
        models: sorted(made, key=lambda j: (j.prompt_id, j.sample, j.annotator))
        for models, made in judgments.items()
    }


def turn_grades_of(returned: Sequence[Returned], key: Key) -> dict[str, list[Grade]]:
    """Model → the grades of the turns of its dialogues, by prompt, sample and annotator.

    Who was shown one dialogue in several items grades it each time: the last item counts.
    """
    if key.turns is None:
        return {}
    found: dict[tuple[str, str], Grade] = {}
    for back in returned:
        for number in sorted(back.answers):
            item, answer = back.packet.items[number - 1], back.answers[number]
            if item.check:
                continue
            shown = zip(item.models, item.turn_ids, answer.turns or (), strict=True)
            for model, ids, words in shown:
                for turn, (response_id, word) in enumerate(zip(ids, words, strict=True), start=1):
                    found[back.packet.annotator, response_id] = Grade(
                        prompt_id=turn_id(item.prompt_id, turn),
                        sample=item.sample,
                        annotator=back.packet.annotator,
                        annotator_kind="person",
                        template=key.turns.template,
                        hasty=answer.hasty,
                        model=model,
                        response_id=response_id,
                        instrument=key.turns.instrument,
                        scale=key.turns.scale,
                        value=key.turns.words[word],
                    )
    by_model: dict[str, list[Grade]] = defaultdict(list)
    for grade in found.values():
        by_model[grade.model].append(grade)
    return {
        model: sorted(made, key=lambda g: (g.prompt_id, g.sample, g.annotator))
        for model, made in sorted(by_model.items())
    }


def failed_checks(back: Returned) -> tuple[list[int], int]:
    """Items that check attention and were answered otherwise, and how many were answered."""
    asked = {
        number: item.check
        for number, item in enumerate(back.packet.items, start=1)
        if item.check and number in back.answers
    }
    return [n for n, word in asked.items() if back.answers[n].choice != word], len(asked)


def item_rows(returned: Sequence[Returned]) -> list[dict[str, object]]:
    """How each answer came about: one row an item that was answered."""
    return [
        {
            "annotator": back.packet.annotator,
            "item": number,
            "prompt_id": item.prompt_id,
            "sample": item.sample,
            "models": " ".join(item.models),
            "choice": answer.choice,
            "check": item.check,
            "passed": (answer.choice == item.check) if item.check else None,
            "shown_ms": answer.shown_ms,
            "hasty": answer.hasty,
            "time": answer.time,
        }
        for back in returned
        for number, answer in sorted(back.answers.items())
        for item in (back.packet.items[number - 1],)
    ]


def pooled(judgments: Sequence[Verdict | Grade], name: str, seed: int) -> list[Verdict | Grade]:
    """One judgment of each item, under one name: where several people gave one, drawn by the seed.

    So every prompt counts once, as in the paper's study.
    """
    by_item: dict[tuple[str, int], list[Verdict | Grade]] = defaultdict(list)
    for judgment in judgments:
        by_item[judgment.prompt_id, judgment.sample].append(judgment)
    drawn = [
        generator_for(seed, "annotation pool", *place).choice(made)
        for place, made in sorted(by_item.items())
    ]
    several = len({judgment.annotator for judgment in drawn})
    return [replace(judgment, annotator=name, pool=several) for judgment in drawn]


def absent(returned: Sequence[Returned], key: Key) -> list[str]:
    """The annotators of the key of whom nothing came back, by name."""
    back = {one.packet.annotator for one in returned}
    return sorted(packet.annotator for packet in key.packets if packet.annotator not in back)


def missing_items(back: Returned) -> str:
    """How many items are missing, and the first of them."""
    return f"{len(back.missing)} of {len(back.packet.items)} items: {_numbers(back.missing)}"


def hasty_items(back: Returned) -> list[str]:
    """What is to be said of answers that were made sooner than they could be read."""
    soon = [n for n, answer in back.answers.items() if answer.too_soon]
    unseen = [n for n, answer in back.answers.items() if answer.unseen]
    found = []
    if soon:
        found.append(f"{len(soon)} within {HASTY_MS / 1000:g} s of being shown: {_numbers(soon)}")
    if unseen:
        what = "before the end of every answer was in view"
        found.append(f"{len(unseen)} {what}: {_numbers(unseen)}")
    return found


def _numbers(items: Sequence[int]) -> str:
    """The first of some items."""
    more = ", …" if len(items) > SHOWN_ITEMS else ""
    return ", ".join(map(str, items[:SHOWN_ITEMS])) + more


def _served(path: Path, key: Key) -> Returned:
    entries, _ = journal.read(path, Entry)
    if not entries:
        raise InputError("holds no answers", path=path)
    named = {(entry.annotator, entry.packet) for entry in entries}
    if len(named) > 1:
        raise InputError("holds answers to several packets", path=path)
    latest = {answer.item: answer for answer in standing(entries)}
    return _checked(path, key, *named.pop(), latest.values())


def _checked(
    path: Path, key: Key, annotator: str, hash: str, answers: Iterable[Answer]
) -> Returned:
    known = {packet.annotator for packet in key.packets}
    if annotator not in known:
        raise InputError(
            f"'{annotator}' is no annotator of this key ({', '.join(sorted(known))})", path=path
        )
    packet = key.packet(hash)
    if packet is None or packet.annotator != annotator:
        whose = f"that of {packet.annotator}" if packet else "not of this key, or was changed"
        raise InputError(f"the packet that {annotator} answered is {whose}", path=path)
    checked: dict[int, Answer] = {}
    for answer in answers:
        number = answer.item
        if not 1 <= number <= len(packet.items):
            raise InputError(f"there is no item {number}", path=path)
        if answer.hash != packet.items[number - 1].hash:
            raise InputError(f"item {number} was shown with other texts", path=path)
        if answer.choice not in key.words:
            raise InputError(f"item {number}: '{answer.choice}' is no choice", path=path)
        turns = [len(ids) for ids in packet.items[number - 1].turn_ids]
        if problem := turns_problem(answer, turns, key.turns.words if key.turns else ()):
            raise InputError(f"{annotator}, item {number}: {problem}", path=path)
        if number in checked:
            same = "twice" if checked[number].choice == answer.choice else "in two ways"
            raise InputError(f"item {number} is answered {same}", path=path)
        checked[number] = answer
    return Returned(path=path, packet=packet, answers=checked)


def _is_list(path: Path) -> bool:
    if not path.is_file():
        raise InputError("no such file", path=path)
    with path.open("rb") as file:
        return file.read(64).lstrip().startswith(b"[")
