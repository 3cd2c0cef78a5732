"""What stands in for `sacct` on the PATH of the main Snakemake (profiles/slurm/bin/sacct).

Without accounting sacct always fails, and snakemake-executor-plugin-slurm 2.8, which turns to it
as soon as slurmctld is silent, would go on asking it for over an hour. So squeue is asked instead.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from limaflow.scheduler import option, program


def query(words: Sequence[str], bin_folder: Path) -> int:
    """Ask as `sacct` does, and squeue for the states of a run's jobs where that fails.

    Args:
        words: of its command line.
        bin_folder: where the stand-in lies, which is not what it stands for.
    """
    sacct = program("sacct", bin_folder)
    if sacct is not None:
        done = subprocess.run([sacct, *words], stdout=subprocess.PIPE, check=False)
        if done.returncode == 0:
            sys.stdout.buffer.write(done.stdout)
            return 0
    run = option(words, "--name")
    if run is None:
        return 1
    command = ("squeue", "--noheader", "--states=all", "--format=%i|%T", "--name", run)
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(query(sys.argv[2:], Path(sys.argv[1])))
