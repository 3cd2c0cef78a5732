"""The parts of gpu_check.py: each returns facts for its report, or raises where it fails."""

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gpu_tiny
from gpu_tiny import ROOT

GIB = 2**30
SHARE = 0.9
"""Of a GPU's memory that a planned peak may take."""
PEAK_TFLOPS = {"A100": 312, "H100": 989, "H200": 989, "B200": 2250, "L40S": 362, "A10": 125}
"""Dense bf16 with fp32 sums, of the makers' data sheets (H100 and H200: SXM), by a GPU's name."""
RESUMED = {"cpu": 0.0, "cuda": 1e-3}
"""How far weights of a resumed run may be from those of an undisturbed one, of their norm."""
LAYOUTS = [
    {"peer": "limaflow", "packed": 4096, "zero_stage": 2},
    {"peer": "limaflow", "packed": 16384, "zero_stage": 2},
    {"peer": "limaflow", "micro": 8, "zero_stage": 2},
    {"peer": "trl", "micro": 8, "padding_free": True},
    {"peer": "trl", "micro": 16, "padding_free": True},
    {"peer": "trl", "micro": 8, "grouped": True},
]


class Skipped(Exception):
    """A part that cannot run here, and why."""


def machine(device: str, folder: Path) -> dict[str, Any]:
    """What the machine is, and how fast it multiplies."""
    import importlib.util
    import time

    import torch

    cuda = device == "cuda"
    place, kind = (device, torch.bfloat16) if cuda else (device, torch.float32)
    size, rounds = (8192, 50) if cuda else (1024, 5)
    left, right = torch.randn(2, size, size, device=place, dtype=kind)
    for _ in range(3):
        left @ right
    wait: Callable[[], None] = torch.cuda.synchronize if cuda else (lambda: None)
    wait()
    start = time.perf_counter()
    for _ in range(rounds):
        left @ right
    wait()
    speed = 2 * size**3 * rounds / (time.perf_counter() - start)
    cards = [torch.cuda.get_device_properties(n) for n in range(torch.cuda.device_count())]
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "gpus": [
            {"name": c.name, "gib": c.total_memory / GIB, "capability": f"{c.major}.{c.minor}"}
            for c in cards
        ]
        if cuda
        else [],
        "matrix_product_tflops": speed / 1e12,
        "installed": {
            name: importlib.util.find_spec(name) is not None
            for name in ("flash_attn", "flash_attn_interface", "liger_kernel", "bitsandbytes")
        }
        | {name: shutil.which(name) is not None for name in ("vllm", "gcc", "nvcc", "ninja")},
    }


def processes(device: str) -> int:
    """As many as there are GPUs; two on a CPU."""
    import torch

    return torch.cuda.device_count() if device == "cuda" else 2


def gradients(
    cases: list[dict[str, Any]], device: str, folder: Path, *, ranks: int
) -> dict[str, Any]:
    """Gradients under launches, beside the plain loop's.

    Raises:
        AssertionError: one is too far from the exact gradient.
    """
    base, data = gpu_tiny.written(folder)
    output = folder / "found.json"
    program = Path(__file__).with_name("gpu_gradient.py")
    gpu_tiny.run(
        [
            *("torchrun", "--standalone", f"--nproc-per-node={ranks}", str(program)),
            *(str(base), str(data), json.dumps(cases), str(output)),
        ],
        device,
    )
    found = json.loads(output.read_text())
    wrong = [each for each in found if not each["passed"]]
    assert not wrong, f"too far from the plain loop's gradient: {wrong}"
    return {"processes": ranks, "gradients": found}


def gradient(device: str, folder: Path) -> dict[str, Any]:
    """One process, padded and packed, fp32 and bf16, all weights and LoRA."""
    cases = [
        case("fp32 padded", launch={"zero_stage": 0, "micro_batch_tokens": None}),
        case("fp32 packed", launch={"zero_stage": 0}),
        case("bf16 packed", {"precision": "bf16"}, {"zero_stage": 1}),
        case("LoRA packed", {"lora": {"rank": 4}}, {"zero_stage": 0}),
    ]
    return gradients(cases, device, folder, ranks=1)


def attention(device: str, folder: Path) -> dict[str, Any]:
    """Every kernel that is here, padded and packed."""
    import torch

    from limaflow.errors import InputError
    from limaflow.training.hardware import require_hardware

    cases, left_out = [], {}
    for kernel in ("sdpa", "flex_attention", "flash_attention_2", "flash_attention_3"):
        settings, launch = gpu_tiny.blocks({"precision": "bf16"}, {"attention": kernel})
        try:
            require_hardware(settings, launch)
        except InputError as error:
            left_out[kernel] = str(error)
            continue
        for tokens in (None, 100):
            name = f"{kernel} {'padded' if tokens is None else 'packed'}"
            changed = {"attention": kernel, "micro_batch_tokens": tokens, "zero_stage": 1}
            cases.append(case(name, {"precision": "bf16"}, changed))
    found = gradients(cases, device, folder, ranks=1)
    return {**found, "left_out": left_out, "cuda": torch.cuda.is_available()}


def zero(device: str, folder: Path) -> dict[str, Any]:
    """ZeRO 0 to 3 on all GPUs, and what overlapping of communication does to stages 1 and 2."""
    cases = [case(f"fp32 ZeRO-{stage}", launch={"zero_stage": stage}) for stage in range(4)]
    if device == "cuda":
        for stage in (1, 2, 3):
            cases.append(case(f"bf16 ZeRO-{stage}", {"precision": "bf16"}, {"zero_stage": stage}))
        for stage in (1, 2):
            overlap = case(f"fp32 ZeRO-{stage}, overlapping", launch={"zero_stage": stage})
            cases.append({**overlap, "zero": {"overlap_comm": True}})
    return gradients(cases, device, folder, ranks=processes(device))


def smoke(
    name: str, settings: dict[str, Any] | None = None, launch: dict[str, Any] | None = None
) -> Callable[[str, Path], dict[str, Any]]:
    """A part that takes one step with an option, where what it needs is installed."""

    def part(device: str, folder: Path) -> dict[str, Any]:
        from limaflow.errors import InputError
        from limaflow.training.hardware import require_hardware

        if device == "cpu":
            raise Skipped("on a CPU it compiles for a minute, or does not run")
        try:
            require_hardware(*gpu_tiny.blocks(settings, launch))
        except InputError as error:
            raise Skipped(str(error)) from None
        return gradients([case(name, settings, launch)], device, folder, ranks=1)

    part.__doc__ = f"One step with {name}."
    return part


def case(
    name: str, settings: dict[str, Any] | None = None, launch: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A launch to be tried."""
    return {"name": name, "settings": settings or {}, "launch": launch or {}}


def resume(device: str, folder: Path) -> dict[str, Any]:
    """Killed with -9 behind a checkpoint and run again: the weights of an undisturbed run."""
    base, data = gpu_tiny.written(folder)
    ranks = processes(device)
    weights = []
    for name in ("undisturbed", "killed"):
        run = folder / name
        if name == "killed":

            def saved(run: Path = run) -> bool:
                return any(log.read_text().count("\n") > 2 for log in run.glob("runs/*/log.csv"))

            gpu_tiny.fine_tune(run, base, data, processes=ranks, device=device, kill_when=saved)
            assert not (run / "training.json").exists(), "it ended before it was killed"
        gpu_tiny.fine_tune(run, base, data, processes=ranks, device=device)
        weights.append(weights_of(gpu_tiny.exported(run)))
    undisturbed, resumed = weights
    if all(undisturbed[name].equal(value) for name, value in resumed.items()):
        return {"processes": ranks, "weights": len(resumed), "equal": "bit for bit"}
    # Kernels of a GPU may add in another order each time.
    difference = max(
        float((undisturbed[name] - value).norm() / undisturbed[name].norm())
        for name, value in resumed.items()
    )
    bound = RESUMED[device]
    assert difference <= bound, f"the weights differ by {difference:.1g} of their norm"
    return {"processes": ranks, "weights": len(resumed), "difference": difference}


def weights_of(manifest: Path) -> dict[str, Any]:
    """The tensors of an exported model."""
    from safetensors.torch import load_file

    from limaflow.manifests import read_manifest

    return load_file(Path(read_manifest(manifest)[1]) / "model.safetensors")


def answers(device: str, folder: Path) -> dict[str, Any]:
    """An export opened by transformers and vLLM: greedy answers equal to ours."""
    base, data = gpu_tiny.written(folder)
    gpu_tiny.fine_tune(folder / "run", base, data, processes=1, device=device)
    model = gpu_tiny.exported(folder / "run")
    ours = answered(model, data, folder / "ours.jsonl", device)
    theirs = plainly_answered(model, data)
    assert ours == theirs, f"transformers answers otherwise: {differing(ours, theirs)}"
    facts = {"answers": len(ours), "transformers": "equal"}
    if shutil.which("vllm") is None:
        return {**facts, "vllm": "skipped: no vllm on PATH (envs/vllm.yaml)"}
    served = answered(model, data, folder / "vllm.jsonl", device, engine="vllm")
    assert ours == served, f"vLLM answers otherwise: {differing(ours, served)}"
    return {**facts, "vllm": "equal"}


def differing(one: dict[str, str], other: dict[str, str]) -> list[tuple[str, str]]:
    """The answers that differ."""
    return [(one[key], other[key]) for key in one if one[key] != other.get(key)]


def answered(
    model: Path, data: Path, output: Path, device: str, engine: str = "transformers"
) -> dict[str, str]:
    """Greedy answers of `limaflow generate respond`, by prompt."""
    decoding = {"top_p": 1.0, "temperature": 0, "repetition_penalty": 1.0, "max_tokens": 24}
    gpu_tiny.run(
        [
            *("limaflow", "generate", "respond", "--model", str(model), "--name", "check"),
            *("--format", "chat", "--prompts", str(data / "dev.jsonl")),
            *("--decoding", json.dumps({**decoding, "samples": 1}), "--samples", "1"),
            *("--seed", "1", "--batch", "4", "--max-length-share", "1", "--engine", engine),
            *("--gpus", "1" if device == "cuda" else "0", "--output", str(output)),
        ],
        device,
    )
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    return {row["prompt_id"]: row["text"] for row in rows}


def plainly_answered(model: Path, data: Path) -> dict[str, str]:
    """The same by transformers alone, on the CPU."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from limaflow.manifests import read_manifest

    location = read_manifest(model)[1]
    opened: Any = AutoModelForCausalLM.from_pretrained(location)
    tokenizer: Any = AutoTokenizer.from_pretrained(location)
    found = {}
    for line in (data / "dev.jsonl").read_text().splitlines():
        row = json.loads(line)
        asked = tokenizer.apply_chat_template(
            [{k: row["messages"][0][k] for k in ("role", "content")}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        made = opened.generate(**asked, do_sample=False, max_new_tokens=24)
        new = made[0, asked["input_ids"].shape[1] :]
        found[row["id"]] = tokenizer.decode(new, skip_special_tokens=True).strip()
    return found


def table(shape: str) -> Callable[[str, Path], dict[str, Any]]:
    """A part that measures training of a shape beside TRL, with memory beside the plan."""

    def part(device: str, folder: Path) -> dict[str, Any]:
        if device == "cpu":
            raise Skipped("a GPU's shapes; make bench measures those of a CPU")
        import torch

        free = torch.cuda.mem_get_info()[1]
        sys.path.insert(0, str(ROOT / "benchmarks"))
        import training

        product = machine(device, folder)["matrix_product_tflops"]
        name = torch.cuda.get_device_name()
        peak = next((p for known, p in PEAK_TFLOPS.items() if known in name), None)
        checkpointing = shape == "7b"
        task = folder / "task.json"
        task.write_text(
            json.dumps(
                {
                    **training.invented(shape),
                    **{"precision": "bf16", "checkpointing": checkpointing, "epochs": 1},
                }
            )
        )
        rows = []
        for layout in LAYOUTS:
            planned = planned_bytes(shape, layout, checkpointing=checkpointing)
            row = {**layout, "planned_gib": planned / GIB}
            if layout["peer"] == "limaflow" and planned > SHARE * free:
                rows.append({**row, "skipped": f"planned, of {free / GIB:.0f} GiB"})
                continue
            try:
                found = training.measured(layout, task)
            except SystemExit as error:
                rows.append({**row, "failed": str(error)[-400:]})
                continue
            speed, size = found["tokens_per_second"], found["parameters"]
            rows.append(
                {
                    **row,
                    "tokens_per_second": round(speed),
                    "peak_gib": found["peak_mib"] / 1024,
                    "share_of_matrix_product": 6 * size * speed / 1e12 / product,
                    "mfu": peak and 6 * size * speed / 1e12 / peak,
                }
            )
            (folder.parent / f"{shape}-partial.json").write_text(json.dumps(rows))
        best = {
            peer: max(r.get("tokens_per_second", 0) for r in rows if r["peer"] == peer)
            for peer in ("limaflow", "trl")
        }
        assert best["limaflow"], f"nothing ran: {rows}"
        return {
            "layouts": rows,
            "matrix_product_tflops": product,
            "peak_tflops": peak,
            "over_trl_at_its_best": best["limaflow"] / best["trl"] if best["trl"] else None,
        }

    part.__doc__ = f"Training of {shape} in bf16 beside TRL at its best: speed and memory."
    return part


def planned_bytes(shape: str, layout: dict[str, Any], *, checkpointing: bool) -> float:
    """The planner's peak for one of our layouts, without what it assumes for CUDA."""
    import training
    from training_layout import DEFAULTS, settings_of

    from limaflow.tools.planning.architecture import of_config
    from limaflow.tools.planning.memory import CONTEXT, moments, peak
    from limaflow.tools.planning.plan import largest_possible

    if layout["peer"] != "limaflow":
        return 0.0
    task = {**DEFAULTS, "precision": "bf16", "checkpointing": checkpointing}
    settings, launch = settings_of(task, layout)
    launch = launch.model_copy(update={"nodes": 1, "processes_per_node": 1})
    size = training.SHAPES[shape]
    config = {
        **size,
        "vocab_size": training.VOCABULARY[shape],
        "num_attention_heads": size["hidden_size"] // 128,
        "max_position_embeddings": 2048,
    }
    model = of_config(config, shape)
    return (
        peak(moments(model, settings, launch, largest_possible(settings)(launch), gpu=True))
        - CONTEXT
    )


def generation(device: str, folder: Path) -> dict[str, Any]:
    """Responses beside a padded loop of transformers, in the shape of performance.md."""
    if device == "cpu":
        raise Skipped("make bench measures it on a CPU")
    program = (
        "import run, generation; print('%.2fx (%.2f to %.2f)' % run.ratio(*generation.contest(16)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT / "benchmarks",
        env=gpu_tiny.environment(device),
    )
    return {"tokens_per_second_over_transformers": done.stdout.strip().splitlines()[-1]}


PARTS: dict[str, Callable[[str, Path], dict[str, Any]]] = {
    "machine": machine,
    "gradient": gradient,
    "attention": attention,
    "zero": zero,
    "resume": resume,
    "answers": answers,
    "liger": smoke("Liger", {"precision": "bf16"}, {"liger": True, "zero_stage": 1}),
    "compile": smoke("torch.compile", {}, {"compile": True, "zero_stage": 0}),
    "offload": smoke("an offloaded optimizer", {}, {"offload": "optimizer"}),
    "offload-parameters": smoke(
        "offloaded weights", {}, {"offload": "parameters", "zero_stage": 3}
    ),
    "qlora": smoke("QLoRA", {"lora": {"rank": 4, "quantize": "4bit"}}, {"zero_stage": 0}),
    "generation": generation,
    "table-1b": table("1b"),
    "table-7b": table("7b"),
}
"""In the order in which they run: what is right before what is fast."""
