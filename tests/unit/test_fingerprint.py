"""The fingerprint changes with the code a command runs, and with nothing else."""

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from limaflow.fingerprint import _canonical as canonical


@pytest.fixture
def package(tmp_path: Path, root: Path) -> Path:
    """A copy of the package that a test may edit."""
    return Path(shutil.copytree(root / "src" / "limaflow", tmp_path / "limaflow"))


def printed(package: Path, program: str) -> str:
    """What a program prints that imports this copy of the package."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def fingerprint(package: Path) -> Callable[[str], str]:
    def of(command: str) -> str:
        module, function = command.split(":")
        program = (
            "from limaflow import fingerprint;"
            f"print(fingerprint.of('limaflow.{module}', '{function}'))"
        )
        return printed(package, program)

    return of


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_comments_docstrings_and_layout_do_not_count(
    package: Path, fingerprint: Callable[[str], str]
) -> None:
    before = fingerprint("training.cli:run")
    edit(package / "seeds.py", '"""Named', '"""Differently named')
    with (package / "seeds.py").open("a") as file:
        file.write("\n\n# a remark\n")
    assert fingerprint("training.cli:run") == before


def test_the_words_of_errors_and_of_help_do_not_count(
    package: Path, fingerprint: Callable[[str], str]
) -> None:
    before = fingerprint("training.cli:run")
    edit(package / "jsonl.py", '"no such file"', '"there is no such file"')
    edit(package / "training" / "cli.py", "Name of the model to be.", "What to call it.")
    assert fingerprint("training.cli:run") == before
    edit(package / "jsonl.py", "if not path.is_file()", "if path.is_dir()")
    assert fingerprint("training.cli:run") != before


def test_its_parts_name_the_definition_that_was_edited(package: Path) -> None:
    def parts() -> dict[str, str]:
        program = (
            "import json; from limaflow import fingerprint;"
            "print(json.dumps(fingerprint.parts_of('limaflow.training.cli', 'run')))"
        )
        found: dict[str, str] = json.loads(printed(package, program))
        return found

    before = parts()
    edit(package / "training" / "schedule.py", "return settings", "return 1.0 * settings")
    after = parts()
    assert {name for name in before if after[name] != before[name]} == {
        "training.schedule.learning_rate"
    }


def test_an_edit_of_judging_leaves_training_alone(
    package: Path, fingerprint: Callable[[str], str]
) -> None:
    training, judging = fingerprint("training.cli:run"), fingerprint("judging.cli:compare")
    edit(package / "judging" / "pairwise.py", '"both"', '"each"')
    assert fingerprint("training.cli:run") == training
    assert fingerprint("judging.cli:compare") != judging


def test_an_edit_of_a_module_that_training_imports_changes_training(
    package: Path, fingerprint: Callable[[str], str]
) -> None:
    before = fingerprint("training.cli:run")
    edit(package / "seeds.py", "sort_keys=True", "sort_keys=False")
    assert fingerprint("training.cli:run") != before


def test_a_configuration_key_of_judging_leaves_training_alone(
    package: Path, fingerprint: Callable[[str], str]
) -> None:
    training, judging = fingerprint("training.cli:run"), fingerprint("judging.cli:compare")
    attempts = "attempts: int = Field(default={}"
    edit(package / "endpoints" / "settings.py", attempts.format(3), attempts.format(4))
    assert fingerprint("training.cli:run") == training
    assert fingerprint("judging.cli:compare") != judging


def test_another_command_of_the_same_file_does_not_count(
    package: Path, fingerprint: Callable[[str], str]
) -> None:
    before = fingerprint("training.cli:run")
    with (package / "training" / "cli.py").open("a") as file:
        file.write("\n\n@app.command()\ndef extra() -> None:\n    print('new')\n")
    assert fingerprint("training.cli:run") == before


def cached(package: Path, file: Path, command: str) -> str:
    """The fingerprint by a cache in `file`, and whether the code was read for it."""
    module, function = command.split(":")
    program = (
        "from pathlib import Path; from limaflow import fingerprint;"
        f"cache = fingerprint.read_cache(Path('{file}'));"
        f"print(cache.of('limaflow.{module}', '{function}'),"
        "fingerprint._tree.cache_info().misses > 0)"
    )
    return printed(package, program)


def test_a_cache_answers_as_long_as_no_module_changes(
    package: Path, tmp_path: Path, fingerprint: Callable[[str], str]
) -> None:
    file, command = tmp_path / "state" / "fingerprints.json", "training.cli:run"
    before = fingerprint(command)
    assert cached(package, file, command) == f"{before} True"
    assert cached(package, file, command) == f"{before} False"
    edit(package / "seeds.py", "sort_keys=True", "sort_keys=False")
    assert cached(package, file, command) == f"{fingerprint(command)} True"
    assert fingerprint(command) != before


@pytest.mark.parametrize("damage", ["", "{", "[1]", "7"])
def test_a_damaged_cache_is_computed_anew(tmp_path: Path, damage: str) -> None:
    from limaflow import fingerprint

    (tmp_path / "fingerprints.json").write_text(damage)
    cache = fingerprint.read_cache(tmp_path / "fingerprints.json")
    assert cache.known == {}
    found = cache.of("limaflow.curation.cli", "freeze")
    assert found == fingerprint.of("limaflow.curation.cli", "freeze")
    assert fingerprint.read_cache(tmp_path / "fingerprints.json").known == cache.known


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    from limaflow import fingerprint

    (tmp_path / "in-the-way").touch()
    cache = fingerprint.read_cache(tmp_path / "in-the-way" / "fingerprints.json")
    found = cache.of("limaflow.curation.cli", "freeze")
    assert found == fingerprint.of("limaflow.curation.cli", "freeze")


def test_an_unknown_command_is_an_error() -> None:
    from limaflow import fingerprint

    with pytest.raises(LookupError, match="defines no function nothing"):
        fingerprint.of("limaflow.training.cli", "nothing")


def test_an_entry_of_a_table_leaves_the_other_entries_out(package: Path) -> None:
    (package / "tables.py").write_text(
        "def one() -> int:\n    return 1\n\n\ndef two() -> int:\n    return 2\n\n\n"
        'TABLE = {"one": one, "two": two}\n\n\n'
        "def run(key: str) -> int:\n    return TABLE[key]()\n"
    )

    def of(key: str) -> str:
        program = (
            "from limaflow import fingerprint;"
            f"print(fingerprint.of('limaflow.tables', 'run', {{'limaflow.tables:TABLE': '{key}'}}))"
        )
        return printed(package, program)

    one, two = of("one"), of("two")
    edit(package / "tables.py", "return 2", "return 3")
    assert of("one") == one
    assert of("two") != two
    with pytest.raises(subprocess.CalledProcessError) as error:
        of("three")
    assert "has no table TABLE with the key 'three'" in error.value.stderr


KINDS = ("stackexchange", "wikihow", "reddit", "natural-instructions", "authored")
FOR_ALL_KINDS = {"hold_out", "sample", "apply_review"}
ALL_JOBS = f"""
import json
from limaflow import fingerprint
tables = "limaflow.sources.kinds"
def of(stage, command, table, kind):
    return fingerprint.of(f"limaflow.{{stage}}.cli", command, {{f"{{tables}}:{{table}}": kind}})
hashes = {{c: fingerprint.of("limaflow.curation.cli", c) for c in {sorted(FOR_ALL_KINDS)}}}
for kind in {KINDS}:
    hashes["extract " + kind] = of("sources", "extract", "READERS", kind)
    hashes["filter " + kind] = of("curation", "filter_candidates", "POLICIES", kind)
print(json.dumps(hashes))
"""


def changed_by(package: Path, file: str, old: str, new: str) -> set[str]:
    """Jobs that an edit repeats: `extract` and `filter` of each kind, and what serves all kinds."""

    def hashes() -> dict[str, str]:
        found: dict[str, str] = json.loads(printed(package, ALL_JOBS))
        return found

    before = hashes()
    edit(package / file, old, new)
    return {job for job, hash in hashes().items() if hash != before[job]}


@pytest.mark.parametrize(
    ("file", "old", "new", "jobs"),
    [
        ("wikihow.py", "title, text = row", "title, text, _ = row", {"extract wikihow"}),
        ("stackexchange.py", "site, before = ", "before, site = ", {"extract stackexchange"}),
        ("stackexchange.py", "1024 * 1024", "2048 * 1024", {"extract stackexchange"}),
        ("reddit.py", 'TITLES_ONLY = ("ask', 'TITLES_ONLY = ("tell', {"extract reddit"}),
        (
            "authored.py",
            "prompt_field: str = PROMPT_FIELD",
            'prompt_field: str = "q"',
            {"extract authored"},
        ),
        (
            "wikihow.py",
            'strata="even"',
            'strata="by size"',
            {"filter wikihow", *FOR_ALL_KINDS},
        ),
    ],
)
def test_an_edit_of_a_kind_repeats_the_jobs_of_that_kind_alone(
    package: Path, file: str, old: str, new: str, jobs: set[str]
) -> None:
    assert changed_by(package, f"sources/kinds/{file}", old, new) == jobs


def test_an_edit_of_a_selection_rule_repeats_every_filter_and_no_reader(package: Path) -> None:
    rule = "curation/filters/response_too_short.py"
    changed = changed_by(package, rule, "if chars < least", "if chars <= least")
    assert changed == {f"filter {kind}" for kind in KINDS}


def test_a_definition_in_an_if_is_followed(package: Path) -> None:
    """The block of the selection rules is built when the program runs, in such a branch."""
    changed = changed_by(
        package, "curation/settings.py", "description=t.meaning", "title=t.meaning"
    )
    assert changed == {f"filter {kind}" for kind in KINDS}


def test_what_a_version_of_python_adds_to_the_tree_does_not_count() -> None:
    # Python 3.12 gave functions and classes `type_params`; 3.13 dumps no empty lists.
    source = "class A:\n    def f(self, x: int = 1) -> str:\n        return f'{x:{x}}'\n"
    here, there = (ast.parse(source).body[0] for _ in range(2))
    for node in ast.walk(there):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            node._fields = (*node._fields, "added")
            setattr(node, "added", [])  # noqa: B010 - no such attribute here
        if isinstance(node, ast.JoinedStr):
            node.values.append(ast.Constant(""))
    assert canonical(there) == canonical(here)
    assert ast.dump(there) != ast.dump(here)


def test_an_empty_text_in_a_list_counts() -> None:
    with_text, without = (ast.parse(code).body[0] for code in ('x = ["", y]', "x = [y]"))
    assert canonical(with_text) != canonical(without)
