# What the rules of safety and refusals look up.

SAFETY = CONFIG.safety
sensitive_grade_files = [
    f"<results>/safety/{instrument}/{judge}.jsonl"
    for instrument, judges in SAFETY.graders.items()
    for judge in judges
]
# All arms' grades of the prompts that test safety; of all prompts where judges are asked so.
refusal_grade_files = [
    file for file in sensitive_grade_files if "/safety/refusal/" in file
] or [file for file in grade_files if "/grades/refusal/" in file]
safety_file = ["<results>/analysis/safety.json"] if SAFETY.is_graded else []
refusals_file = ["<results>/analysis/refusals.json"] if SAFETY.is_graded else []
labels_files = {
    arm: under_root(path, CONFIG.data_root) for arm, path in SAFETY.labels.items()
}
known_files = [under_root(path, CONFIG.data_root) for path in SAFETY.known]
# Arm -> the data set whose refusals are counted, of arms that differ from the LIMA arm in these alone.
DOSED = {
    arm.name: arm.training_dataset
    for arm in WRITTEN.arms
    if CONFIG.differs_in_refusals(arm.name) and arm.name not in SAFETY.doses
}


def apart_option():
    """What the instruments that are no graders of safety leave to these."""
    return "--without sensitive" if SAFETY.apart else ""


def safety_options(wildcards, input):
    named = {
        "--grades": input.get("grades", []),
        "--trained": [f"{arm}={path}" for arm, path in zip(DOSED, input.trained)],
        "--dose": [f"{arm}={number}" for arm, number in SAFETY.doses.items()],
        "--further-seed": [f"{again}={arm}" for again, arm in AGAIN.items()],
    }
    return " ".join(repeated(flag, values) for flag, values in named.items() if values)


def rates_options(wildcards, input):
    labelled = zip(labels_files, input.get("labels", []))
    named = {
        "--grades": input.get("grades", []),
        "--labels": [f"{arm}={path}" for arm, path in labelled],
        "--column": [f"{ours}={theirs}" for ours, theirs in SAFETY.columns.items()],
        "--word": [f"{theirs}={ours}" for theirs, ours in SAFETY.words.items()],
        "--known": input.get("known", []),
    }
    return " ".join(repeated(flag, values) for flag, values in named.items() if values)
