# What the rules of analysis and report look up.
from functools import partial

from limaflow.analysis.artifacts.catalogue import ARTIFACTS
from limaflow.analysis.claims import decided
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.exhibits.catalogue import FIGURES, TABLES
from limaflow.analysis.paper import paper
from limaflow.analysis.roles import roles_of
from limaflow.analysis.study import study_of
from limaflow.jsonl import replacing
from limaflow.measures.training_seeds import FEWEST_SEEDS

COMPARED_ARMS = sorted(
    {arm for c in WRITTEN.comparisons for arm in (c.first, c.second)}
)
MEASURED_BASE = [
    arm
    # The model as it is, before the same one in its chat template or with examples.
    for arm in sorted(
        WRITTEN.benchmarks.arms, key=lambda arm: CONFIG.arm(arm).prompt_format != "raw"
    )
    if CONFIG.arm(arm).stands_before_tuning(RESULTS)
][:1]
MEASURED_TUNED = [n for n in WRITTEN.benchmarks.arms if n not in MEASURED_BASE]
PAPER = shipped("src/limaflow/analysis/paper.yaml")
CLAIM_FILES = [
    shipped(f"src/limaflow/analysis/{name}.yaml") for name in ("claims", "recorded")
]
LIMA = CONFIG.analysis.lima_arm
ROLES = roles_of(CONFIG)


def printed_instruments():
    """What the paper's appendices C and D are about: how responses are compared and graded."""
    heads = {name: instrument.head for name, instrument in INSTRUMENTS.items()}
    found = {
        "pairwise": [n for n, head in heads.items() if head.form == "pairwise"],
        "likert": [n for n, head in heads.items() if "".join(head.words) == "123456"],
    }
    return {
        form: Path(INSTRUMENT_FILES[names[0]]) for form, names in found.items() if names
    }


STUDY = study_of(
    CONFIG,
    RESULTS,
    {name: list(INSTRUMENTS[name].head.words) for name in GRADED_BY},
    grades_items=bool(OF_ITEMS or CONFIG.benchmarks.human_grades),
    roles={
        **ROLES,
        "wikihow": [a.name for a in WRITTEN.arms if CONFIG.is_of_wikihow(a.name)],
        "dialogues-with": list(DIALOGUE.with_dialogues),
        "dialogues-without": list(DIALOGUE.with_dialogues.values()),
    },
    instruments=printed_instruments(),
    has_judges=bool(PAIRWISE),
)

# Arms whose scores claims compare with the LIMA arm's, item by item.
BESIDE_LIMA = [
    arm
    for arm in MEASURED_TUNED
    if LIMA in MEASURED_TUNED and arm in ROLES["aligned_sibling"] + ROLES["average"]
]
tax_from_lima_file = (
    ["<results>/analysis/tax_from_lima.json"]
    if BESIDE_LIMA and STUDY.measures_tax
    else []
)
tax_file = ["<results>/analysis/tax.json"] if STUDY.measures_tax else []
resistance_file = ["<results>/analysis/resistance.json"] if STUDY.tests_refusals else []
STARTED_FROM = {
    arm.name: arm.started_from for arm in WRITTEN.arms if arm.started_from is not None
}


def resisting_pairs():
    """Arms whose refusals are compared: the LIMA arm with each, and a tuned arm with its start."""
    others = [arm for arm in STUDY.arms if arm != LIMA and arm not in AGAIN]
    return [*STARTED_FROM.items(), *((LIMA, arm) for arm in others)]


formats_file = ["<results>/analysis/formats.json"] if STUDY.checks_formats else []
lima_training = [str(STUDY.results.training(LIMA))] if STUDY.lima_is_tuned else []
lima_dev_grades = list(map(str, STUDY.dev_grades()))
trainings = [str(STUDY.results.training(arm)) for arm in STUDY.tuned]
# Of a data set brought whole; from one that is drawn, shared texts are removed.
lima_contamination = [
    f"<results>/datasets/{d.name}/contamination.jsonl"
    for d in CONFIG.datasets
    if d.path is not None and d.name == CONFIG.arm(LIMA).training_dataset
]


AGAIN = {arm.name: arm.seed_of for arm in CONFIG.arms if arm.seed_of}
# Of arms with so many seeds that summaries are over all of them.
SPREAD = {
    again
    for again, arm in AGAIN.items()
    if 1 + len(CONFIG.further_seeds(arm)) >= FEWEST_SEEDS
}
spread_comparisons = [
    c
    for c in CONFIG.comparisons
    if c not in WRITTEN.comparisons and SPREAD & {c.first, c.second}
]
spread_responses = collect(
    "<results>/responses/test/{arm}.jsonl",
    arm=sorted(SPREAD & {n for c in spread_comparisons for n in (c.first, c.second)}),
)
spread_verdict_files = verdicts_of_models(spread_comparisons)
spread_grade_files = grades_of_models(CONFIG.arm(name) for name in sorted(SPREAD))
seeds_file = ["<results>/analysis/seeds.json"] if AGAIN else []


def measured_seeds(arms):
    """Benchmark items of every seed of these arms, by arm."""
    return {
        arm: [
            str(RESULTS.benchmark_items(seed))
            for seed in (arm, *CONFIG.further_seeds(arm))
            if seed in CONFIG.benchmarks.arms
        ]
        for arm in WRITTEN.benchmarks.arms
        if arm in arms
    }


SEED_ITEMS = measured_seeds(set(AGAIN.values()))
MEASURED_BASE_ITEMS = [
    str(RESULTS.benchmark_items(arm)) for arm in MEASURED_BASE if SEED_ITEMS
]
SPREAD_ITEMS = measured_seeds({AGAIN[name] for name in SPREAD})


human_grades = [str(RESULTS.human_grades)] if CONFIG.benchmarks.human_grades else []


def trained_on(arm):
    """The data set whose examples an arm saw, in training or in its context."""
    return arm.training_dataset or (arm.shots.dataset if arm.shots else None)


# Training data are searched for the items of tasks that are run here, not of results that are brought.
SEARCHED = {
    arm.name: trained_on(arm)
    for arm in WRITTEN.arms
    if arm.name in CONFIG.benchmarks.measured_arms
    and benchmark_tasks
    and trained_on(arm)
}
# A data set that is brought keeps what it shares; from one that is drawn it was removed.
SHARED_TEXT = {
    arm: f"<results>/datasets/{dataset}/contamination.jsonl"
    for arm, dataset in SEARCHED.items()
    if CONFIG.dataset(dataset).path is not None
}


def beside_items_options(wildcards, input):
    """What is known of benchmark items beside their scores: who graded them, who has seen them."""
    shared = [f"{arm}={file}" for arm, file in zip(SHARED_TEXT, input.shared)]
    named = {
        "--graded": input.graded,
        "--contaminated": input.contaminated,
        "--shared": shared,
        "--searched": [arm for arm in SEARCHED if arm not in SHARED_TEXT],
    }
    return " ".join(repeated(flag, values) for flag, values in named.items() if values)


def spread_option():
    return repeated(
        "--further-seed", [f"{name}={AGAIN[name]}" for name in sorted(SPREAD)]
    )


def spread_items_option(wildcards, input):
    """The items of every seed, and the results of the further ones."""
    arms = [arm for arm, files in SPREAD_ITEMS.items() for _ in files]
    words = [f"{arm}={file}" for arm, file in zip(arms, input.seeds)]
    return (
        f"{repeated('--seeds', words)} {repeated('--results', input.further)}".strip()
    )


def seeds_options(wildcards, input):
    words = [f"{again}={arm}" for again, arm in AGAIN.items()]
    named = {
        "--further-seed": words,
        "--tax": input.tax,
        "--verdicts": input.verdicts,
        "--grades": input.grades,
        "--items": input.measured,
        "--base": input.base,
        "--results": input.results,
    }
    return " ".join(repeated(flag, values) for flag, values in named.items() if values)


def configuration_file():
    """The whole configuration as a file, since a plan would print it three times as a parameter."""
    text = as_json(config)
    file = Path(f".snakemake/limaflow/{digest(text)}.config.json")
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as opened:
            opened.write(f"{text}\n")
    return str(file)


def bootstrap_options():
    block = CONFIG.analysis
    return f"--bootstrap {block.bootstrap} --confidence {block.confidence} --seed {CONFIG.seed}"


def miniature_option():
    return "--miniature" if CONFIG.miniature else ""


def role_options():
    """Which arm plays which part in the claims."""
    words = [f"{role}={arm}" for role, arms in ROLES.items() for arm in arms]
    teaches = [f"{arm}={task}" for arm in STUDY.tuned for task in CONFIG.teaches(arm)]
    trained = [f"{arm}={1 + len(names)}" for arm, names in STUDY.further_seeds.items()]
    named = {
        "--role": words,
        "--teaches": teaches,
        "--training-seeds": trained,
        "--further-seed": [f"{again}={AGAIN[again]}" for again in sorted(SPREAD)],
        "--started-from": [f"{a}={b}" for a, b in STARTED_FROM.items()],
        "--with-dialogues": [f"{a}={b}" for a, b in DIALOGUE.with_dialogues.items()],
    }
    options = [repeated(flag, values) for flag, values in named.items() if values]
    return " ".join([f"--lima {LIMA}", stands_for_options(), *options])


def stands_for_options():
    """Which arm is which baseline of the paper's."""
    words = [f"{a.stands_for.baseline}={a.name}" for a in WRITTEN.arms if a.stands_for]
    return repeated("--stands-for", words)


def described_options():
    """What arms are whose names need not say it."""
    words = {arm.name: arm.in_words(LIMA) for arm in WRITTEN.arms}
    return repeated(
        "--described", [f"{name}={text}" for name, text in words.items() if text]
    )


def unknown_baselines():
    """What `stands_for` of an arm names and the paper did not compare with."""
    named = {a.name: a.stands_for.baseline for a in WRITTEN.arms if a.stands_for}
    if not named:
        return []
    known = {name for row in paper().preferences.rows for name in row.arms}
    return [
        f"'{name}' of arm '{arm}'" for arm, name in named.items() if name not in known
    ]


if unknown := unknown_baselines():
    raise WorkflowError(
        f"arms.stands_for: {unknown[0]} is none of the paper's baselines: "
        + ", ".join(row.arms[0] for row in paper().preferences.rows[:5])
    )


def own_claims():
    """The user's files of claims; a mistake in one is told before anything runs."""
    files = [beside_experiments(path) for path in CONFIG.analysis.claims]
    if files:
        try:
            decided(list(map(Path, files)), Evidence(lima=LIMA), paper())
        except InputError as problem:
            raise WorkflowError(f"analysis.claims: {problem}") from None
    return files


OWN_CLAIMS = own_claims()


def claim_options(wildcards, input):
    named = {
        "--grades": [*input.grades, *input.further_grades],
        "--seeds": input.get("seeds", []),
        "--responses": input.responses,
        "--trained": input.get("trained", []),
        "--adapted": input.get("adapted", []),
        "--contamination": input.get("contamination", []),
        "--agreement-of-grades": input.get("agreement_of_grades", []),
        "--tax": input.get("tax", []),
        "--tax-from-lima": input.get("tax_from_lima", []),
        "--formats": input.get("formats", []),
        "--token-shift": input.get("token_shift", []),
        "--training": input.get("training", []),
        "--dev-grades": input.get("dev_grades", []),
        "--dialogues": input.get("dialogues", []),
        "--resistance": input.get("resistance", []),
        "--safety": input.get("safety", []),
    }
    return " ".join(repeated(flag, files) for flag, files in named.items() if files)


def files_of_exhibit(exhibit):
    """The files that it is made from, by name."""
    return {k: [str(p) for p in paths] for k, paths in exhibit.inputs(STUDY).items()}


def paper_of(exhibit):
    """The paper's own values, where the exhibit shows them; the package itself reads them."""
    return content(PAPER) if exhibit.beside_paper else ""


def files_of_target(name, wildcards):
    """An artifact's files; of one that this study cannot make, what is missing for it."""
    if problem := ARTIFACTS[name].missing(STUDY):
        raise WorkflowError(f"{name} cannot be made by {CONFIG.experiment}: {problem}")
    return [f"<results>/artifacts/{name}.{end}" for end in ARTIFACT_FORMATS]


def refuse_impossible_targets():
    """In one line, where an artifact that this study cannot make is named on the command line."""
    for name in sys.argv[1:]:
        if name in ARTIFACTS:
            files_of_target(name, None)


ARTIFACT_FORMATS = ["svg", "pdf", "png", "csv", "md", "tex"]
MADE_ARTIFACTS = [n for n, made in ARTIFACTS.items() if not made.missing(STUDY)]


def missing_artifacts():
    """What this study makes none of, and why."""
    words = {name: made.missing(STUDY) for name, made in ARTIFACTS.items()}
    return repeated(
        "--missing", [f"{name}={why}" for name, why in words.items() if why]
    )


def exhibit_inputs(wildcards, input):
    words = [
        f"{name}={file}"
        for name, files in input.items()
        for file in ([files] if isinstance(files, str) else files)
    ]
    return repeated("--input", words)


def exhibit_options(exhibit):
    options = {
        "lima": f"--lima {LIMA}",
        "stands_for": stands_for_options(),
        "base": f"--base {MEASURED_BASE[0]}" if MEASURED_BASE else "",
        "described": described_options(),
        "roles": repeated(
            "--role",
            [f"{role}={arm}" for role, arms in STUDY.roles.items() for arm in arms],
        ),
        "bootstrap": bootstrap_options(),
    }
    return " ".join(filter(None, (options[name] for name in exhibit.uses)))


def code_of_exhibit(command, catalogue, name, folder="exhibits"):
    """Only the exhibit's own module counts, so that an edit of one repeats that one."""
    return code(
        "analysis",
        command,
        {f"limaflow.analysis.{folder}.catalogue:{catalogue}": name},
    )


def figure_files():
    names = [name for name, figure in FIGURES.items() if figure.applies(STUDY)]
    return [f"<results>/figures/{name}.svg" for name in names]


def table_files():
    names = [name for name, table in TABLES.items() if table.applies(STUDY)]
    return [f"<results>/tables/{name}.csv" for name in names]


def lasting_files():
    """What people delete to have it made again: Snakemake sees a missing file only in a target."""
    return (
        [f"<results>/datasets/{d.name}/frozen/train.jsonl" for d in CONFIG.datasets]
        + [f"<results>/models/{arm}/chosen.json" for arm in TUNED_ARMS]
        + [f"<results>/responses/test/{arm.name}.jsonl" for arm in CONFIG.arms]
        + [f"<results>/benchmarks/{arm}/items.jsonl" for arm in CONFIG.benchmarks.arms]
        + verdict_files
        + further_verdict_files
        + grade_files
        + further_grade_files
    )
