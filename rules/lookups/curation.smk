# What the rules of sources and curation look up.
import shlex
from pathlib import Path

from snakemake.logging import logger

from limaflow.sources.kinds import POLICIES, READERS
from limaflow.sources.settings import raw_path, under_root
from limaflow.curation.ledger import files_of


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
    named += [CONFIG.analysis.answers] if CONFIG.analysis.answers else []
    for arm in CONFIG.arms:
        named += arm.brought_files(CONFIG.data_root).values()
    named += CONFIG.dialogue.scripts + CONFIG.benchmarks.contaminated
    return sorted({path for path in named if in_world(path)})


# A change of one kind's reader, or of its policy, repeats the jobs of that kind alone.
KINDS = {source.kind for source in CONFIG.sources}
EXTRACT_CODE = {
    kind: code("sources", "extract", {"limaflow.sources.kinds:READERS": kind})
    for kind in KINDS
}
FILTER_CODE = {
    kind: code(
        "curation",
        "filter_candidates",
        {"limaflow.sources.kinds:POLICIES": kind} if kind in POLICIES else None,
    )
    for kind in KINDS
}


def extract_code(wildcards):
    return EXTRACT_CODE[CONFIG.source(wildcards.source).kind]


def filter_code(wildcards):
    return FILTER_CODE[CONFIG.source(wildcards.source).kind]


def extract_processes(wildcards):
    # The invented world's dumps are small, and on two cores a job of two would wait beside the
    # pretraining until that ends, and most of curation with it.
    if all(map(in_world, raw_files(wildcards))):
        return 1
    return READERS[CONFIG.source(wildcards.source).kind].processes


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


def choose_option(wildcards):
    choose = CONFIG.dataset(wildcards.dataset).choose
    return "" if choose == "lot" else f"--choose {choose}"


def prompts_option(wildcards):
    """With its space, so that a command without it is printed as one types it."""
    kept = CONFIG.dataset(wildcards.dataset).prompts == "kept"
    return "" if kept else " --without-prompts"


def filtered_files_of_pool(wildcards):
    return filtered_files(CONFIG.dataset(wildcards.pool).examples)


def train_sources():
    return {name for dataset in CONFIG.datasets for name in dataset.examples or {}}


def draws(split):
    """Sources that prompts of a split are drawn from: name → number."""
    chosen = CONFIG.prompts.dev if split == "dev" else CONFIG.prompts.test
    return {draw.source: draw.examples for draw in chosen if draw.source}


def attack_option():
    """How the goals of a source are asked in test, where in attacks."""
    ways = {d.source: d.attacks for d in CONFIG.prompts.test if d.attacks}
    return f"--test-attacks {shlex.quote(as_json(ways))}" if ways else ""


def drawn_sources():
    return train_sources() | draws("dev").keys() | draws("test").keys()


def drawn_shards():
    """The shards whose counts make the funnel: source → names."""
    return {s.name: list(s.shards) for s in CONFIG.sources if s.name in drawn_sources()}


def brought_prompts(split):
    chosen = CONFIG.prompts.dev if split == "dev" else CONFIG.prompts.test
    return [under_root(draw.path, CONFIG.data_root) for draw in chosen if draw.path]


def brought_prompt_options(split):
    chosen = CONFIG.prompts.dev if split == "dev" else CONFIG.prompts.test
    layouts = [
        draw.layout.model_dump_json(exclude_defaults=True)
        for draw in chosen
        if draw.path
    ]
    named = {f"--{split}-path": brought_prompts(split)}
    if set(layouts) - {"{}"}:
        named[f"--{split}-layout"] = layouts
    return " ".join(repeated(flag, values) for flag, values in named.items() if values)


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
# Where nothing stands on it, none is fetched to count words.
named_base = (
    ["<results>/base/model.json"] if CONFIG.base.path and CONFIG.uses_base else []
)


def page_files(name):
    """What a page of the package is made of: its own parts and those that all pages share."""
    parts = [f"src/limaflow/{name}.{kind}" for kind in ("html", "css", "js")]
    return [shipped(file) for file in (*parts, "src/limaflow/standalone.js")]


def ledger():
    """The files of decisions; they may lie in the checkout, so they enter by their content."""
    path = beside_experiments(CONFIG.curation.ledger)
    if path and IS_ASKED_TO_PLAN and not Path(path).exists():
        logger.warning(f"curation.ledger: {path} is not there: no decision is applied")
    return [str(file) for file in files_of(Path(path))] if path else []


def ledger_option():
    """Where the ledger was looked for, to be named where it is not there."""
    path = beside_experiments(CONFIG.curation.ledger)
    return repeated("--configured", [path] if path else [])


LEDGER = ledger()
