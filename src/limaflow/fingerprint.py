"""Which code a command really runs, as one hash.

A rule passes `of("limaflow.training.cli", "run")` as a parameter, so that Snakemake repeats its job
when that code changes and only then. The hash covers the command's function and every definition of
this package that it uses, directly or through others, read from the syntax tree. Comments,
docstrings and layout do not count, nor do the words of an InputError and the help of an option, and
neither does what stands beside a definition in the same file. Templates and other data that code
reads are inputs or parameters of a rule, not part of this.
"""

import ast
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
    hasher = hashlib.sha256()
    for definition in _behind(module, function, entries):
        name = f"{definition.module}:{definition.name}:{definition.key}"
        hasher.update(f"{name}\n{_text(definition)}\n".encode())
    return hasher.hexdigest()[:16]


def parts_of(module: str, function: str) -> dict[str, str]:
    """What `of` covers, definition by definition: its name → hash, to tell what has changed.

    Raises:
        LookupError: as `of`.
    """
    return {
        f"{d.module.removeprefix(f'{PACKAGE}.')}.{d.name or '(module)'}": hashlib.sha256(
            _text(d).encode()
        ).hexdigest()[:16]
        for d in _behind(module, function, None)
    }


def _behind(module: str, function: str, entries: Mapping[str, str] | None) -> list["Definition"]:
    start = Definition(module, function)
    if function not in _statements(module):
        raise LookupError(f"{module} defines no function {function}")
    tables = {}
    for table, key in (entries or {}).items():
        place, _, name = table.partition(":")
        tables[Definition(place, name)] = Definition(place, name, key)
    return sorted(_reached(start, tables))


@dataclass(frozen=True)
class Cache:
    """Fingerprints kept in a file. Every start of Snakemake asks for the same fifty, also on the
    node of each cluster job, and to compute them takes a second."""

    file: Path
    sources: str
    """Hash of all modules; what was kept under another one is not read."""
    known: dict[str, str]

    def of(self, module: str, function: str, entries: Mapping[str, str] | None = None) -> str:
        """As the function `of`.

        Raises:
            LookupError: as there.
        """
        asked = json.dumps([module, function, entries or {}], sort_keys=True)
        if asked not in self.known:
            self.known[asked] = of(module, function, entries)
            self._save()
        return self.known[asked]

    def _save(self) -> None:
        """Write the file; where that is not allowed, the next start computes again."""
        temporary = self.file.with_name(f"{self.file.name}.{os.getpid()}.tmp")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps({self.sources: self.known}), encoding="utf-8")
            temporary.replace(self.file)
        except OSError:
            return


def read_cache(file: Path) -> Cache:
    """The cache in a file, or an empty one if it is missing, damaged or of other sources."""
    hasher = hashlib.sha256(sys.version.encode())
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        hasher.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    sources = hasher.hexdigest()
    try:
        known = json.loads(file.read_text(encoding="utf-8"))[sources]
    except (OSError, ValueError, LookupError, TypeError):
        known = {}
    return Cache(file, sources, known)


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
    return "\n".join(_canonical(node) for node in _nodes(definition))


def _canonical(value: object) -> str:
    """A syntax tree as text that is the same on every version of Python.

    `ast.dump` names fields that a version has added and leaves out others; a field that is None or
    an empty list says nothing, and is left out here.
    """
    if isinstance(value, ast.JoinedStr):
        # Python 3.12.1 has an empty text at the end of nested format specifications.
        texts = [v for v in value.values if not (isinstance(v, ast.Constant) and v.value == "")]
        return f"JoinedStr({_canonical(texts)})"
    if isinstance(value, ast.Call) and _name(value.func) == "InputError":
        # Its words decide nothing; that there is one does.
        return f"Call(InputError,{_canonical([k.arg for k in value.keywords])})"
    if isinstance(value, ast.keyword) and value.arg == "help":
        return "keyword(help)"
    if isinstance(value, ast.AST):
        fields = ((name, part) for name, part in ast.iter_fields(value) if part not in (None, []))
        inner = ",".join(f"{name}={_canonical(part)}" for name, part in fields)
        return f"{type(value).__name__}({inner})"
    if isinstance(value, list):
        return f"[{','.join(map(_canonical, value))}]"
    return repr(value)


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else ""


@cache
def _uses(definition: Definition) -> frozenset[Definition]:
    """What a definition's own code names, itself left out."""
    module = definition.module
    found: set[Definition] = set()
    for node in _nodes(definition):
        parts = list(ast.walk(node))
        # An import inside a definition comes before the module's own.
        scopes = (_bound(parts, module), _bound_at_the_top(module))
        for part in parts:
            if isinstance(part, ast.Name):
                if part.id in _statements(module):
                    found.add(Definition(module, part.id))
                else:
                    origin = _resolved(part.id, scopes)
                    if origin is not None and origin.name != WHOLE:
                        found.add(origin)
            elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                origin = _resolved(part.value.id, scopes)
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


@cache
def _bound_at_the_top(module: str) -> dict[str, Definition]:
    return _bound(_tree(module).body, module)


def _bound(nodes: Iterable[ast.AST], module: str) -> dict[str, Definition]:
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
    return bound


def _resolved(name: str, scopes: Iterable[Mapping[str, Definition]]) -> Definition | None:
    """What an imported name stands for, if its module defines it."""
    for bound in scopes:
        origin = bound.get(name)
        # The module of an import is parsed only here, once a name of it is used.
        if origin is not None and (
            origin.name == WHOLE or origin.name in _statements(origin.module)
        ):
            return origin
    return None


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
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            # A bare string is a docstring, of the definition or of the attribute above it.
            node.body = [s for s in node.body if not _is_bare_string(s)] or [ast.Pass()]
        # Definitions stand among statements, so that expressions need no look.
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, block, None)
            todo += inner if isinstance(inner, list) else []
    return tree


def _is_bare_string(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
