# What the rules of dialogues look up.

DIALOGUE = CONFIG.dialogue
HOLDING = DIALOGUE.arms if DIALOGUE.scripts else []
dialogue_scripts = [
    (
        beside_experiments(path)
        if path.startswith("experiments/") or in_world(path)
        else under_root(path, CONFIG.data_root)
    )
    for path in DIALOGUE.scripts
]
if HOLDING and DIALOGUE.instrument not in SINGLE:
    raise WorkflowError(
        f"dialogue.instrument: '{DIALOGUE.instrument}' grades no turns of a conversation"
    )
WHOLES = DIALOGUE.comparisons if HOLDING else []
if WHOLES and INSTRUMENTS[DIALOGUE.compared_by].head.form != "pairwise":
    raise WorkflowError(
        f"dialogue.compared_by: '{DIALOGUE.compared_by}' compares no answers"
    )
WHOLE_ARMS = sorted({arm for pair in WHOLES for arm in (pair.first, pair.second)})


def dialogue_files(file):
    return [f"<results>/dialogues/{arm}/{file}" for arm in HOLDING]


dialogue_grade_files = [
    f"<results>/dialogues/{arm}/grades/{DIALOGUE.instrument}/{judge}.jsonl"
    for arm in HOLDING
    for judge in DIALOGUE.judges
]
dialogues_file = ["<results>/analysis/dialogues.json"] if HOLDING else []
dialogue_verdict_files = [
    f"<results>/dialogues/verdicts/{judge}/{pair.name}.jsonl"
    for judge in DIALOGUE.judges
    for pair in WHOLES
]
dialogue_preferences_file = (
    ["<results>/analysis/dialogue_preferences.json"] if dialogue_verdict_files else []
)
