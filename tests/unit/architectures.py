"""Tiny random models of many architectures: what people may bring as a base."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers

from limaflow.jsonl import write_json
from limaflow.records import ModelManifest

_SIZES = {
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": None,
}
_MIXED_LAYERS = {"num_hidden_layers": 4}
_LINEAR_ATTENTION = {
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 12,
    "linear_value_head_dim": 12,
    "head_dim": 12,
}
_OLD_SIZES = {"n_embd": 48, "n_layer": 2, "n_head": 4, "n_positions": 256}


@dataclass(frozen=True)
class Architecture:
    """A transformers model type with the configuration of a tiny model."""

    model_type: str
    values: dict[str, Any] = field(default_factory=dict)
    packs: bool = True
    """Whether its layers keep examples apart that are packed into one row."""
    common: dict[str, Any] = field(default_factory=lambda: _SIZES)
    attention: str = "sdpa"


ARCHITECTURES = {
    "llama": Architecture("llama"),
    "mistral": Architecture("mistral", {"sliding_window": 16}),
    "qwen2": Architecture("qwen2", {"tie_word_embeddings": True}),
    "qwen3": Architecture("qwen3", {"head_dim": 12}),
    "gemma2": Architecture(
        "gemma2",
        {"head_dim": 12, "sliding_window": 16, "query_pre_attn_scalar": 12},
        attention="eager",
    ),
    "gemma3": Architecture(
        "gemma3_text",
        {
            "head_dim": 12,
            "sliding_window": 16,
            "query_pre_attn_scalar": 12,
            "layer_types": ["sliding_attention", "full_attention"],
        },
    ),
    "phi": Architecture("phi", {"partial_rotary_factor": 0.5}),
    "gpt2": Architecture("gpt2", common=_OLD_SIZES | {"bos_token_id": 0, "eos_token_id": 1}),
    "mixtral": Architecture(
        "mixtral", {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": None}
    ),
    "qwen3-moe": Architecture(
        "qwen3_moe",
        {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24, "head_dim": 12},
    ),
    "opt": Architecture(
        "opt",
        {"dropout": 0.0, "ffn_dim": 96, "word_embed_proj_dim": 48, "pad_token_id": 1},
        packs=False,
    ),
    "falcon": Architecture("falcon", packs=False),
    "bloom": Architecture(
        "bloom",
        {"n_layer": 2, "n_head": 4, "hidden_size": 48, "pad_token_id": 1},
        packs=False,
        common={"bos_token_id": 0, "eos_token_id": 1},
        attention="eager",
    ),
    "lfm2": Architecture(
        "lfm2",
        {**_MIXED_LAYERS, "layer_types": ["conv", "conv", "full_attention", "conv"]},
        packs=False,
    ),
    "qwen3-next": Architecture(
        "qwen3_next",
        {
            **_LINEAR_ATTENTION,
            **_MIXED_LAYERS,
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 24,
            "shared_expert_intermediate_size": 24,
        },
        packs=False,
    ),
    "falcon-h1": Architecture(
        "falcon_h1",
        {"mamba_n_heads": 8, "mamba_d_head": 12, "mamba_d_state": 12, "mamba_d_ssm": 96},
        packs=False,
    ),
}

_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24}
_LOCAL_EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
_MAMBA = {"mamba_n_heads": 8, "mamba_d_head": 12, "mamba_d_state": 12}
ARCHITECTURES |= {
    "llama-tied": Architecture("llama", {"tie_word_embeddings": True}),
    "gemma": Architecture("gemma", {"head_dim": 12, "tie_word_embeddings": True}),
    "phi3": Architecture("phi3", {"pad_token_id": 1}),
    "stablelm": Architecture("stablelm", {"partial_rotary_factor": 0.5}),
    "olmo2": Architecture("olmo2"),
    "gptj": Architecture(
        "gptj",
        {"rotary_dim": 8},
        common=_OLD_SIZES | {"bos_token_id": 0, "eos_token_id": 1},
        attention="eager",
    ),
    "gpt-neox": Architecture("gpt_neox"),
    "mamba": Architecture(
        "mamba",
        {"hidden_size": 48, "num_hidden_layers": 2, "state_size": 8, "pad_token_id": 1},
        packs=False,
        common={"bos_token_id": 0, "eos_token_id": 1},
        attention="eager",
    ),
    "qwen2-moe": Architecture("qwen2_moe", _EXPERTS | {"shared_expert_intermediate_size": 24}),
    "olmoe": Architecture("olmoe", {"num_experts": 4, "num_experts_per_tok": 2}),
    "granitemoe": Architecture("granitemoe", _LOCAL_EXPERTS),
    "phimoe": Architecture("phimoe", _LOCAL_EXPERTS | {"lm_head_bias": True}),
    "gpt-oss": Architecture(
        "gpt_oss",
        _LOCAL_EXPERTS | {"head_dim": 12, "sliding_window": 16},
        packs=False,
        attention="eager",
    ),
    "qwen3.5": Architecture("qwen3_5_text", _LINEAR_ATTENTION | _MIXED_LAYERS, packs=False),
    "granite4-hybrid": Architecture(
        "granitemoehybrid",
        {
            **_MAMBA,
            **_LOCAL_EXPERTS,
            **_MIXED_LAYERS,
            "mamba_n_groups": 1,
            "shared_intermediate_size": 48,
            "layer_types": ["mamba", "mamba", "attention", "mamba"],
        },
        packs=False,
    ),
    "starcoder2": Architecture("starcoder2"),
    "cohere2": Architecture("cohere2", {"sliding_window": 16}),
    "glm4": Architecture("glm4", {"head_dim": 12}),
    "nemotron": Architecture("nemotron"),
    "exaone4": Architecture("exaone4", {"sliding_window": 16}),
    "smollm3": Architecture("smollm3"),
    "olmo3": Architecture("olmo3", {"sliding_window": 16}),
    "ernie4.5": Architecture("ernie4_5"),
    "deepseek-v3": Architecture(
        "deepseek_v3",
        {
            "n_routed_experts": 4,
            "num_experts_per_tok": 2,
            "n_group": 1,
            "topk_group": 1,
            "moe_intermediate_size": 24,
            "first_k_dense_replace": 1,
            "q_lora_rank": 16,
            "kv_lora_rank": 16,
            "qk_rope_head_dim": 8,
            "qk_nope_head_dim": 8,
            "v_head_dim": 12,
            "num_key_value_heads": 4,
        },
    ),
    "gpt-neo": Architecture(
        "gpt_neo",
        {"attention_types": [[["global", "local"], 1]], "num_layers": 2, "num_heads": 4},
        common={
            "hidden_size": 48,
            "max_position_embeddings": 256,
            "bos_token_id": 0,
            "eos_token_id": 1,
        },
        attention="eager",
    ),
    "recurrent-gemma": Architecture(
        "recurrent_gemma", {"block_types": ["recurrent", "attention"], "lru_width": 48}, packs=False
    ),
    "jamba": Architecture(
        "jamba",
        {
            **_MIXED_LAYERS,
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
            "num_experts": 2,
            "use_mamba_kernels": False,
        },
        packs=False,
    ),
}


def tiny_model(name: str, vocabulary: int) -> Any:
    """Random weights, larger than at initialization, so that attention matters."""
    architecture = ARCHITECTURES[name]
    values = architecture.common | architecture.values | {"vocab_size": vocabulary}
    config = transformers.AutoConfig.for_model(architecture.model_type, **values)
    torch.manual_seed(0)
    build: Any = transformers.AutoModelForCausalLM.from_config
    model = build(config, attn_implementation=architecture.attention)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(3)
    return model


def written(name: str, folder: Path, like: Path) -> Path:
    """The model's model.json below `folder`, with the tokenizer of the model at `like`."""
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(like)
    tokenizer.save_pretrained(folder / "model")
    tiny_model(name, len(tokenizer)).config.save_pretrained(folder / "model")
    # Beside its configuration a tokenizer may get another class, with tokens of its own (Qwen 2).
    opened: Any = transformers.AutoTokenizer.from_pretrained(folder / "model")
    tiny_model(name, len(opened)).save_pretrained(folder / "model")
    write_json(folder / "model.json", ModelManifest(model=name, path="model"))
    return folder / "model.json"
