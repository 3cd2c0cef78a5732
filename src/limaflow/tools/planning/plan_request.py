"""What `limaflow train plan` is asked: an experiment's training, or blocks given by hand."""

from dataclasses import dataclass
from pathlib import Path

from limaflow.arms.model import ModelArm
from limaflow.arms.preference import PreferenceArm
from limaflow.config.experiment import Config
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.errors import InputError
from limaflow.generation.settings import Generation
from limaflow.manifests import read_manifest
from limaflow.mistakes import parse_block
from limaflow.tools.planning.answering import Answering, answering
from limaflow.tools.planning.architecture import Architecture, architecture_of
from limaflow.tools.planning.plan import (
    GIB,
    Micro,
    Plan,
    largest_of,
    largest_possible,
    pairs_possible,
    plan,
)
from limaflow.training.settings import Launch, Lora, Preference, Training

DEFAULTS = Path("config.yaml")


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """A training to be planned."""

    title: str
    model: Architecture
    settings: Training
    launch: Launch
    micro: Micro
    exports: int
    generation: Generation
    reference: bool = False
    """Whether a frozen copy of the model stands beside it."""

    def answering(self, gpu_memory: float | None) -> Answering:
        """What responses and benchmarks take, on cards of the configured size if none is given."""
        card = gpu_memory or self.generation.gpu_memory * GIB
        return answering(self.model, self.generation, card)

    def plan(self, gpu_memory: float | None) -> Plan:
        """The plan; `gpu_memory` in bytes of one GPU."""
        return plan(
            self.model,
            self.settings,
            self.launch,
            self.micro,
            exports=self.exports,
            reference=self.reference,
            gpu_memory=gpu_memory,
        )


def plan_request(
    configfiles: list[Path],
    *,
    arm: str | None,
    base: str | None,
    architecture: str | None,
    settings: str | None,
    launch: str | None,
    data: Path | None,
) -> PlanRequest:
    """The request that the command's flags make; a flag wins over the experiment.

    Raises:
        InputError: no such arm, no base model, or a block that is not valid.
    """
    config = parse(merged([DEFAULTS, *configfiles]), origin=" + ".join(map(str, configfiles)))
    tuned = _tuned(config, arm)
    base = base or _started_path(config, tuned)
    if architecture is None and base is None:
        raise InputError(
            "the base model is a stand-in, which this machine trains in any case",
            fix="give --base or --architecture",
        )
    if isinstance(found := config.arm(tuned), PreferenceArm):
        if data is not None or settings is not None:
            raise InputError(
                f"arm '{tuned}' is tuned on pairs: --data and --settings are of the block training"
            )
        preference = found.preference_settings(config.preference)
        asked = parse_block(Launch, launch, "--launch") if launch else config.launch
        return PlanRequest(
            title=f"{config.experiment}, arm {tuned} (DPO), "
            f"base {'as given' if architecture else base}",
            model=architecture_of(base or "", architecture),
            settings=_as_training(preference, config.training),
            launch=asked.model_copy(update={"micro_batch_tokens": None}),
            micro=pairs_possible(preference),
            exports=1,
            generation=config.generation,
            reference=preference.lora is None,
        )
    chosen = (
        parse_block(Training, settings, "--settings") if settings else config.training_of(tuned)
    )
    return PlanRequest(
        title=f"{config.experiment}, arm {tuned}, base {'as given' if architecture else base}",
        model=architecture_of(base or "", architecture),
        settings=chosen,
        launch=parse_block(Launch, launch, "--launch") if launch else config.launch,
        micro=_micro(data, base, chosen, config.seed),
        exports=len(config.selection.epochs),
        generation=config.generation,
    )


def _started_path(config: Config, arm: str) -> str | None:
    """Path or name of the model that an arm's training starts from, at whatever remove."""
    for reference in config.arm(arm).references():
        if reference.listed_in == "models":
            started = config.arm(reference.name or config.analysis.lima_arm)
            if isinstance(started, ModelArm):
                return started.path
            return _started_path(config, started.name)
    return config.base.path


def _tuned(config: Config, wanted: str | None) -> str:
    names = [a.name for a in config.arms if a.is_trained]
    names += [a.name for a in config.arms if isinstance(a, PreferenceArm)]
    if wanted is None and names:
        return config.analysis.lima_arm if config.analysis.lima_arm in names else names[0]
    if wanted is None or wanted not in names:
        raise InputError(f"no tuned arm is named '{wanted}'; there are: {', '.join(names)}")
    return wanted


def _as_training(preference: Preference, shared: Training) -> Training:
    """What of preference tuning decides its memory, in the block that the formulas read."""
    lora = preference.lora and Lora(**preference.lora.model_dump())
    same = ("batch_examples", "max_tokens", "precision")
    read = {key: getattr(preference, key) for key in same}
    return shared.model_copy(update={**read, "lora": lora, "residual_dropout": 0.0})


def _micro(data: Path | None, base: str | None, settings: Training, seed: int) -> Micro:
    """From the lengths of `data` in the base model's tokens, else the largest possible."""
    if data is None:
        return largest_possible(settings)
    if base is None:
        raise InputError("--data is counted in the tokens of a base model", fix="give --base")
    from transformers import AutoTokenizer

    from limaflow.training.conversation import take_template
    from limaflow.training.data import prepared

    location = read_manifest(Path(base))[1] if Path(base).is_file() else base
    try:
        tokenizer = AutoTokenizer.from_pretrained(location)
    except (OSError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise InputError(f"no tokenizer at {location}: {first}") from None
    take_template(tokenizer, settings.chat_template)
    return largest_of(prepared(data, None, tokenizer, settings).train, settings, seed=seed)
