"""A workspace: a copy of the checkout in which Snakemake runs, and what its dry runs plan."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TRACKED = ("Snakefile", "config.yaml", "rules", "src", "experiments", "profiles", "envs", "docs")
Outcome = subprocess.CompletedProcess[str]
TINY = ("experiments/miniature.yaml", "tests/workflow/tiny.yaml")


def checkout(root: Path, folder: Path) -> Path:
    """A copy of what a workflow needs of the checkout, without results."""
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    folder.mkdir()
    for name in TRACKED:
        if (root / name).is_dir():
            shutil.copytree(root / name, folder / name, ignore=ignore)
        else:
            shutil.copy2(root / name, folder / name)
    (folder / "tests" / "workflow").mkdir(parents=True)
    shutil.copy2(root / TINY[1], folder / TINY[1])
    return folder


@dataclass(frozen=True)
class Job:
    """A rule with its wildcards, as a dry run lists it."""

    rule: str
    wildcards: str = ""

    def __str__(self) -> str:
        return f"{self.rule}({self.wildcards})" if self.wildcards else self.rule


@dataclass(frozen=True)
class Workspace:
    """A copy of the checkout, with results."""

    folder: Path
    configfiles: tuple[str, ...] = TINY
    scratch: Path | None = None
    """Where Snakemake works, if not in the checkout itself."""

    @property
    def work(self) -> Path:
        """Where results and logs are."""
        return self.scratch or self.folder

    @property
    def results(self) -> Path:
        return self.work / "results" / "miniature"

    def environment(self) -> dict[str, str]:
        """The tests' own environment, with the copy's package in front of the installed one."""
        return {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
            "HF_HUB_OFFLINE": "1",
            # The GPUs that SLURM gives in tests are none.
            "DS_ACCELERATOR": "cpu",
        }

    def command(self, *arguments: str, overlays: tuple[str, ...] = ()) -> list[str]:
        files = [*self.configfiles, *overlays]
        options = ["--directory", str(self.work), "--cores", "2"]
        return ["snakemake", *options, "--configfile", *files, "--", *arguments]

    def run(self, *targets: str, overlays: tuple[str, ...] = ()) -> Outcome:
        """Run to the targets; a failed job is tried once more, as `make demo` does."""
        command = self.command(*targets, overlays=overlays)
        return self.done([command[0], "--retries", "1", *command[1:]])

    def unlock(self) -> Outcome:
        command = self.command()
        return self.done([command[0], "--unlock", *command[1:]])

    def planned(self, *targets: str, overlays: tuple[str, ...] = ()) -> set[str]:
        """The jobs of a dry run, target rules left out."""
        command = self.command(*targets, overlays=overlays)
        done = self.done([command[0], "-n", *command[1:]])
        assert done.returncode == 0, done.stdout + done.stderr
        return {str(job) for job in jobs_of(done.stdout + done.stderr)}

    def touch(self, overlays: tuple[str, ...] = ()) -> None:
        """Let every result be there, as an empty file, and be taken for up to date."""
        command = self.command(overlays=overlays)
        text = self.done([command[0], "-n", *command[1:]]).stdout
        for line in re.findall(r"^ +output: (.*)$", text, re.MULTILINE):
            for path in line.split(", "):
                (self.work / path).parent.mkdir(parents=True, exist_ok=True)
                (self.work / path).touch()
        # Forced, since a record counts only for files that are no newer.
        done = self.done([command[0], "--touch", "--forceall", "--quiet", *command[1:]])
        assert done.returncode == 0, done.stdout + done.stderr

    def done(self, command: list[str]) -> Outcome:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{path} does not hold {old!r}"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")


TARGET_RULES = {"all", "prefetch", "curate", "train", "generate", "judge", "benchmark", "report"}
TARGET_RULES |= {*(f"fig{number}" for number in range(1, 10)), "table1", "claims", "paper"}
TARGET_RULES |= {f"appendix_{letter}" for letter in "bcde"}


def jobs_of(text: str) -> Iterator[Job]:
    """Read the jobs out of a dry run's listing."""
    for block in re.split(r"\n(?=(?:local)?rule )", text):
        head = re.match(r"(?:local)?rule (\w+):", block)
        if head and head[1] not in TARGET_RULES:
            wildcards = re.search(r"^    wildcards: (.*)$", block, re.MULTILINE)
            yield Job(head[1], wildcards[1] if wildcards else "")


def rules_of(jobs: set[str]) -> Counter[str]:
    return Counter(job.split("(")[0] for job in jobs)
