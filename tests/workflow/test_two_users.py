"""Two users in one folder: one clear error, or both where it is shared.

Real users, so as root alone.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from workspace import Outcome, Workspace, checkout

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("setpriv") is None, reason="takes root and setpriv"
    ),
]
GROUP = 20000
FIRST, SECOND = 10001, 10002
# They may read everywhere, since Python itself may lie in root's home, and write what is theirs.
READS = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")


@pytest.fixture
def place(root: Path, tmp_path: Path) -> Workspace:
    """A folder of the first user's, and a checkout that is nobody's."""
    (tmp_path / "scratch").mkdir()
    os.chown(tmp_path / "scratch", FIRST, GROUP)
    return Workspace(checkout(root, tmp_path / "limaflow"), scratch=tmp_path / "scratch")


def as_user(user: int, umask: str, place: Workspace, command: list[str]) -> Outcome:
    home = place.folder.parent / f"home-{user}"
    home.mkdir(exist_ok=True)
    os.chown(home, user, GROUP)
    person = ["setpriv", f"--reuid={user}", f"--regid={GROUP}", "--clear-groups", *READS]
    return subprocess.run(
        [*person, "sh", "-c", f'umask {umask}; exec "$@"', "sh", *command],
        cwd=place.folder,
        env={**place.environment(), "HOME": str(home), "LOGNAME": f"u{user}"},
        capture_output=True,
        text=True,
        check=False,
    )


def study(user: int, umask: str, place: Workspace) -> Outcome:
    command = place.command("results/miniature/config.json")
    return as_user(user, umask, place, [command[0], "--forceall", *command[1:]])


def test_the_second_user_is_told_whose_folder_it_is(place: Workspace) -> None:
    first = study(FIRST, "022", place)
    assert first.returncode == 0, first.stdout + first.stderr
    second = study(SECOND, "022", place)
    text = second.stdout + second.stderr
    assert second.returncode == 1
    assert f".snakemake: belongs to user {FIRST}, and you may not write in it" in text
    assert "--directory" in text
    assert "Traceback" not in text


def test_a_folder_shared_with_the_group_serves_both(place: Workspace) -> None:
    assert place.scratch is not None
    place.scratch.chmod(0o2775)
    for user in (FIRST, SECOND, FIRST):
        done = study(user, "002", place)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (place.results / "config.json").stat().st_uid == user


def test_the_store_of_another_user_is_refused_before_a_call_is_paid(place: Workspace) -> None:
    assert place.scratch is not None
    place.scratch.chmod(0o2775)
    program = (
        "import sys; from pathlib import Path; from limaflow.endpoints.store import Store\n"
        "with Store(Path(sys.argv[1])): pass"
    )
    command = ["python", "-c", program, str(place.scratch / "judgments.sqlite")]
    first = as_user(FIRST, "022", place, command)
    assert first.returncode == 0, first.stderr
    refused = as_user(SECOND, "022", place, command).stderr
    assert f"judgments.sqlite: belongs to user {FIRST}" in refused
