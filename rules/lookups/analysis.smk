# What the rules of analysis and report look up.
COMPARED_ARMS = sorted({arm for c in CONFIG.comparisons for arm in (c.first, c.second)})
MEASURED_BASE = [
    arm
    for arm in CONFIG.benchmarks.arms
    if CONFIG.arm(arm).model_manifest(RESULTS) == RESULTS.base_model
][:1]
MEASURED_TUNED = [n for n in CONFIG.benchmarks.arms if n not in MEASURED_BASE]
LIMA = CONFIG.analysis.lima_arm
LIMA_IS_TUNED = LIMA in TUNED_ARMS

tax_file = ["<results>/analysis/tax.json"] if MEASURED_BASE and MEASURED_TUNED else []
lima_training = [f"<results>/models/{LIMA}/training.json"] if LIMA_IS_TUNED else []
lima_dev_grades = [dev_grades(LIMA)] if LIMA_IS_TUNED else []


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
