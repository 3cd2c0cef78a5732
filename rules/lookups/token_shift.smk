# What the rules of token shift look up.

SHIFTED = CONFIG.token_shift.arms
# The base itself, whose own tokens show what sampling alone makes.
SAMPLED_BASES = [arm.name for arm in CONFIG.arms if arm.kind == "base"][:1]
LOOKED_UP = SHIFTED + SAMPLED_BASES if SHIFTED else []

shifted_files = [f"<results>/token_shift/{arm}.jsonl" for arm in LOOKED_UP]
shift_file = ["<results>/analysis/token_shift.json"] if SHIFTED else []
shift_page = ["<results>/report/token_shift.html"] if SHIFTED else []


def shift_references(arm):
    """The models in which an arm's tokens are looked up: ROLE:NAME → manifest."""
    if arm in SAMPLED_BASES:
        return {f"itself:{arm}": model_of(arm)}
    seeds = {f"seed:{name}": model_of(name) for name in CONFIG.further_seeds(arm)}
    return {"base:base": str(RESULTS.base_model), **seeds}


def shift_references_option(wildcards, input):
    names = shift_references(wildcards.arm)
    words = [f"{name}={file}" for name, file in zip(names, input.references)]
    return repeated("--reference", words)
