"""What the project promises about its own files."""

import re
import sys
from pathlib import Path

import pytest
import yaml


def test_the_conda_file_has_the_pins_of_the_lock(root: Path) -> None:
    lock = (root / "envs/requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lock if not line.startswith("#")]
    conda = yaml.safe_load((root / "envs/limaflow.yaml").read_text(encoding="utf-8"))
    assert conda["dependencies"][-1]["pip"] == pins


def test_every_direct_dependency_is_locked_and_has_its_job_named(root: Path) -> None:
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (root / "envs/requirements.lock").read_text(encoding="utf-8").lower().replace("_", "-")
    jobs = (root / "envs/README.md").read_text(encoding="utf-8")
    for line in project["dependencies"]:
        name = re.split(r"[<>=\[]", line)[0]
        assert f"\n{name.lower()}==" in lock, name
        assert name.removeprefix("snakemake-executor-plugin-slurm") in jobs, name


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "rules").glob("*.smk")), ids=lambda p: p.stem
)
def test_rules_are_one_visible_command(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"^\s+(run|shadow|retries|script|notebook):", text, re.MULTILINE)
    for block in re.findall(r"    shell:\n((?:        .*\n)+)", text):
        command = "".join(re.findall(r"[\"'](.*)[\"']", block))
        # A launcher stands before the command that it starts, with `--` between them.
        own = command.rpartition(" -- ")[2]
        assert own.count("limaflow") == 1 or own.startswith("cp "), command


def test_the_package_never_imports_snakemake(root: Path) -> None:
    for module in (root / "src").rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(from|import) snakemake", text, re.MULTILINE), module


def test_remote_code_and_pickles_are_never_trusted(root: Path) -> None:
    for module in (root / "src").rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        assert "trust_remote_code=True" not in text, module
        assert not re.search(r"^\s*import pickle", text, re.MULTILINE), module


def test_heavy_packages_do_not_slow_the_command_line_down(root: Path) -> None:
    import subprocess

    program = "import sys, limaflow.cli; print(*sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    heavy = {"torch", "transformers", "deepspeed", "lm_eval", "openai", "matplotlib", "scipy"}
    assert not heavy & set(done.stdout.split())


def test_git_hooks_run_what_make_lint_runs_and_fetch_nothing(root: Path) -> None:
    settings = yaml.safe_load((root / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repo["repo"] for repo in settings["repos"]] == ["local"]
    hooks = settings["repos"][0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert lint
    checked = [words.split()[:2] for words in lint[1].splitlines()]
    hooked = [hook["entry"].removeprefix(".venv/bin/").split()[:2] for hook in hooks]
    assert sorted(hooked) == sorted(checked)


def test_make_help_lists_what_contributing_names(root: Path) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    told = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", told)) <= listed


def test_no_program_of_the_project_reads_beside_the_checkout(root: Path) -> None:
    for folder in ("src", "benchmarks"):
        for module in (root / folder).rglob("*.py"):
            assert "../" not in module.read_text(encoding="utf-8"), module


def test_links_between_documents_lead_somewhere(root: Path) -> None:
    for page in [root / "README.md", root / "CONTRIBUTING.md", *(root / "docs").glob("*.md")]:
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_readme_leads_to_every_experiment_and_page(root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    files = [*(root / "experiments").glob("*.yaml"), *(root / "docs").glob("*.md")]
    paths = [file.relative_to(root).as_posix() for file in files]
    assert [path for path in paths if f"({path})" not in text] == []


def test_the_page_of_the_report_names_every_figure_and_table(root: Path) -> None:
    from limaflow.analysis.exhibits.catalogue import FIGURES, TABLES

    text = (root / "docs/report.md").read_text(encoding="utf-8")
    assert [name for name in (*FIGURES, *TABLES) if f"`{name}`" not in text] == []


def test_the_afternoon_stays_short(root: Path) -> None:
    text = (root / "docs/reading.md").read_text(encoding="utf-8")
    files = re.findall(r"\]\(\.\./([^)]+)\)", text)
    lines = sum(len((root / file).read_text(encoding="utf-8").splitlines()) for file in files)
    assert (len(files) <= 20, lines <= 2600) == (True, True), (len(files), lines)


def test_the_citation_file_keeps_to_the_schema_of_cff(root: Path) -> None:
    # The schema is that of the Citation File Format 1.2.0 (CC BY 4.0), doi:10.5281/zenodo.5171937.
    import json

    import jsonschema

    schema = json.loads((root / "tests/unit/cff_1_2_0.schema.json").read_text(encoding="utf-8"))
    cited = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    jsonschema.validate(cited, schema)
    assert f'version = "{cited["version"]}"' in (root / "pyproject.toml").read_text("utf-8")


def test_the_catalog_of_workflows_finds_what_it_lists(root: Path) -> None:
    named = yaml.safe_load((root / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))
    usage = named["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment"}
    flags = usage["mandatory-flags"]["flags"].split()
    assert (root / flags[1]).is_file()
    readme = (root / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in readme
    assert "workflow" in readme
    assert (root / "Snakefile").is_file()


def test_every_page_has_its_place_in_the_site(root: Path) -> None:
    index = (root / "docs/index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^([a-z-]+)$", index, re.MULTILINE)
    assert "\ngenerated/configuration\n" in index
    pages = {path.stem for path in (root / "docs").glob("*.md")} - {"index"}
    assert pages == set(listed)
    assert len(listed) == len(set(listed))


def test_the_page_of_the_configuration_names_every_key(root: Path) -> None:
    import subprocess

    from limaflow.config.experiment import Config

    program = "import configuration_page; print(configuration_page.page())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root / "docs",
        capture_output=True,
        text=True,
        check=True,
    )
    schema = Config.model_json_schema()
    blocks = [schema, *schema["$defs"].values()]
    keys = {key for block in blocks for key in block.get("properties", {})}
    written = set(
        re.findall(r"[A-Za-z_0-9]+", " ".join(re.findall(r"^\| `([^`]*)`", done.stdout, re.M)))
    )
    assert keys - written == set()
