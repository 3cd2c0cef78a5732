"""What stands in for sbatch and sacct, with small programs in place of SLURM's own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from limaflow import lasting_errors
from limaflow.errors import InputError
from limaflow.tools.cluster import submitting
from limaflow.tools.cluster.submitting import submit

OURS = Path(__file__).parents[4] / "profiles/slurm/bin"
COMMAND = [
    "--parsable", "--job-name", "run", "--comment", "rule_fine_tune", "-p", "gpu", "-t", "600",
    "--wrap=snakemake --target-jobs 'fine_tune:arm=lima' --allowed-rules fine_tune --attempt 1",
]  # fmt: skip
Program = Callable[[str, str], None]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a shell script on the PATH, behind our own; the test works in an empty folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("PATH", f"{OURS}:{folder}:{os.environ['PATH']}")
    monkeypatch.delenv(submitting.MAIN, raising=False)
    monkeypatch.setattr(submitting, "PAUSE_SECONDS", 0.01)

    def write(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)

    write("sinfo", "echo infinite")
    return write


@pytest.mark.parametrize(
    "said",
    [
        "sbatch: error: AssocMaxSubmitJobLimit",
        "sbatch: error: QOSMaxSubmitJobPerUserLimit",
        "sbatch: error: Batch job submission failed: Unable to contact slurm controller "
        "(connect failure)",
    ],
)
def test_it_waits_for_a_limit_and_for_the_scheduler_and_says_so_once(
    program: Program, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    program(
        "sbatch",
        f'echo x >> tries; [ $(wc -l < tries) = 4 ] && echo 17 || {{ echo "{said}" >&2; exit 1; }}',
    )
    assert submit(COMMAND, OURS) == 0
    printed = capfd.readouterr()
    assert printed.out.strip() == "17"
    assert printed.err.count("rule_fine_tune waits to be submitted: ") == 1
    assert Path("tries").read_text().count("x") == 4


def test_any_other_refusal_is_passed_on_at_once(
    program: Program, capfd: pytest.CaptureFixture[str]
) -> None:
    program("sbatch", "echo x >> tries; echo 'sbatch: error: Invalid account' >&2; exit 1")
    assert submit(COMMAND, OURS) == 1
    assert "Invalid account" in capfd.readouterr().err
    assert Path("tries").read_text().count("x") == 1


@pytest.mark.parametrize(
    ("limit", "asked"), [("infinite", "600"), ("1-00:00:00", "600"), ("02:00:00", "120")]
)
def test_no_more_time_is_asked_than_the_partition_allows(
    program: Program, limit: str, asked: str, capfd: pytest.CaptureFixture[str]
) -> None:
    program("sinfo", f"echo {limit}")
    program("sbatch", 'while [ "$1" != -t ]; do shift; done; echo "$2"')
    assert submit(COMMAND, OURS) == 0
    printed = capfd.readouterr()
    assert printed.out.strip() == asked
    assert ("asks for 600 minutes, and partition 'gpu' allows" in printed.err) == (asked != "600")


def test_a_job_that_ended_in_an_error_that_lasts_is_not_sent_again(
    program: Program, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program("sbatch", "echo x >> tries; echo 4$(wc -l < tries)")

    def attempt(number: int, *, run: str = "run", error: InputError | None = None) -> int:
        words = [w.replace("--attempt 1", f"--attempt {number}") for w in COMMAND]
        code = submit([run if word == "run" else word for word in words], OURS)
        if error is not None:
            monkeypatch.setenv("SLURM_JOB_ID", capfd.readouterr().out.strip())
            lasting_errors.note(error)
        return code

    assert attempt(1, error=InputError("the disk has filled up", may_pass=True)) == 0
    assert attempt(2, error=InputError("no examples to train on", path="train.jsonl")) == 0
    assert attempt(3) == 1
    assert "would end the same: train.jsonl: no examples to train on" in capfd.readouterr().err
    assert attempt(1, run="the next run") == 0


def test_keys_stay_on_this_machine(
    program: Program, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program("sbatch", 'echo "$JUDGES_KEY and $OTHER"')
    monkeypatch.setenv("JUDGES_KEY", "sk-1")
    monkeypatch.setenv("OTHER", "kept")
    monkeypatch.setenv(submitting.SECRETS, "JUDGES_KEY UNSET_KEY")
    assert submit(COMMAND, OURS) == 0
    assert capfd.readouterr().out.strip() == "and kept"


def test_a_script_is_there_on_every_try(program: Program) -> None:
    program(
        "sbatch",
        "cat > script; echo x >> tries; [ $(wc -l < tries) = 2 ] && echo 5"
        " || { echo AssocMaxSubmitJobLimit >&2; exit 1; }",
    )
    words = [*COMMAND[:-1], "/dev/stdin"]
    stand_in = (
        "import sys; from pathlib import Path; from limaflow.tools.cluster import submitting;"
        "submitting.PAUSE_SECONDS = 0.01; submitting.submit(sys.argv[2:], Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", stand_in, OURS, *words],
        input="#!/bin/sh\necho hello\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "5"
    assert Path("script").read_text() == "#!/bin/sh\necho hello\n"


def test_they_need_no_program_but_python_and_a_shell(program: Program, tmp_path: Path) -> None:
    program("sbatch", "echo 7")
    program("sacct", "echo asked; exit 1")
    program("squeue", 'echo "$@"')
    environment = {
        **os.environ,
        "PATH": f"{OURS}:{tmp_path}/bin",
        "LIMAFLOW_PYTHON": sys.executable,
    }

    def said(*command: str) -> str:
        words = [str(OURS / command[0]), *command[1:]]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert said("sbatch", *COMMAND) == "7"
    assert said("sacct", "-X", "--name", "run").endswith("--format=%i|%T --name run")
