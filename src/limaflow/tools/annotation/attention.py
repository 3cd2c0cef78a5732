"""Items that check attention: a copy of an item in which one answer says what to choose.

Whoever reads the answers chooses it. Such an item looks like the others, is in no judgment, and the
key alone says which it is. Of a whole dialogue the last answer says it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from limaflow.errors import InputError
from limaflow.judging.rounds import KeyItem
from limaflow.judging.transcripts import transcript, turns_in
from limaflow.records import Message
from limaflow.seeds import generator_for
from limaflow.tools.annotation.packet import Item, item_of

Laid = tuple[Item, KeyItem]
TEXT = (
    "This stands in place of an answer, to see that answers are read. Whatever else is shown here, "
    "choose: {label}."
)


def with_checks(
    laid: Sequence[Laid], labels: Mapping[str, str], annotator: str, checks: int, seed: int
) -> list[Laid]:
    """The items with `checks` more among them, at places drawn by the seed.

    Args:
        labels: what can be chosen → how people see it.

    Raises:
        InputError: there are fewer items than checks.
    """
    # A dialogue without an answer has no place for the words.
    fit = [one for one in laid if not one[1].turn_ids or any(one[1].turn_ids)]
    if checks > len(fit):
        raise InputError(
            f"{checks} checks of attention are wanted of {annotator}, who has {len(fit)} items",
            fix="ask for fewer --checks",
        )
    generator = generator_for(seed, "annotation checks", annotator)
    found = list(laid)
    for copied in generator.sample(fit, checks):
        word = generator.choice(sorted(labels))
        places = range(len(copied[0].answers))
        place = generator.choice(
            [n for n in places if not any(copied[1].turn_ids) or copied[1].turn_ids[n]]
        )
        made = _check(copied, place, word, labels[word])
        found.insert(generator.randrange(len(found) + 1), made)
    return found


def _check(copied: Laid, place: int, word: str, label: str) -> Laid:
    item, keyed = copied
    answers = list(item.answers)
    said = TEXT.format(label=label)
    answers[place] = _ending(answers[place], said) if keyed.turn_ids else said
    made = item_of(item.question, tuple(answers))
    return made, replace(keyed, hash=made.hash, check=word)


def _ending(dialogue: str, said: str) -> str:
    """The dialogue with another last answer."""
    return transcript([*turns_in(dialogue)[:-1], Message(role="assistant", content=said)])
