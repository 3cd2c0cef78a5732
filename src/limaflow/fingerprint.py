"""Which code a command really runs, as one hash.

A rule passes `of("limaflow.training.cli", "run")` as a parameter, so that Snakemake repeats its job
when that code changes and only then. The hash covers the command's function and every definition of
this package that it uses, directly or through others, read from the syntax tree. Comments,
docstrings and layout do not count, and neither does what stands beside a definition in the same
file. Templates and other data that code reads are inputs or parameters of a rule, not part of this.
"""

import ast
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = "limaflow"
WHOLE = "*"


class Definition(NamedTuple):
    """A name at the top level of a module of this package, or WHOLE for all of them."""

    module: str
    name: str
    key: str = ""
    """Of a table, the one entry that is meant; "" is all of it."""


def of(module: str, function: str, entries: Mapping[str, str] | None = None) -> str:
    """Hex hash (16 digits) of the code behind `function` of `module`.

    Args:
        entries: table → key, such as `{"limaflow.sources.kinds:KINDS": "wikihow"}`: of that table,
            a dict with literal keys at the top level of its module, only this entry is used.

    Raises:
        LookupError: the module is not of this package, or defines no such function, table or key.
    """
    start = Definition(module, function)
    if function not in _statements(module):
        raise LookupError(f"{module} defines no function {function}")
    tables = {}
    for table, key in (entries or {}).items():
        place, _, name = table.partition(":")
        tables[Definition(place, name)] = Definition(place, name, key)
    hasher = hashlib.sha256()
    for definition in sorted(_reached(start, tables)):
        name = f"{definition.module}:{definition.name}:{definition.key}"
        hasher.update(f"{name}\n{_text(definition)}\n".encode())
    return hasher.hexdigest()[:16]


def _reached(start: Definition, tables: Mapping[Definition, Definition]) -> set[Definition]:
    seen: set[Definition] = set()
    todo = [start]
    while todo:
        definition = todo.pop()
        definition = tables.get(definition, definition)
        if definition not in seen:
            seen.add(definition)
            todo += _uses(definition)
    return seen


@cache
def _text(definition: Definition) -> str:
    return "\n".join(ast.dump(node) for node in _nodes(definition))


@cache
def _uses(definition: Definition) -> frozenset[Definition]:
    """What a definition's own code names, itself left out."""
    module = definition.module
    found: set[Definition] = set()
    for node in _nodes(definition):
        bound = _imported(_tree(module).body, module) | _imported(ast.walk(node), module)
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                if part.id in _statements(module):
                    found.add(Definition(module, part.id))
                elif part.id in bound and bound[part.id].name != WHOLE:
                    found.add(bound[part.id])
            elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                origin = bound.get(part.value.id)
                if origin is not None and origin.name == WHOLE:
                    known = part.attr in _statements(origin.module)
                    found.add(Definition(origin.module, part.attr) if known else origin)
    # Importing a module also runs whatever it does besides defining names.
    touched = {module, *(d.module for d in found)}
    found |= {Definition(m, "") for m in touched}
    return frozenset(found - {definition})


@cache
def _nodes(definition: Definition) -> list[ast.AST]:
    module, name, key = definition
    if key:
        return [_entry(definition)]
    if name == WHOLE:
        return list(_tree(module).body)
    if name == "":
        defining = {id(n) for nodes in _statements(module).values() for n in nodes}
        imports = (ast.Import, ast.ImportFrom)
        return [
            n for n in _tree(module).body if id(n) not in defining and not isinstance(n, imports)
        ]
    return list(_statements(module)[name])


def _entry(definition: Definition) -> ast.expr:
    """The value that a table has under a key."""
    module, name, key = definition
    for statement in _statements(module).get(name, []):
        value = statement.value if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
        if isinstance(value, ast.Dict):
            for known, found in zip(value.keys, value.values, strict=True):
                if isinstance(known, ast.Constant) and known.value == key:
                    return found
    raise LookupError(f"{module} has no table {name} with the key '{key}'")


@cache
def _statements(module: str) -> dict[str, list[ast.stmt]]:
    """Top-level name → the statements that define it."""
    found: dict[str, list[ast.stmt]] = {}
    for node in _tree(module).body:
        for name in _defined(node):
            found.setdefault(name, []).append(node)
    return found


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.Assign):
        parts = [part for target in node.targets for part in ast.walk(target)]
        return [part.id for part in parts if isinstance(part, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    if isinstance(node, ast.If):  # such as a type that is built when the program runs
        return [name for inner in [*node.body, *node.orelse] for name in _defined(inner)]
    return []


def _imported(nodes: Iterator[ast.AST] | list[ast.stmt], module: str) -> dict[str, Definition]:
    """Local name → what of this package an import binds it to."""
    bound: dict[str, Definition] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == PACKAGE:
                    raise LookupError(f"{module}: write 'from x import y' for {alias.name}")
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise LookupError(f"{module}: relative imports are not followed")
            origin = node.module or ""
            if origin.split(".")[0] != PACKAGE:
                continue
            for alias in node.names:
                inner = f"{origin}.{alias.name}"
                bound[alias.asname or alias.name] = (
                    Definition(inner, WHOLE) if _file(inner) else Definition(origin, alias.name)
                )
    return {
        name: origin
        for name, origin in bound.items()
        if origin.name == WHOLE or origin.name in _statements(origin.module)
    }


@cache
def _file(module: str) -> Path | None:
    path = Path(__file__).parent.joinpath(*module.split(".")[1:])
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return file if file.is_file() else None


@cache
def _tree(module: str) -> ast.Module:
    """The module's syntax tree without docstrings."""
    path = _file(module)
    if path is None:
        raise LookupError(f"{module} is not a module of {PACKAGE}")
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            # A bare string is a docstring, of the definition or of the attribute above it.
            node.body = [s for s in node.body if not _is_bare_string(s)] or [ast.Pass()]
    return tree


def _is_bare_string(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
