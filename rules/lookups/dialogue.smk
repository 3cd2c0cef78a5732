# What the rules of dialogues look up.
from limaflow.judging.instrument import is_instrument_path

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
if HOLDING and INSTRUMENTS[DIALOGUE.instrument].head.form == "pairwise":
    raise WorkflowError("dialogue.instrument: a pairwise instrument grades no turns")


def dialogue_files(file):
    return [f"<results>/dialogues/{arm}/{file}" for arm in HOLDING]


dialogue_grade_files = [
    f"<results>/dialogues/{arm}/grades/{judge}.jsonl"
    for arm in HOLDING
    for judge in DIALOGUE.judges
]
dialogues_file = ["<results>/analysis/dialogues.json"] if HOLDING else []


def dialogue_instrument():
    own = CONFIG.judging.files[DIALOGUE.instrument]
    return (
        INSTRUMENT_FILES[DIALOGUE.instrument]
        if is_instrument_path(own)
        else DIALOGUE.instrument
    )
