"""Goals, and attacks that others recorded, from the files of the source kind `attack-goals`."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from limaflow.errors import InputError
from limaflow.records import Example, example_id
from limaflow.seeds import generator_for
from limaflow.sources.kinds import attack_goals
from limaflow.sources.shard import Shard


def read_goals(paths: Sequence[Path]) -> list[Example]:
    """One prompt a row, sorted by id, each text once.

    Raises:
        InputError: as the source kind `attack-goals`; the files hold no goal.
    """
    found: dict[str, Example] = {}
    for path in paths:
        shard = Shard(
            kind="attack-goals",
            source=path.stem,
            name=path.stem,
            files=(path,),
            scratch=Path(),
            options=attack_goals.GoalOptions(),
        )
        for row in attack_goals.read(shard, Counter()):
            prompt = Example(
                id=example_id(row.messages, row.tags),
                messages=row.messages,
                source=row.source,
                split="test",
                kind=row.kind,
                stratum=row.stratum,
                provenance=row.provenance,
                tags=row.tags,
            )
            found.setdefault(prompt.id, prompt)
    if not found:
        raise InputError("holds no goal", path=paths[0] if paths else None)
    return [found[key] for key in sorted(found)]


def drawn(goals: Sequence[Example], number: int, seed: int) -> list[Example]:
    """So many of the goals, by lot, sorted by id.

    Raises:
        InputError: there are fewer.
    """
    if number > len(goals):
        raise InputError(f"{number} goals are wanted, and there are {len(goals)}")
    chosen = generator_for(seed, "goals").sample(list(goals), number)
    return sorted(chosen, key=lambda goal: goal.id)
