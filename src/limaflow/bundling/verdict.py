"""What a check of a bundle found, in words."""

from collections.abc import Iterator

from limaflow.bundling.rebuild import Rebuilt
from limaflow.bundling.verify import Verified
from limaflow.errors import listed


def told(found: Verified) -> Iterator[str]:
    """The report of a check, line by line; the last says whether all is well."""
    for difference in found.differences:
        yield f"{difference.how}: {difference.name}{_moves(found.moved.get(difference.name, []))}"
    for name, problem in found.contradictions.items():
        yield f"contradicted: {name}: {problem}"
    for name, rows in found.without_texts.items():
        yield f"by hash: texts of {rows} rows of {name}"
    if found.by_hash:
        yield f"by hash: {found.by_hash} files, such as raw data, which this check cannot read"
    if found.rebuilt is None:
        yield "numbers: not made again, as was asked"
    else:
        yield from _numbers(found.rebuilt)
        if found.other_code and not found.sound:
            yield ("other code than this made the numbers, which may be why")
    hashed = found.files - len(found.differences)
    yield f"{hashed} of {found.files} files are as the sums say; sums {found.sums}"
    resting = len(found.rebuilt.resting) if found.rebuilt else 0
    but = f", but for the {resting} files of numbers that are named above" if resting else ""
    yield f"verified{but}" if found.sound else "NOT verified"


def _moves(numbers: list[str]) -> str:
    return f" (moves {listed(_short(numbers), most=20)})" if numbers else ""


def _numbers(rebuilt: Rebuilt) -> Iterator[str]:
    for name, where in sorted(rebuilt.different.items()):
        yield f"other number: {name} is not what follows from the verdicts and items: {where}"
    for name, problem in sorted(rebuilt.failed.items()):
        yield f"not made again: {name}: {problem}"
    if rebuilt.resting:
        names = ", ".join(_short(sorted(rebuilt.resting)))
        yield f"not verified: {names}: they rest on what is here by hash alone"
    total = sum(map(len, (rebuilt.same, rebuilt.different, rebuilt.failed, rebuilt.resting)))
    yield f"numbers: {len(rebuilt.same)} of {total} files made again, byte for byte"


def _short(names: list[str]) -> list[str]:
    return [name.split("/", 2)[-1] for name in names]
