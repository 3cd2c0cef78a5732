"""`base`, `training`, `preference`, `launch` and `selection` of the configuration."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from limaflow.manifests import sha256_of
from limaflow.settings import Settings, Share

Beta = Annotated[float, Field(ge=0, lt=1)]
Attention = Literal[
    "auto", "eager", "sdpa", "flex_attention", "flash_attention_2", "flash_attention_3"
]
AUTO_PACKED_TOKENS = 4096
"""Tokens of a packed micro-batch where `micro_batch_tokens` is auto."""


LIMA, BASE = "lima", "base"
"""The choices of `training.chat_template` that name no file."""


class StandIn(Settings):
    """A base model pretrained in the run, where no real one can be had."""

    corpus: list[str] = Field(min_length=1)
    vocabulary: int = Field(ge=300)
    hidden_size: int = Field(ge=16)
    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    context: int = Field(ge=64)
    tokens: int = Field(ge=1000)
    batch: int = Field(ge=1)
    learning_rate: float = Field(gt=0)

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.hidden_size % (2 * self.heads):
            raise ValueError("hidden_size must be a multiple of twice the heads (rotary positions)")
        return self


class Base(Settings):
    """The pretrained model: a hub name or folder, or a stand-in; none where no arm stands on it."""

    path: str | None = None
    revision: str | None = None
    stand_in: StandIn | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.path is not None and self.stand_in is not None:
            raise ValueError("give either path (a hub name or folder) or stand_in")
        return self


class Adapter(Settings):
    """Size and place of low-rank adapters on a frozen model (peft)."""

    rank: int = Field(ge=1)
    alpha: int = Field(default=16, ge=1)
    target_modules: list[str] | Literal["all-linear"] = "all-linear"


class Lora(Adapter):
    """Low-rank adapters on a frozen base model (peft), in place of full fine-tuning.

    The end-of-turn token's rows in embedding and head are trained beside them.
    """

    dropout: Share = 0.0
    residual_dropout: Share = 0.0
    quantize: Literal["4bit"] | None = None


class Training(Settings):
    """Everything of fine-tuning that changes the trained weights."""

    epochs: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    final_learning_rate: float = Field(ge=0)
    warmup_steps: int = Field(ge=0)
    batch_examples: int = Field(ge=1)
    max_tokens: int = Field(ge=8)
    betas: tuple[Beta, Beta]
    weight_decay: float = Field(ge=0)
    decay_norms_and_biases: bool
    gradient_clipping: float = Field(ge=0)
    residual_dropout: Share
    loss_on: Literal["responses", "everything"]
    loss_mean: Literal["token", "example"]
    precision: Literal["bf16", "fp32"]
    gradient_sums: Literal["bf16", "fp32"] = "fp32"
    max_trimmed_share: Share
    vocabulary_multiple: int = Field(ge=1)
    chat_template: str = Field(default=LIMA, min_length=1)
    """The format of dialogues: `lima`, `base` (the base model's own), or the path of a Jinja file.
    """
    lora: Lora | None = None

    def determining(self) -> dict[str, Any]:
        """All but tolerances, as plain data: what the trained weights depend on."""
        facts = self.model_dump(mode="json", exclude={"max_trimmed_share", "chat_template"})
        if self.template_file is not None:
            facts["chat_template"] = sha256_of(self.template_file)
        elif self.chat_template != LIMA:
            facts["chat_template"] = self.chat_template
        return facts

    @property
    def template_file(self) -> Path | None:
        """The file that `chat_template` names."""
        named = self.chat_template not in (LIMA, BASE)
        return Path(self.chat_template) if named else None

    @property
    def last_residual_dropout(self) -> float:
        """Residual dropout's rate at the last layer; with LoRA that of its block."""
        return self.residual_dropout if self.lora is None else self.lora.residual_dropout

    @model_validator(mode="after")
    def _sums_no_coarser(self) -> Self:
        if self.precision == "fp32" and self.gradient_sums == "bf16":
            raise ValueError("gradient_sums: bf16 goes with precision: bf16 alone")
        return self

    @model_validator(mode="after")
    def _decaying(self) -> Self:
        if self.final_learning_rate > self.learning_rate:
            raise ValueError(
                f"final_learning_rate {self.final_learning_rate} exceeds "
                f"learning_rate {self.learning_rate}"
            )
        return self


class Preference(Settings):
    """Everything of preference tuning (DPO) that changes the trained weights."""

    beta: float = Field(gt=0)
    learning_rate: float = Field(gt=0)
    warmup_share: Share
    epochs: int = Field(ge=1)
    batch_examples: int = Field(ge=1)
    max_tokens: int = Field(ge=8)
    betas: tuple[Beta, Beta]
    weight_decay: float = Field(ge=0)
    gradient_clipping: float = Field(ge=0)
    precision: Literal["bf16", "fp32"]
    max_left_out_share: Share
    lora: Adapter | None = None

    @property
    def gradient_sums(self) -> Literal["fp32"]:
        """Of what type the gradients of micro-batches are summed in."""
        return "fp32"

    def determining(self) -> dict[str, Any]:
        """All but tolerances, as plain data: what the trained weights depend on."""
        return self.model_dump(mode="json", exclude={"max_left_out_share"})


class Launch(Settings):
    """How training is spread over processes; of no consequence for the weights but rounding."""

    nodes: int = Field(ge=1)
    processes_per_node: Annotated[int, Field(ge=1)] | Literal["auto"]
    micro_batch_examples: int = Field(ge=1)
    micro_batch_tokens: Annotated[int, Field(ge=8)] | Literal["auto"] | None
    zero_stage: Literal[0, 1, 2, 3]
    offload: Literal["none", "optimizer", "parameters"] = "none"
    gradient_checkpointing: bool
    attention: Attention = "auto"
    liger: bool = False
    compile: bool = False
    checkpoint_every_steps: int | None = Field(ge=1)
    keep_checkpoints: int = Field(ge=1)
    collective_timeout_minutes: float = Field(default=10, ge=1)
    stop_patience_seconds: float = Field(default=20, gt=0)

    @property
    def planned_processes(self) -> int:
        """On a node; one where only the run will see how many GPUs there are."""
        return 1 if self.processes_per_node == "auto" else self.processes_per_node

    @property
    def patience(self) -> timedelta:
        """How long a process waits for another."""
        return timedelta(minutes=self.collective_timeout_minutes)

    @property
    def packed_tokens(self) -> int | None:
        """Tokens that a micro-batch is packed up to; None pads."""
        tokens = self.micro_batch_tokens
        return AUTO_PACKED_TOKENS if tokens == "auto" else tokens

    @model_validator(mode="after")
    def _offload_of_what_is_divided(self) -> Self:
        lowest = {"none": 0, "optimizer": 1, "parameters": 3}[self.offload]
        if self.zero_stage < lowest:
            raise ValueError(f"offload: {self.offload} needs zero_stage {lowest} or more")
        return self


class Selection(Settings):
    """The epochs whose dev responses are judged; the best one's checkpoint is the model."""

    epochs: list[Annotated[int, Field(ge=1)]] = Field(min_length=1)
