# What the rules look up: the typed configuration, and the paths and parameters that follow from it.
import json
import os
import shlex
from pathlib import Path

from snakemake.exceptions import WorkflowError

from limaflow import fingerprint
from limaflow.annotation.key import answer_files, read_key
from limaflow.config.sources import UNFILTERED
from limaflow.config.experiment import parse as parse_config
from limaflow.config.sources import raw_path, under_root
from limaflow.errors import InputError
from limaflow.ownership import of_another_user
from limaflow.review.ledger import files_of

try:
    CONFIG = parse_config(config)
except InputError as problem:
    raise WorkflowError(str(problem)) from None

for folder in (
    ".snakemake",
    f"results/{CONFIG.experiment}",
    f"logs/{CONFIG.experiment}",
):
    if problem := of_another_user(Path(folder)):
        raise WorkflowError(str(problem))

# What the SLURM executor calls waits out a silent scheduler there.
os.environ.update(
    PATH=f"{workflow.basedir}/profiles/slurm/bin:{os.environ.get('PATH', '')}"
)

# For envs/limaflow.post-deploy.sh, which conda starts where Snakemake works.
os.environ.update(LIMAFLOW_CHECKOUT=workflow.basedir)

TUNED_ARMS = [arm.name for arm in CONFIG.arms if arm.kind == "tuned"]
LOCAL_ARMS = [
    a.name for a in CONFIG.arms if a.kind in ("base", "in-context", "tuned", "model")
]


def any_of(names):
    """A wildcard constraint that admits these names alone."""
    return "|".join(names) or "(?!)"


def as_json(value):
    """Plain data as the JSON of a command line flag."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def repeated(flag, values):
    return " ".join(f"{flag} {shlex.quote(str(value))}" for value in values)


def code(stage, command):
    """The fingerprint of a command's code: a change of it repeats the rule, one elsewhere does not."""
    return fingerprint.of(f"limaflow.{stage}.cli", command)


def shipped(path):
    """A file of the checkout; results may lie elsewhere (`--directory`)."""
    checkout = Path(workflow.basedir)
    return path if checkout.samefile(Path.cwd()) else str(checkout / path)


def beside_experiments(path):
    """Templates, tasks and a ledger in experiments/ are the checkout's own."""
    return shipped(path) if path and path.startswith("experiments/") else path


def checkout(wildcards, resources):
    """Takes `resources`, which keeps it out of what repeats a job."""
    return workflow.basedir


# -- sources and curation


def in_world(path):
    return path.startswith(f"results/{CONFIG.experiment}/world/")


def raw_files(wildcards):
    source = CONFIG.source(wildcards.source)
    return [
        raw_path(file, source.name, CONFIG.data_root)
        for file in source.shards[wildcards.shard]
    ]


def fetched():
    """Raw files that come from a URL: path under resources/ → their entry."""
    return {
        raw_path(file, source.name, CONFIG.data_root): file
        for source in CONFIG.sources
        for files in source.shards.values()
        for file in files
        if file.url
    }


def fetch_options(wildcards):
    file = fetched()[f"resources/{wildcards.path}"]
    return " ".join(
        repeated(flag, values)
        for flag, values in (
            ("--url", [file.url]),
            ("--sha256", [file.sha256] if file.sha256 else []),
            ("--mirror", file.mirrors),
            ("--token-env", [file.token_env] if file.token_env else []),
        )
        if values
    )


def world_files():
    """Raw files and corpora that the miniature world writes, as the configuration names them."""
    named = [
        file.path
        for source in CONFIG.sources
        for files in source.shards.values()
        for file in files
        if file.path
    ]
    named += CONFIG.base.stand_in.corpus if CONFIG.base.stand_in else []
    return sorted({path for path in named if in_world(path)})


def extract_options(wildcards):
    source = CONFIG.source(wildcards.source)
    options = {
        "--licence": source.licence,
        "--subreddit": source.subreddit,
        "--max-bad-rows": str(source.max_bad_rows or ""),
    }
    if source.kind == "authored":
        options |= {
            "--prompt-field": source.prompt_field,
            "--response-field": source.response_field,
        }
    return " ".join(
        f"{flag} {shlex.quote(value)}" for flag, value in options.items() if value
    )


def extract_processes(wildcards):
    return 2 if CONFIG.source(wildcards.source).kind == "stackexchange" else 1


def filter_options(wildcards):
    block = CONFIG.source(wildcards.source).filter_block
    found = CONFIG.curation.filters.get(block)
    return f"--filters {shlex.quote(found.flag())}" if found else ""


def filtered_files(sources):
    return [
        f"<results>/curation/filtered/{source.name}/{shard}.jsonl"
        for source in CONFIG.sources
        if source.name in sources
        for shard in source.shards
    ]


def extracted_files(sources):
    return [
        f"<results>/curation/extracted/{source.name}/{shard}.json"
        for source in CONFIG.sources
        if source.name in sources
        for shard in source.shards
    ]


POOLS = list(
    dict.fromkeys(filter(None, (CONFIG.pool(d.name) for d in CONFIG.datasets)))
)


def pool_of(wildcards):
    return f"<results>/curation/pool/{CONFIG.pool(wildcards.dataset)}.jsonl"


def filtered_files_of_pool(wildcards):
    return filtered_files(CONFIG.dataset(wildcards.pool).examples)


def train_sources():
    return {name for dataset in CONFIG.datasets for name in dataset.examples or {}}


def draws(split):
    """Sources that prompts of a split are drawn from: name → number."""
    chosen = CONFIG.prompts.dev if split == "dev" else CONFIG.prompts.test
    return {draw.source: draw.examples for draw in chosen if draw.source}


def drawn_sources():
    return train_sources() | draws("dev").keys() | draws("test").keys()


def drawn_shards():
    """The shards whose counts make the funnel: source → names."""
    return {s.name: list(s.shards) for s in CONFIG.sources if s.name in drawn_sources()}


def brought_prompts(split):
    chosen = CONFIG.prompts.dev if split == "dev" else CONFIG.prompts.test
    return [under_root(draw.path, CONFIG.data_root) for draw in chosen if draw.path]


def brought_prompt_options(split):
    return " ".join(
        f"--{split}-path {shlex.quote(path)}" for path in brought_prompts(split)
    )


def brought_dataset(wildcards):
    return under_root(CONFIG.dataset(wildcards.dataset).path, CONFIG.data_root)


def contamination_report(wildcards):
    """What was removed from the pool, or what a data set brought whole still holds."""
    pool = CONFIG.pool(wildcards.dataset)
    return (
        f"<results>/curation/contamination/{pool}.jsonl"
        if pool
        else f"<results>/datasets/{wildcards.dataset}/contamination.jsonl"
    )


# A named model's tokenizer is there before any training; a stand-in's is not, and `curate` stops there.
named_base = ["<results>/base/model.json"] if CONFIG.base.path else []


def ledger(wildcards):
    path = beside_experiments(CONFIG.curation.ledger)
    return [str(file) for file in files_of(Path(path))] if path else []


# -- models


def base_files():
    """What the stand-in base model is pretrained on: a source's name stands for its text."""
    names = {source.name for source in CONFIG.sources}
    return [
        (
            f"<results>/base/corpus/{entry}.jsonl"
            if entry in names
            else under_root(entry, CONFIG.data_root)
        )
        for entry in CONFIG.base.stand_in.corpus
    ]


def candidates_of(wildcards):
    return [
        f"<results>/curation/candidates/{wildcards.source}/{shard}.jsonl"
        for shard in CONFIG.source(wildcards.source).shards
    ]


def model_of(arm):
    """The manifest of the model behind an arm that runs here."""
    kind = CONFIG.arm(arm).kind
    return (
        "<results>/base/model.json"
        if kind in ("base", "in-context")
        else f"<results>/models/{arm}/chosen.json"
    )


def frozen_train(wildcards):
    return f"<results>/datasets/{CONFIG.arm(wildcards.arm).dataset}/frozen/train.jsonl"


def frozen_dev(wildcards):
    return f"<results>/datasets/{CONFIG.arm(wildcards.arm).dataset}/frozen/dev.jsonl"


def model_files(path):
    """A model folder's own files, so that new weights repeat what uses them; none for a hub name."""
    folder = Path(path)
    return (
        sorted(str(file) for file in folder.glob("*.safetensors"))
        if folder.is_dir()
        else []
    )


def launch(wildcards, resources):
    """Takes `resources`, which keeps it out of what repeats a job: it changes no weights."""
    return CONFIG.launch.flag()


def multinode(value):
    """A resource that only a run on several nodes asks for."""
    return value if CONFIG.launch.nodes > 1 else None


def gres():
    return None if CONFIG.base.stand_in else f"gpu:{CONFIG.launch.processes_per_node}"


def launcher(wildcards, resources, threads):
    """Takes `resources`, as `launch` does. Under SLURM the job's own nodes and GPUs count."""
    block = CONFIG.launch
    return (
        f"limaflow train launch --nodes {block.nodes}"
        f" --processes {block.processes_per_node} --threads {threads} --"
    )


def named_models():
    """Every model that the configuration names, as name@revision; hub names and folders alike."""
    named = [CONFIG.base] + [arm for arm in CONFIG.arms if arm.kind == "model"]
    return [
        f"{model.path}@{model.revision}" if model.revision else model.path
        for model in named
        if model.path
    ]


# -- responses


def batch(wildcards, resources):
    """Takes `resources`, which keeps it out of what repeats a job: it changes no response in fp32."""
    return CONFIG.generation.batch


def engine_options():
    block = CONFIG.generation
    if block.engine == "transformers":
        return ""
    return f"--engine {block.engine} --vllm {shlex.quote(block.vllm)}"


def response_format(arm):
    return {"base": "raw", "in-context": "in-context"}.get(CONFIG.arm(arm).kind, "chat")


def in_context_files(wildcards):
    arm = CONFIG.arm(wildcards.arm)
    return [frozen_train(wildcards)] if arm.kind == "in-context" else []


def in_context_options(wildcards, input):
    arm = CONFIG.arm(wildcards.arm)
    return (
        f"--examples {input.examples} --shots {arm.examples}"
        if arm.kind == "in-context"
        else ""
    )


def length_bound(wildcards):
    """A model that was never taught to stop may fill the length; a tuned one must not."""
    tuned = CONFIG.arm(wildcards.arm).kind == "tuned"
    return CONFIG.generation.max_length_share if tuned else 1.0


def recorded_responses(wildcards):
    return under_root(CONFIG.arm(wildcards.arm).path, CONFIG.data_root)


# -- judging


def judge_launcher(name):
    return shlex.join(CONFIG.judge(name).launcher)


def judge_code(name):
    """The code of a judge that this package serves itself, or nothing."""
    words = CONFIG.judge(name).launcher
    return code(words[1], words[2]) if words[:1] == ["limaflow"] else None


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
# One grader agrees with nobody.
graders_agreement = (
    ["<results>/analysis/agreement_of_grades.json"]
    if any("/grades/" in file for file in PEOPLE_FILES)
    or any(len(CONFIG.judging.graders(i)) > 1 for i in ("likert", "quality", "safety"))
    else []
)


# -- benchmarks


def task_files():
    """What defines the tasks, so that an edited task repeats its runs."""
    folder = beside_experiments(CONFIG.benchmarks.include)
    if folder is None:
        return []
    if in_world(f"{folder}/"):
        return ["<results>/world/world.json"]
    return sorted(str(path) for path in Path(folder).glob("**/*.yaml"))


def task_options():
    block = CONFIG.benchmarks
    flags = [f"--task {task}" for task in block.tasks]
    folder = beside_experiments(block.include)
    flags += [f"--include {shlex.quote(folder)}"] if folder else []
    flags += [f"--limit {block.limit}"] if block.limit else []
    return " ".join(flags)


def few_shot_options(wildcards):
    block = CONFIG.benchmarks
    flags = [] if block.few_shot is None else [f"--few-shot {block.few_shot}"]
    # A pretrained model has no chat template to apply.
    has_template = CONFIG.arm(wildcards.arm).kind in ("tuned", "model")
    return " ".join(
        flags + (["--chat-template"] if block.chat_template and has_template else [])
    )


# -- analysis and report

COMPARED_ARMS = sorted({arm for c in CONFIG.comparisons for arm in (c.first, c.second)})
MEASURED_BASE = [n for n in CONFIG.benchmarks.arms if CONFIG.arm(n).kind == "base"][:1]
MEASURED_TUNED = [n for n in CONFIG.benchmarks.arms if n not in MEASURED_BASE]
LIMA = CONFIG.analysis.lima_arm
LIMA_IS_TUNED = LIMA in TUNED_ARMS

tax_file = ["<results>/analysis/tax.json"] if MEASURED_BASE and MEASURED_TUNED else []
lima_training = [f"<results>/models/{LIMA}/training.json"] if LIMA_IS_TUNED else []
lima_dev_grades = (
    [
        f"<results>/grades/dev/{LIMA}/epoch-{epoch}.jsonl"
        for epoch in CONFIG.selection.epochs
    ]
    if LIMA_IS_TUNED
    else []
)


def bootstrap_options():
    block = CONFIG.analysis
    return f"--bootstrap {block.bootstrap} --confidence {block.confidence} --seed {CONFIG.seed}"


def miniature_option():
    return "--miniature" if CONFIG.miniature else ""


def role_options():
    """Which arm plays which part in the paper's claims."""
    return " ".join(
        [
            f"--lima {LIMA}",
            repeated("--base", [a.name for a in CONFIG.arms if a.kind == "base"]),
            repeated(
                "--in-context", [a.name for a in CONFIG.arms if a.kind == "in-context"]
            ),
            repeated("--ablation", [a for a in TUNED_ARMS if CONFIG.is_ablation(a)]),
            repeated(
                "--unfiltered", [a for a in TUNED_ARMS if CONFIG.is_unfiltered(a)]
            ),
        ]
    )


def claim_options(wildcards, input):
    options = [
        repeated("--grades", input.grades),
        repeated("--tax", input.get("tax", [])),
    ]
    options += [repeated("--training", input.get("training", []))]
    options += [repeated("--dev-grades", input.get("dev_grades", []))]
    return " ".join(option for option in options if option)


def frozen_of_lima(wildcards):
    datasets = [
        CONFIG.arm(name).dataset for name in [LIMA, *TUNED_ARMS] if name in TUNED_ARMS
    ]
    name = datasets[0] if datasets else CONFIG.datasets[0].name
    return [
        f"<results>/datasets/{name}/frozen/{split}.jsonl"
        for split in ("train", "dev", "test")
    ]


def figure_files():
    names = ["preferences", "quality", "funnel", "lengths"]
    names += ["absolute"] if any("/quality/" in file for file in grade_files) else []
    names += ["epochs"] if LIMA_IS_TUNED else []
    names += ["training"] if TUNED_ARMS else []
    names += ["tax"] if tax_file else []
    return [f"<results>/figures/{name}.svg" for name in names]


def table_files():
    names = ["sources", "preferences", "agreement"] + (["tax"] if tax_file else [])
    return [f"<results>/tables/{name}.csv" for name in names]


def lasting_files():
    """What people delete to have it made again: Snakemake sees a missing file only in a target."""
    return (
        [f"<results>/datasets/{d.name}/frozen/train.jsonl" for d in CONFIG.datasets]
        + [f"<results>/models/{arm}/chosen.json" for arm in TUNED_ARMS]
        + [f"<results>/responses/test/{arm.name}.jsonl" for arm in CONFIG.arms]
        + [f"<results>/benchmarks/{arm}/items.jsonl" for arm in CONFIG.benchmarks.arms]
        + verdict_files
        + grade_files
    )
