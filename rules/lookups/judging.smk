# What the rules of judging look up; which verdicts and grades there are.
import shlex
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from limaflow.errors import InputError
from limaflow.judging.instrument import is_instrument_path, load, numbered_scale
from limaflow.results import Results
from limaflow.sources.settings import under_root

if CONFIG.judging.people:
    # It brings the client of endpoints, half a second of every start.
    from limaflow.judging.rounds import answer_files, read_key


SENT = {"model", "base_url", "api", "headers", "extra_body"}
"""What of an endpoint changes what it answers."""


def judge_launcher(name):
    return shlex.join(CONFIG.judge(name).launcher)


def judge_code(name):
    """The code of a judge that this package serves itself, or nothing."""
    words = CONFIG.judge(name).launcher
    return code(f"tools.{words[1]}", words[2]) if words[:1] == ["limaflow"] else None


def judge_identity(name):
    """What of a judge changes its answers."""
    sent = {*SENT, "temperature", "max_tokens", "structured"}
    return as_json(CONFIG.judge(name).model_dump(include=sent))


def judge_block(name):
    """A judge as its commands need it: without the launcher, which stands before them."""
    return CONFIG.judge(name).model_copy(update={"launcher": []}).flag()


def endpoint_identity(arm):
    """What of an endpoint changes its responses."""
    return as_json(CONFIG.arm(arm).endpoint.model_dump(include=SENT))


def asked_endpoints():
    """Judges and endpoints that jobs of this run ask and that are not served beside them: who, and which."""
    found = {}
    for job in workflow.dag.needrun_jobs():
        wildcards = job.wildcards_dict or {}
        judge, arm = wildcards.get("judge"), wildcards.get("arm")
        if (
            judge in {j.name for j in CONFIG.judges}
            and not CONFIG.judge(judge).launcher
        ):
            found[f"judge '{judge}'"] = CONFIG.judge(judge)
        elif job.rule.name in ("ask_endpoint", "ask_dialogues"):
            found[f"arm '{arm}'"] = CONFIG.arm(arm).endpoint
    return found


def check_endpoints():
    """Tell before anything is trained what asking would fail on."""
    asked = asked_endpoints()
    if not asked:
        return
    # It brings the client of endpoints, half a second.
    from limaflow.endpoints.readiness import lacking, unreachable

    if lacks := lacking(asked):
        raise WorkflowError("nothing was run:\n  " + "\n  ".join(lacks))
    for warning in unreachable(asked):
        logger.warning(warning)


def budget_options():
    """Whose budget calls are counted against."""
    budget = shlex.quote(CONFIG.judging.budget.flag())
    return f"--run {CONFIG.experiment} --budget {budget}"


# Compute nodes often reach no network; a judge that is served beside its command needs none.
ASKS_FROM_HERE = not any(judge.launcher for judge in CONFIG.judges)


def keys_of_this_machine():
    """Environment variables with keys that no job on a cluster has a use for."""
    here = [CONFIG.arm(name).endpoint.key_env for name in answered_by("ask_endpoint")]
    here += [file.token_env for file in fetched().values()]
    there = {judge.key_env for judge in CONFIG.judges}
    keys = set(here) - there if not ASKS_FROM_HERE else set(here) | there
    return sorted(key for key in keys if key)


if workflow.is_main_process:
    os.environ.update(LIMAFLOW_SECRETS=" ".join(keys_of_this_machine()))


def instrument_file(named):
    """The file of an instrument: ours by name, or one that the user brings."""
    if not is_instrument_path(named):
        return shipped(f"src/limaflow/judging/instruments/{named}.md")
    own = beside_experiments(named)
    return own if own != named else under_root(named, CONFIG.data_root)


INSTRUMENT_FILES = {
    name: instrument_file(named) for name, named in CONFIG.judging.files.items()
}
try:
    INSTRUMENTS = {name: load(file) for name, file in INSTRUMENT_FILES.items()}
except InputError as problem:
    raise WorkflowError(f"judging.instruments: {problem}") from None
PAIRWISE = [
    name
    for name, instrument in INSTRUMENTS.items()
    if instrument.head.form == "pairwise" and CONFIG.judging.judges(name)
]
SINGLE = [
    name
    for name, instrument in INSTRUMENTS.items()
    if instrument.head.form in ("grade", "turn")
]
OF_ITEMS = [
    name
    for name, instrument in INSTRUMENTS.items()
    if instrument.head.form == "item" and CONFIG.judging.judges(name)
]
if len(PAIRWISE) > 1:
    raise WorkflowError(
        f"judging.instruments: {' and '.join(PAIRWISE)} both compare pairs; one may have judges"
    )
if CONFIG.judging.selection.instrument not in SINGLE:
    raise WorkflowError(
        "judging.selection.instrument: an instrument of form "
        f"{INSTRUMENTS[CONFIG.judging.selection.instrument].head.form} grades no responses"
    )


def scales():
    """What the files of graded scales hold; of others' scales the numbers say all."""
    return content(
        *(INSTRUMENT_FILES[name] for name in GRADED_BY if name in INSTRUMENT_FILES)
    )


def pairwise_file():
    """The instrument of the comparisons; ours where no model judges them."""
    return INSTRUMENT_FILES[PAIRWISE[0] if PAIRWISE else "pairwise"]


def pairwise_option():
    """The user's own pairwise instruments: the statistics read replies by them."""
    own = [
        INSTRUMENT_FILES[name]
        for name, instrument in INSTRUMENTS.items()
        if instrument.head.form == "pairwise"
        and is_instrument_path(CONFIG.judging.files[name])
    ]
    return repeated("--instrument", own)


def people_rounds():
    """Each round that people answered, with its key."""
    try:
        rounds = [
            r.model_copy(update={"folder": beside_experiments(r.folder)})
            for r in CONFIG.judging.people
        ]
        return [(r, read_key(Path(r.folder))) for r in rounds]
    except InputError as problem:
        raise WorkflowError(f"judging.people: {problem}") from None


def people_files(key):
    """What comes of a round: verdicts on comparisons, or grades of arms."""
    pairwise = key.form == "pairwise"
    if key.instrument not in INSTRUMENTS:
        raise WorkflowError(
            f"judging.people: a round was made by the instrument '{key.instrument}'; name its file"
            " in judging.instruments, without judges if no model is asked: []"
        )
    known = {e.name for e in (WRITTEN.comparisons if pairwise else WRITTEN.arms)}
    names = ["-vs-".join(models) for models in key.comparisons]
    if unknown := set(names) - known:
        what = "comparison" if pairwise else "arm"
        raise WorkflowError(
            f"judging.people: no {what} of this experiment is {min(unknown)}"
        )
    if pairwise:
        return [RESULTS.verdicts("people", name) for name in names]
    return [RESULTS.grades(key.instrument, "test", "people", name) for name in names]


def recorded_files(wildcards):
    """The files of recorded verdicts on a comparison."""
    brought = BROUGHT[f"{wildcards.first}-vs-{wildcards.second}"].verdicts
    return [under_root(file.path, CONFIG.data_root) for file in brought]


def layouts(wildcards):
    """How each of these files says what ours say."""
    brought = BROUGHT[f"{wildcards.first}-vs-{wildcards.second}"].verdicts
    as_json = [file.layout.model_dump_json(exclude_defaults=True) for file in brought]
    return repeated("--layout", as_json)


RESULTS = Results(Path("<results>"))
PEOPLE_ROUNDS = people_rounds()
PEOPLE_FILES = [
    (str(file), key.form) for _, key in PEOPLE_ROUNDS for file in people_files(key)
]
if len(set(PEOPLE_FILES)) < len(PEOPLE_FILES):
    raise WorkflowError("judging.people: two rounds judge the same")
BROUGHT = {c.name: c for c in CONFIG.comparisons if c.verdicts}


def verdicts_of_models(comparisons):
    return [
        str(RESULTS.verdicts(judge, comparison.name))
        for instrument in PAIRWISE
        for judge in CONFIG.judging.judges(instrument)
        for comparison in comparisons
        if not comparison.verdicts
    ]


def grades_of_models(arms):
    return [
        str(RESULTS.grades(instrument, "test", judge, arm.name))
        for instrument in SINGLE
        for judge in CONFIG.judging.judges(instrument)
        for arm in arms
    ]


def item_grade_files(arms):
    """What judges say of the arms' replies to benchmark items."""
    return [
        str(RESULTS.item_grades(instrument, judge, arm))
        for instrument in OF_ITEMS
        for judge in CONFIG.judging.judges(instrument)
        for arm in arms
    ]


def grades_of(instrument, arm):
    """The files of recorded grades of an arm's responses by an instrument."""
    return [
        file
        for file in CONFIG.judging.grades
        if file.asked == instrument and arm in (file.arms or ARM_NAMES)
    ]


def grade_layouts(wildcards):
    """How each of these files says what ours say."""
    brought = grades_of(wildcards.instrument, wildcards.arm)
    as_json = [file.layout.model_dump_json(exclude_defaults=True) for file in brought]
    return repeated("--layout", as_json)


ARM_NAMES = [arm.name for arm in WRITTEN.arms]
# Instruments of recorded grades; of a scale that is not ours, its numbers are all that is known.
GRADED_ELSEWHERE = {file.asked: file.scale for file in CONFIG.judging.grades}
INSTRUMENTS |= {
    name: numbered_scale(name, scale)
    for name, scale in GRADED_ELSEWHERE.items()
    if name not in INSTRUMENTS
}
recorded_grade_files = [
    str(RESULTS.grades(instrument, "test", "recorded", arm))
    for instrument in GRADED_ELSEWHERE
    for arm in ARM_NAMES
    if grades_of(instrument, arm)
]


verdict_files = (
    verdicts_of_models(WRITTEN.comparisons)
    + [str(RESULTS.verdicts("recorded", comparison)) for comparison in BROUGHT]
    + [file for file, form in PEOPLE_FILES if form == "pairwise"]
)
grade_files = (
    grades_of_models(WRITTEN.arms)
    + recorded_grade_files
    + [file for file, form in PEOPLE_FILES if form != "pairwise"]
)
# Of arms that were trained again with another seed.
further_verdict_files = verdicts_of_models(
    c for c in CONFIG.comparisons if c not in WRITTEN.comparisons
)
further_grade_files = grades_of_models(arm for arm in CONFIG.arms if arm.seed_of)
# One grader agrees with nobody.
graders_agreement = (
    ["<results>/analysis/agreement_of_grades.json"]
    if any(form != "pairwise" for _, form in PEOPLE_FILES)
    or any(len(CONFIG.judging.judges(name)) > 1 for name in SINGLE)
    or recorded_grade_files
    else []
)


GRADED_BY = [
    name
    for name in dict.fromkeys([*SINGLE, *GRADED_ELSEWHERE])
    if name in GRADED_ELSEWHERE
    or CONFIG.judging.judges(name)
    or name in {key.instrument for _, key in PEOPLE_ROUNDS}
]


def instrument_options():
    """The user's own instruments among them: the statistics read their scales."""
    own = [
        name
        for name in GRADED_BY
        if is_instrument_path(CONFIG.judging.files.get(name, name))
    ]
    return repeated("--instrument", [INSTRUMENT_FILES[name] for name in own])


def dev_grades(arm):
    """The grades of an arm's dev responses, which choose its checkpoint."""
    chosen = CONFIG.judging.selection
    return str(RESULTS.grades(chosen.instrument, "dev", chosen.judge, arm))
