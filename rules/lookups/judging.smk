# What the rules of judging look up; which verdicts and grades there are.
import shlex
from pathlib import Path

from snakemake.exceptions import WorkflowError

from limaflow.judging.scales import LEVELS
from limaflow.judging.rounds import answer_files, read_key
from limaflow.sources.settings import under_root
from limaflow.errors import InputError


def judge_launcher(name):
    return shlex.join(CONFIG.judge(name).launcher)


def judge_code(name):
    """The code of a judge that this package serves itself, or nothing."""
    words = CONFIG.judge(name).launcher
    return code(f"tools.{words[1]}", words[2]) if words[:1] == ["limaflow"] else None


def judge_identity(name):
    """What of a judge changes its answers."""
    sent = {"model", "base_url", "extra_body", "temperature", "max_tokens"}
    return as_json(CONFIG.judge(name).model_dump(include=sent))


def judge_block(name):
    """A judge as its commands need it: without the launcher, which stands before them."""
    return CONFIG.judge(name).model_copy(update={"launcher": []}).flag()


def judge_of(wildcards, resources):
    """Takes `resources`, which keeps prices and concurrency out of what repeats a job."""
    return judge_block(wildcards.judge)


def endpoint_identity(arm):
    """What of an endpoint changes its responses."""
    sent = {"model", "base_url", "extra_body"}
    return as_json(CONFIG.arm(arm).model_dump(include=sent))


def endpoint_of(wildcards, resources):
    """Takes `resources`, as `judge_of` does."""
    return CONFIG.arm(wildcards.arm).flag()


def purse(wildcards, resources):
    """Whose budget calls are counted against; a raised one repeats nothing."""
    budget = shlex.quote(CONFIG.judging.budget.flag())
    return f"--run {CONFIG.experiment} --budget {budget}"


def selection_judge(wildcards, resources):
    return judge_block(CONFIG.judging.selection)


# Compute nodes often reach no network; a judge that is served beside its command needs none.
ASKS_FROM_HERE = not any(judge.launcher for judge in CONFIG.judges)


def template(instrument):
    own = beside_experiments(CONFIG.judging.template(instrument))
    return own or shipped(f"src/limaflow/judging/instruments/{instrument}.md")


def people_rounds():
    """Each round that people answered, with its key."""
    try:
        return [(r, read_key(Path(r.folder))) for r in CONFIG.judging.people]
    except InputError as problem:
        raise WorkflowError(f"judging.people: {problem}") from None


def people_files(key):
    """What comes of a round: verdicts on comparisons, or grades of arms."""
    pairwise = key.instrument == "pairwise"
    known = {e.name for e in (CONFIG.comparisons if pairwise else CONFIG.arms)}
    names = ["-vs-".join(models) for models in key.comparisons]
    if unknown := set(names) - known:
        what = "comparison" if pairwise else "arm"
        raise WorkflowError(
            f"judging.people: no {what} of this experiment is {min(unknown)}"
        )
    grades = "test" if key.instrument == "likert" else key.instrument
    folder = "verdicts" if pairwise else f"grades/{grades}"
    return [f"<results>/{folder}/people/{name}.jsonl" for name in names]


PEOPLE_ROUNDS = people_rounds()
PEOPLE_FILES = [file for _, key in PEOPLE_ROUNDS for file in people_files(key)]
if len(set(PEOPLE_FILES)) < len(PEOPLE_FILES):
    raise WorkflowError("judging.people: two rounds judge the same")
JUDGED = [c.name for c in CONFIG.comparisons if not c.verdicts]
BROUGHT = {c.name: c for c in CONFIG.comparisons if c.verdicts}
verdict_files = (
    [
        f"<results>/verdicts/{judge}/{comparison}.jsonl"
        for judge in CONFIG.judging.pairwise
        for comparison in JUDGED
    ]
    + [f"<results>/verdicts/recorded/{comparison}.jsonl" for comparison in BROUGHT]
    + [file for file in PEOPLE_FILES if "/verdicts/" in file]
)
grade_files = (
    [
        f"<results>/grades/test/{judge}/{arm.name}.jsonl"
        for judge in CONFIG.judging.likert
        for arm in CONFIG.arms
    ]
    + [
        f"<results>/grades/{instrument}/{judge}/{arm.name}.jsonl"
        for instrument in ("quality", "safety")
        for judge in CONFIG.judging.graders(instrument)
        for arm in CONFIG.arms
    ]
    + [file for file in PEOPLE_FILES if "/grades/" in file]
)


def scales_of_grades():
    """Instrument by which responses to the test prompts are graded → the words of its scale."""
    people = {key.instrument for _, key in PEOPLE_ROUNDS}
    return {
        name: list(levels)
        for name, levels in LEVELS.items()
        if CONFIG.judging.graders(name) or name in people
    }


# One grader agrees with nobody.
graders_agreement = (
    ["<results>/analysis/agreement_of_grades.json"]
    if any("/grades/" in file for file in PEOPLE_FILES)
    or any(len(CONFIG.judging.graders(i)) > 1 for i in ("likert", "quality", "safety"))
    else []
)
