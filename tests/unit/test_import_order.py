"""The rooms of the package import one way: the order stands in docs/architecture.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "limaflow"


def order_of(root: Path) -> list[str]:
    """The rooms of the picture's block `import order`, lowest first."""
    text = (root / "docs/architecture.md").read_text(encoding="utf-8")
    block = re.search(r"```import-order\n(.*?)```", text, re.DOTALL)
    assert block, "docs/architecture.md has no block `import-order`"
    lines = [line.partition("#")[0] for line in block[1].splitlines()]
    return [room for line in lines for room in line.split()]


def rooms_of(root: Path) -> set[str]:
    source = root / "src" / PACKAGE
    folders = {f.name for f in source.iterdir() if (f / "__init__.py").is_file()} - {"tools"}
    tools = {f"tools.{f.name}" for f in (source / "tools").iterdir() if f.is_dir()}
    modules = {f.stem for f in source.glob("*.py")} - {"__init__"}
    return {room for room in folders | tools | modules if "__pycache__" not in room}


def imports_of(path: Path) -> Iterator[str]:
    """Every module of the package that a file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            for name in node.names:
                yield f"{node.module}.{name.name}"


def room_of(module: str) -> str:
    parts = module.split(".")[1:]
    return ".".join(parts[:2]) if parts[0] == "tools" else parts[0]


def test_every_room_has_its_place_in_the_order(root: Path) -> None:
    order = order_of(root)
    assert len(order) == len(set(order))
    assert set(order) == rooms_of(root)


def test_a_room_imports_from_itself_and_from_rooms_below(root: Path) -> None:
    place = {room: number for number, room in enumerate(order_of(root))}
    source = root / "src"
    upward = []
    for path in sorted((source / PACKAGE).rglob("*.py")):
        own = room_of(".".join(path.relative_to(source).with_suffix("").parts))
        upward += [
            f"{path.relative_to(source)} imports {module}"
            for module in imports_of(path)
            if own != "__init__" and place[room_of(module)] > place[own]
        ]
    assert upward == []
