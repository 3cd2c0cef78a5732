# The front door: read the configuration, include the stages, name the targets.
#   snakemake --cores 2 --configfile experiments/miniature.yaml            the whole study
#   snakemake --cores 2 --configfile experiments/miniature.yaml -- curate  one stage and what it needs
import gc

from snakemake.utils import min_version

min_version("9.27")
# What is loaded here stays: to look for garbage in it, now and later, is a seventh of a dry run.
gc.disable()


# Of this file, not of a workflow that takes it as a module.
CHECKOUT = workflow.current_basedir.get_path_or_uri(secret_free=True)


configfile: f"{CHECKOUT}/config.yaml"


include: "rules/common.smk"
include: "rules/lookups/curation.smk"
include: "rules/lookups/models.smk"
include: "rules/lookups/responses.smk"
include: "rules/lookups/judging.smk"
include: "rules/lookups/dialogue.smk"
include: "rules/lookups/benchmarks.smk"
include: "rules/lookups/token_shift.smk"
include: "rules/lookups/analysis.smk"
include: "rules/lookups/refusals.smk"


pathvars:
    results=f"results/{CONFIG.experiment}",
    logs=f"logs/{CONFIG.experiment}",


wildcard_constraints:
    source=any_of(s.name for s in CONFIG.sources),
    shard="[a-z0-9-]+",
    dataset=any_of(d.name for d in CONFIG.datasets),
    arm=any_of(a.name for a in CONFIG.arms),
    judge=any_of(j.name for j in CONFIG.judges),
    figure=any_of(FIGURES),
    table=any_of(TABLES),


if IS_ASKED_TO_PLAN:
    warn_of_changed_training()
    refuse_impossible_targets()


onstart:
    hold_folder()
    check_endpoints()
    shorten_terminal()
    request_forced_trainings()


rule all:
    """The whole study, up to the report."""
    input:
        collect("<results>/report/{page}.html", page=["index", "responses"]),
        shift_page,
        lasting_files(),
    localrule: True


include: "rules/sources.smk"
include: "rules/curation.smk"
include: "rules/base.smk"
include: "rules/training.smk"
include: "rules/derived_models.smk"
include: "rules/generation.smk"
include: "rules/judging.smk"
include: "rules/dialogue.smk"
include: "rules/format_checks.smk"
include: "rules/refusals.smk"
include: "rules/benchmarks.smk"
include: "rules/token_shift.smk"
include: "rules/analysis.smk"
include: "rules/report.smk"
include: "rules/bundle.smk"
include: "rules/cluster.smk"


rule prefetch:
    """Fetch all that comes from a network: raw files, models, benchmark data."""
    input:
        list(fetched()),
        "<results>/prefetched.json",
        benchmark_fetched_file,
    localrule: True


rule curate:
    """Stop after the frozen data sets."""
    input:
        collect(
            "<results>/datasets/{dataset}/frozen/SHA256SUMS",
            dataset=[d.name for d in CONFIG.datasets],
        ),
        "<results>/curation/funnel.json",
    localrule: True


rule train:
    """Stop after the chosen checkpoints of every tuned arm."""
    input:
        collect("<results>/models/{arm}/chosen.json", arm=TUNED_ARMS),
    localrule: True


rule generate:
    """Stop after the responses of every arm to the test prompts."""
    input:
        collect(
            "<results>/responses/test/{arm}.jsonl", arm=[a.name for a in CONFIG.arms]
        ),
    localrule: True


rule judge:
    """Stop after the verdicts and grades."""
    input:
        verdict_files + further_verdict_files,
        grade_files + further_grade_files,
    localrule: True


rule benchmark:
    """Stop after lm-eval of every model that is to be measured."""
    input:
        collect("<results>/benchmarks/{arm}/items.jsonl", arm=CONFIG.benchmarks.arms),
    localrule: True


rule dialogue:
    """Stop after the dialogues, their grades and what is measured of them."""
    input:
        dialogues_file,
        dialogue_grade_files,
        dialogue_preferences_file,
    localrule: True


rule safety:
    """Stop after who answers safely, who refuses, and how far that holds, by arm and prompts."""
    input:
        "<results>/analysis/safety.json",
        "<results>/analysis/refusals.json",
        resistance_file,
        sensitive_grade_files,
    localrule: True


rule shift:
    """Stop after the token shift of every arm whose tokens are looked up in the base."""
    input:
        shift_page,
    localrule: True


# fig1 … fig9, table1, appendix_b … appendix_e, claims: what the paper prints, ours beside its own.
for artifact_name in ARTIFACTS:

    rule:
        name:
            artifact_name
        input:
            partial(files_of_target, artifact_name),
        localrule: True


rule paper:
    """All of them that this study can make, and one table of their numbers."""
    input:
        collect(
            "<results>/artifacts/{artifact}.{end}",
            artifact=MADE_ARTIFACTS,
            end=ARTIFACT_FORMATS,
        ),
        collect("<results>/artifacts/paper.{end}", end=["csv", "md", "tex"]),
    localrule: True


rule report:
    """Make the report."""
    input:
        collect("<results>/report/{page}.html", page=["index", "responses"]),
        shift_page,
        lasting_files(),
    localrule: True


gc.freeze()
gc.enable()
