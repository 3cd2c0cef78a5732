"""What stands in for `sbatch` on the PATH of the main Snakemake (profiles/slurm/bin/sbatch).

snakemake-executor-plugin-slurm 2.8 counts every sbatch that fails as a failure of the job, and its
tries are over in seconds. So a submission waits here for a scheduler that cannot be reached and for
a limit on submitted jobs. A time above the partition's limit, which SLURM refuses or lets pend for
ever, is lowered to it. A job whose last attempt ended in an error that lasts is not sent again. The
environment goes to SLURM without the keys that jobs have no use for. What happens here is printed
by the main process.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from limaflow.lasting_errors import FOLDER, note_of
from limaflow.scheduler import minutes_of, option, program
from limaflow.seeds import digest

UNREACHABLE = "Unable to contact slurm controller (connect failure)"
TOO_MANY = re.compile(r"\w*SubmitJob\w*")
"""AssocMaxSubmitJobLimit, QOSMaxSubmitJobPerUserLimit and their like: one of ours has to end."""
PATIENCE_SECONDS = 3600
"""For a scheduler that is silent; for a limit there is none, since jobs end."""
PAUSE_SECONDS = 10
SECRETS, MAIN = "LIMAFLOW_SECRETS", "LIMAFLOW_MAIN_PROCESS"


def submit(words: Sequence[str], bin_folder: Path) -> int:
    """Submit as `sbatch` does, and return its exit code.

    Args:
        words: of its command line.
        bin_folder: where the stand-in lies, which is not what it stands for.
    """
    sbatch = program("sbatch", bin_folder)
    if sbatch is None:
        print("sbatch: not found", file=sys.stderr)
        return 127
    # A job without --wrap has its script there; otherwise there may be a terminal.
    script = None if any(w.startswith("--wrap") for w in words) else sys.stdin.buffer.read()
    last = _last_attempt(words, script or b"")
    if last.is_file() and (note := note_of(last.read_text().strip())).is_file():
        reason = note.read_text(encoding="utf-8").strip()
        print(f"not sent again, since it would end the same: {reason}", file=sys.stderr)
        return 1
    words = within_limit(words)
    environment = without_secrets(os.environ)
    began, waiting = time.monotonic(), ""
    while True:
        done = subprocess.run(
            [sbatch, *words], input=script, env=environment, capture_output=True, check=False
        )
        output = done.stderr.decode(errors="replace")
        reason = reason_to_wait(output) if done.returncode else ""
        if not reason:
            break
        if reason == UNREACHABLE and time.monotonic() - began > PATIENCE_SECONDS:
            break
        if reason != waiting:
            tell(f"{_comment(words)} waits to be submitted: {reason}")
            waiting = reason
        time.sleep(PAUSE_SECONDS)
    sys.stdout.buffer.write(done.stdout)
    sys.stderr.write(output)
    if done.returncode == 0:
        last.parent.mkdir(parents=True, exist_ok=True)
        job = done.stdout.decode().strip().split(";")[0]
        last.write_text(job)
        # Of another cluster, or from before its numbers began anew.
        note_of(job).unlink(missing_ok=True)
    return done.returncode


def reason_to_wait(output: str) -> str:
    """Why a failed submission may be repeated; "" where it may not.

    Of another failure, such as one to receive, the job may have been taken.
    """
    if UNREACHABLE in output:
        return UNREACHABLE
    found = TOO_MANY.search(output)
    return found[0] if found else ""


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without the variables that SECRETS names."""
    secret = environment.get(SECRETS, "").split()
    return {name: value for name, value in environment.items() if name not in secret}


def within_limit(words: Sequence[str]) -> list[str]:
    """The command line with no more time than the partition allows."""
    within = list(words)
    partition, time_asked = option(words, "-p", "--partition"), option(words, "-t")
    if partition is None or time_asked is None or not time_asked.isdigit():
        return within
    asked = int(time_asked)
    command = ("sinfo", "--noheader", f"--partition={partition}", "--format=%l")
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = found.stdout.split()
    limit = minutes_of(lines[0]) if found.returncode == 0 and lines else None
    if limit is not None and asked > limit:
        within[within.index("-t") + 1] = str(limit)
        tell(
            f"{_comment(words)} asks for {asked} minutes, and partition '{partition}' allows "
            f"{limit}: it gets those. A group that does not end in them begins anew; lower "
            "group-components"
        )
    return within


def tell(message: str) -> None:
    """Print where the main process prints, since the executor keeps what sbatch says to itself."""
    try:
        with Path(f"/proc/{os.environ[MAIN]}/fd/2").open("a", encoding="utf-8") as file:
            file.write(f"limaflow: {message}\n")
    except (OSError, KeyError):
        print(message, file=sys.stderr)


def _last_attempt(words: Sequence[str], script: bytes) -> Path:
    """The file that holds the number of this job's last attempt in the same run of Snakemake."""
    run = option(words, "--job-name") or ""
    command = " ".join(words) + script.decode(errors="replace")
    # The rest of the command differs between attempts.
    targets = re.search(r"--target-jobs (.+?) --", command)
    named = f"{run} {targets[1] if targets else command}"
    return FOLDER / f"{digest(named)}.last"


def _comment(words: Sequence[str]) -> str:
    return option(words, "--comment") or "a job"


if __name__ == "__main__":
    sys.exit(submit(sys.argv[2:], Path(sys.argv[1])))
