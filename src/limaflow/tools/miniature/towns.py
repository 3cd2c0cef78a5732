"""The towns of the invented world: names, facts, and which of them training never asks about."""

from collections.abc import Collection
from dataclasses import dataclass

from limaflow.config.experiment import Miniature
from limaflow.errors import InputError
from limaflow.seeds import generator_for
from limaflow.tools.miniature.language import ATTRIBUTES

_STEMS = (
    "Bel", "Bran", "Cald", "Dun", "Esk", "Fen", "Gal", "Har", "Ing", "Jor", "Kel", "Lin", "Mor",
    "Nor", "Ost", "Pel", "Quen", "Ras", "Sel", "Tam", "Ul", "Ves", "Wyn", "Yar", "Zel", "Tor",
    "Stan", "Thorn", "Hol", "Kirk", "Bram", "Ash",
)  # fmt: skip
_ENDINGS = (
    "wick", "mere", "ford", "holm", "stead", "by", "ness", "gate", "mouth", "low", "den", "vale",
    "ton", "burg", "field", "bridge", "combe", "worth", "cliff", "shaw",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Town:
    """One town with its value of each attribute."""

    name: str
    held_out: bool
    facts: dict[str, str]


def invent_towns(settings: Miniature, seed: int) -> tuple[Town, ...]:
    """The world's towns in the order of their names.

    Raises:
        InputError: more towns are asked for than there are names.
    """
    names = _names()
    if settings.towns + settings.unwritten > len(names):
        raise InputError(
            f"miniature.towns: there are names for {len(names)} towns, not "
            f"{settings.towns + settings.unwritten} (with those of miniature.unwritten)"
        )
    names = sorted(generator_for(seed, "town names").sample(names, settings.towns))
    held_out = set(
        generator_for(seed, "held-out towns").sample(
            names, round(settings.towns * settings.heldout_share)
        )
    )
    return _with_facts(names, held_out, seed)


def invent_unwritten(settings: Miniature, towns: tuple[Town, ...], seed: int) -> tuple[Town, ...]:
    """Towns beside `towns` of which the pretraining corpus says nothing."""
    taken = {town.name for town in towns}
    free = [name for name in _names() if name not in taken]
    names = sorted(generator_for(seed, "unwritten towns").sample(free, settings.unwritten))
    return _with_facts(names, frozenset(), seed)


def _names() -> list[str]:
    return [stem + ending for stem in _STEMS for ending in _ENDINGS]


def _with_facts(names: list[str], held_out: Collection[str], seed: int) -> tuple[Town, ...]:
    values = {
        attribute.name: _spread(attribute.values, names, attribute.name, seed)
        for attribute in ATTRIBUTES
    }
    return tuple(
        Town(
            name=name,
            held_out=name in held_out,
            facts={attribute.name: values[attribute.name][name] for attribute in ATTRIBUTES},
        )
        for name in names
    )


def _spread(values: tuple[str, ...], names: list[str], attribute: str, seed: int) -> dict[str, str]:
    """Each town's value of one attribute, every value about equally often."""
    shuffled = list(names)
    generator_for(seed, "town facts", attribute).shuffle(shuffled)
    return {name: values[index % len(values)] for index, name in enumerate(shuffled)}
