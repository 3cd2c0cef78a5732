# What all rules look up: the typed configuration, and how values become words of a command line.
import json
import os
import shlex
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from limaflow import fingerprint, one_run
from limaflow.config.brought_files import ignored_decisions, missing_files
from limaflow.config.loading import parse as parse_config
from limaflow.config.merge_configs import read_config
from limaflow.cuda import visible_cards
from limaflow.errors import InputError
from limaflow.manifests import sha256_of
from limaflow.permissions import of_another_user
from limaflow.results import Results
from limaflow.seeds import digest
from limaflow.terminal_lines import TerminalLines, longest_first

CONFIGFILE_FLAGS = ("--configfile", "--configfiles")

# The linter looks at rules alone, and the jobs of a run are not asked again. Where only some rules may
# run, as when numbers are verified, what the others read need not be there.
IS_ASKED_TO_PLAN = workflow.is_main_process and not {
    "--lint",
    "--unlock",
    "--allowed-rules",
} & set(sys.argv)
if IS_ASKED_TO_PLAN:
    flags = [word for word in sys.argv if word.split("=")[0] in CONFIGFILE_FLAGS]
    if len(flags) > 1:
        raise WorkflowError(
            f"{flags[0]} stands twice, and Snakemake takes the last alone: write all files after one"
        )

try:
    if IS_ASKED_TO_PLAN:
        # Snakemake itself lets the second of two equal keys win.
        for file in (f"{CHECKOUT}/config.yaml", *workflow.overwrite_configfiles):
            read_config(Path(file))
    CONFIG = parse_config(config)
except InputError as problem:
    raise WorkflowError(str(problem)) from None

if IS_ASKED_TO_PLAN:
    if missing := missing_files(CONFIG, Path(CHECKOUT)):
        raise WorkflowError(
            f"the configuration names what is not there ({len(missing)}):\n  "
            + "\n  ".join(missing)
        )
    try:
        ignored = ignored_decisions(CONFIG, Path(CHECKOUT), Path.cwd())
    except InputError as problem:
        raise WorkflowError(str(problem)) from None
    if ignored:
        raise WorkflowError(ignored)

for folder in (
    ".snakemake",
    f"results/{CONFIG.experiment}",
    f"logs/{CONFIG.experiment}",
):
    if problem := of_another_user(Path(folder)):
        raise WorkflowError(str(problem))

# What the SLURM executor calls stands there in place of SLURM's own programs.
if workflow.is_main_process:
    os.environ.update(
        PATH=f"{CHECKOUT}/profiles/slurm/bin:{os.environ.get('PATH', '')}",
        LIMAFLOW_PYTHON=sys.executable,
        LIMAFLOW_MAIN_PROCESS=str(os.getpid()),
    )

# Nothing else reserves GPUs here: each job takes as many as it names (limaflow/cards.py). Not in a
# profile, where `resources` would hide a cluster profile's, and not where a scheduler gives them.
if (
    workflow.is_main_process
    and workflow.resource_settings.nodes is None
    and workflow.global_resources.get("cards").value is None
    and visible_cards()
):
    workflow.register_resource("cards", len(visible_cards()))

# For envs/limaflow.post-deploy.sh, which conda starts where Snakemake works.
os.environ.update(LIMAFLOW_CHECKOUT=CHECKOUT)

RESULTS = Results(Path("<results>"))
# The same for parameters, in which Snakemake puts nothing in the place of <results>.
PLACED = Results(Path(f"results/{CONFIG.experiment}"))
# Each arm once, that of its first training seed: what summaries, figures and claims are about.
WRITTEN = CONFIG.as_written
# The arms whose model is chosen among trained epochs.
TUNED_ARMS = [arm.name for arm in CONFIG.arms if arm.is_trained]


def answered_by(rule):
    """The arms whose responses a rule makes."""
    return [arm.name for arm in CONFIG.arms if arm.response_rule == rule]


def modelled_by(rule):
    """The arms whose model a rule makes."""
    return [arm.name for arm in CONFIG.arms if arm.model_rule == rule]


def any_of(names):
    """A wildcard constraint that admits these names alone."""
    return "|".join(names) or "(?!)"


def as_json(value):
    """Plain data as the JSON of a command line flag."""
    # YAML's keys may be numbers beside texts, which do not sort: JSON has texts alone.
    texts = json.loads(json.dumps(value))
    return json.dumps(texts, ensure_ascii=False, sort_keys=True)


def repeated(flag, values):
    return " ".join(f"{flag} {shlex.quote(str(value))}" for value in values)


def hold_folder():
    """Keep other runs out of this folder as long as this process lives."""
    global FOLDER_LOCK
    try:
        FOLDER_LOCK = one_run.hold(Path())
    except InputError as problem:
        raise WorkflowError(str(problem)) from None


def shorten_terminal():
    """Shorten what the terminal shows of this run; logs, failures and plans show commands whole."""
    # Target rules only name what is wanted.
    jobs = {
        job.jobid: job.rule.name for job in workflow.dag.needrun_jobs() if job.output
    }
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler":
            handler.setFormatter(TerminalLines(handler.formatter, jobs))
    if longest := longest_first(jobs):
        logger.info(f"Most of the time, as in the miniature: {longest}")


# Kept in a file, since every job on a cluster reads the workflow again.
FINGERPRINTS = fingerprint.read_cache(Path(".snakemake/fingerprints.json"))


def code(stage, command, entries=None):
    """The fingerprint of a command's code: a change of it repeats the rule, one elsewhere does not."""
    return FINGERPRINTS.of(f"limaflow.{stage}.cli", command, entries)


def shipped(path):
    """A file of the checkout; results may lie elsewhere (`--directory`)."""
    checkout = Path(CHECKOUT)
    return path if checkout.samefile(Path.cwd()) else str(checkout / path)


def content(*paths):
    """What files hold that are there before anything runs: wherever they lie, this decides."""
    return digest(*map(sha256_of_text, paths))


@cache
def sha256_of_text(path):
    return sha256_of(Path(path))


def beside_experiments(path):
    """Instruments, tasks, people's rounds and a ledger in experiments/ are the checkout's own."""
    return shipped(path) if path and path.startswith("experiments/") else path


def as_is(value):
    """Text of the configuration, in which braces are no wildcards."""
    return lambda wildcards: value


def untracked(value):
    """A parameter, or a function of wildcards that gives one, whose change repeats no job.

    Snakemake leaves out what a function makes of a job's resources when it compares parameters, so
    this one asks for them.
    """
    return lambda wildcards, resources: value(wildcards) if callable(value) else value
