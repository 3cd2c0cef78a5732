"""What the graph would run to make a study's numbers, as jobs that need no shell and no Snakemake.

Snakemake plans and runs nothing here: its dry run says what each rule would run, given the
bundle's configuration. A bundle is hostile input, so that its job records, which hold commands
too, are never taken for commands.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from limaflow.errors import InputError
from limaflow.recording.surroundings import CHECKOUT

RULES = (
    *("preferences", "agreement", "agreement_of_grades", "grades", "by_tag", "tax"),
    *("tax_from_lima", "training_seeds", "decide_claims", "figure", "table", "refusals"),
    *("check_formats", "formats", "measure_dialogues", "dialogue_preferences"),
    *("measure_safety", "resistance", "summarize_token_shift"),
)
"""Those that make numbers of verdicts, grades, responses and items, without a model."""
COMMANDS = ("analyze", "judge", "format", "refusals", "dialogue", "shift")
OUTPUTS = ("--output", "--strengths", "--table")
BLOCK = re.compile(r"\n(?=(?:local)?rule \w+:)")
SHELL = re.compile(r"^Shell command: (.*)$", re.MULTILINE)
END = re.compile(r" 2>&1 \| tee \S+$")


@dataclass(frozen=True)
class Job:
    """One command of limaflow, without the program's name."""

    words: tuple[str, ...]
    outputs: tuple[str, ...]
    inputs: frozenset[str]


def planned(folder: Path, results: str, targets: Sequence[str]) -> list[Job]:
    """The jobs that make the targets, each after those whose files it reads.

    Args:
        folder: where the bundle's files lie, without those that are to be made.
        results: the experiment's folder there.

    Raises:
        InputError: Snakemake cannot plan it, or a command is none that makes numbers.
    """
    if not (CHECKOUT / "Snakefile").is_file():
        raise InputError(
            "the graph is not there: numbers are made again by a checkout of limaflow",
            fix="run `limaflow verify` of a checkout, or leave the rebuild out: --hashes-only",
            path=CHECKOUT,
        )
    command = [sys.executable, "-m", "snakemake", "-n", "-p", "--nolock", "--cores", "1"]
    command += ["--snakefile", str(CHECKOUT / "Snakefile"), "--directory", str(folder)]
    command += ["--configfile", str(folder / results / "config.json")]
    command += ["--allowed-rules", *RULES, "--", *targets]
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise InputError(f"the graph cannot make its numbers: {_said(done.stderr + done.stdout)}")
    return list(_jobs_of(done.stdout))


def _said(text: str) -> str:
    """The lines of Snakemake's message that say what is wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    places = [
        number for number, line in enumerate(lines) if re.match(r"\w*(Error|Exception)", line)
    ]
    return " ".join(lines[places[0] :] if places else lines[-5:])[:600]


def _jobs_of(text: str) -> Iterator[Job]:
    # A key of the configuration with a line's end cannot pass for a job: words are looked at below.
    for block in BLOCK.split(text):
        found = SHELL.findall(block)
        if not block.lstrip().startswith(("rule ", "localrule ")) or not found:
            continue
        outputs = _listed(block, "output")
        yield Job(_words(found[0], outputs), outputs, frozenset(_listed(block, "input")))


def _listed(block: str, field: str) -> tuple[str, ...]:
    found = re.search(rf"^    {field}: (.*)$", block, re.MULTILINE)
    return tuple(found[1].split(", ")) if found else ()


def _words(line: str, outputs: Sequence[str]) -> tuple[str, ...]:
    """The words of a command line, which must write to its declared outputs alone.

    Raises:
        InputError: it is another command, or writes elsewhere.
    """
    program, *words = shlex.split(END.sub("", line))
    written = [words[place + 1] for place, word in enumerate(words[:-1]) if word in OUTPUTS]
    if program != "limaflow" or not words or words[0] not in COMMANDS:
        raise InputError(f"the graph would run `{line[:80]}`, which makes no numbers")
    for path in (*written, *outputs):
        if path not in outputs or PurePosixPath(path).is_absolute() or ".." in path.split("/"):
            raise InputError(
                f"a command would write to {path[:80]}, which is no output of the graph"
            )
    return tuple(words)
