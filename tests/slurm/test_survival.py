"""What a cluster does to jobs: each done for real to a training that is on its way.

Whatever it was, the training goes on from its last checkpoint, trains no step twice and ends in the
weights of the run that nobody disturbed.
"""

import signal
import time
from collections.abc import Iterator

import psutil
import pytest
from site_of_tests import TARGET, Finished, Run, Site
from slurm_cluster import PATIENCE, wait_until

pytestmark = pytest.mark.slow
STEPS = 24


@pytest.fixture
def untrained(finished: Finished) -> Iterator[Site]:
    """The finished study without the model of its first arm."""
    site = finished.site
    site.forget_the_model()
    site.unlock()
    yield site
    site.fit({})
    assert site.steps() == list(range(1, STEPS + 1))
    assert site.weights() == finished.weights


def states(site: Site, run: Run) -> list[str]:
    return site.jobs(run, "%T")


def test_cancelled_while_the_scheduler_is_silent_then_out_of_memory(untrained: Site) -> None:
    untrained.fit({"mem_mb": "[4000, 500, 4000, 4000][attempt - 1]"})
    with untrained.started(TARGET) as run:
        with untrained.frozen_after_a_checkpoint(run):
            untrained.cluster.stop("slurmctld")
            time.sleep(15)
            untrained.cluster.start_controller()
            wait_until(untrained.cluster.answers, PATIENCE, "slurmctld")
            untrained.cluster.ask("scancel", untrained.jobs(run, "%i")[-1])
        text = run.ended()
    first, second, third = states(untrained, run)
    assert first == "CANCELLED"
    assert second in ("FAILED", "OUT_OF_MEMORY")
    assert third == "COMPLETED"
    assert "resuming after step" in untrained.log()
    assert text.count("has been submitted") == 3


def test_warned_of_its_time_limit(untrained: Site) -> None:
    with untrained.started(TARGET) as run:
        with untrained.frozen_after_a_checkpoint(run) as trainers:
            (job,) = untrained.jobs(run, "%i")
            # The warning is due five minutes before the end: at once.
            untrained.cluster.ask("scontrol", "update", f"JobId={job}", "TimeLimit=5")
            # SLURM wakes what it warns.
            _, still_there = psutil.wait_procs(trainers, timeout=PATIENCE)
            assert not still_there
        text = run.ended()
    assert "stopped after step" in text
    assert "resuming after step" in untrained.log()
    assert states(untrained, run)[-1] == "COMPLETED"


def test_preempted_by_a_job_of_higher_priority(untrained: Site) -> None:
    untrained.fit({"slurm_partition": "spare"})
    with untrained.started(TARGET) as run:
        with untrained.frozen_after_a_checkpoint(run):
            (job,) = untrained.jobs(run, "%i")
            untrained.cluster.ask(
                *("sbatch", "--partition=gpu", "--account=lab", "--nodes=2", "--exclusive"),
                *("--output=/dev/null", "--wrap=sleep 2"),
            )
            wait_until(lambda: untrained.jobs(run, "%T") != ["RUNNING"], PATIENCE, "the preemption")
        run.ended()
    assert untrained.jobs(run, "%i %T") == [f"{job} COMPLETED"]
    assert "Restarts=1" in untrained.cluster.ask("scontrol", "show", "job", job)
    assert "resuming after step" in untrained.log()


def test_a_node_is_lost(untrained: Site) -> None:
    cluster = untrained.cluster
    with untrained.started(TARGET) as run:
        with untrained.frozen_after_a_checkpoint(run):
            cluster.lose_node("gpu2")
            wait_until(lambda: states(untrained, run) != ["RUNNING"], PATIENCE, "SLURM misses gpu2")
        cluster.start_node("gpu2")
        run.ended()
    assert "COMPLETED" in states(untrained, run)
    assert "resuming after step" in untrained.log()


def test_the_main_process_is_killed_and_started_again(untrained: Site) -> None:
    def second_waits() -> bool:
        return second.lives() and "waiting for the job that trains" in untrained.log()

    with (
        untrained.started(TARGET) as first,
        untrained.frozen_after_a_checkpoint(first) as trainers,
    ):
        first.kill()
        untrained.unlock()
        with untrained.started(TARGET) as second:
            wait_until(second_waits, PATIENCE, "the second job at the lock")
            for process in trainers:
                process.send_signal(signal.SIGCONT)
            second.ended()
    assert "resuming after step" not in untrained.log()
    assert states(untrained, first) == ["COMPLETED", "COMPLETED"]
