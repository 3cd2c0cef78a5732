"""The average of two models is that of their weights, and opens like any model."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_model import written_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from limaflow.errors import InputError
from limaflow.manifests import adopt, checksums, read_manifest
from limaflow.training.average import average


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_model(tmp_path_factory.mktemp("base"), texts=["some words"], context=64)


@pytest.fixture(scope="module")
def tuned(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base with all weights moved, and a row more, as an end of turn adds one."""
    folder = tmp_path_factory.mktemp("tuned")
    model = AutoModelForCausalLM.from_pretrained(base.parent / "model")
    model.resize_token_embeddings(model.config.vocab_size + 1)
    torch.manual_seed(7)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    model.save_pretrained(folder / "model", max_shard_size="40KB")
    AutoTokenizer.from_pretrained(base.parent / "model").save_pretrained(folder / "model")
    adopt("lima", str(folder / "model"), None, folder / "chosen.json")
    return folder / "chosen.json"


def weights_of(manifest: Path) -> dict[str, torch.Tensor]:
    folder = Path(read_manifest(manifest)[1])
    return {k: v for file in folder.glob("*.safetensors") for k, v in load_file(file).items()}


def averaged(base: Path, tuned: Path, share: float, folder: Path) -> Path:
    average(base, tuned, share, folder / "chosen.json", name="half")
    return folder / "chosen.json"


def test_each_weight_lies_between_the_two(base: Path, tuned: Path, tmp_path: Path) -> None:
    found = weights_of(averaged(base, tuned, 0.25, tmp_path))
    before, after = weights_of(base), weights_of(tuned)
    assert found.keys() == after.keys()
    for name, weight in found.items():
        rows = len(before[name])
        expected = 0.75 * before[name] + 0.25 * after[name][:rows]
        torch.testing.assert_close(weight[:rows], expected)
        assert torch.equal(weight[rows:], after[name][rows:])


def test_its_ends_are_the_two_models(base: Path, tuned: Path, tmp_path: Path) -> None:
    whole = weights_of(averaged(base, tuned, 1, tmp_path / "one"))
    assert all(torch.equal(w, weights_of(tuned)[name]) for name, w in whole.items())
    none = weights_of(averaged(base, tuned, 0, tmp_path / "none"))
    assert all(torch.equal(none[n][: len(w)], w) for n, w in weights_of(base).items())


def test_it_opens_and_its_manifest_tells_what_it_is(
    base: Path, tuned: Path, tmp_path: Path
) -> None:
    path = averaged(base, tuned, 0.5, tmp_path)
    manifest, folder = read_manifest(path)
    assert manifest.notes == {"average_of": ["base", "lima"], "share_of_tuned": 0.5}
    assert manifest.sha256 == checksums(Path(folder))
    model = AutoModelForCausalLM.from_pretrained(folder)
    ids = AutoTokenizer.from_pretrained(folder)("some words", return_tensors="pt").input_ids
    assert torch.isfinite(model(ids).logits).all()


def test_made_again_it_is_the_same(base: Path, tuned: Path, tmp_path: Path) -> None:
    first = read_manifest(averaged(base, tuned, 0.5, tmp_path))[0]
    (tmp_path / ".model").mkdir()
    (tmp_path / ".model" / "of-a-killed-run").write_text("x")
    assert read_manifest(averaged(base, tuned, 0.5, tmp_path))[0] == first


def test_killed_while_it_writes_it_is_made_anew_with_the_same_bytes(
    base: Path, tuned: Path, tmp_path: Path
) -> None:
    big = {}
    for name, manifest in (("base", base), ("tuned", tuned)):
        folder = tmp_path / name
        shutil.copytree(read_manifest(manifest)[1], folder)
        for file in folder.glob("*.safetensors*"):
            file.unlink()
        weights = {f"w{n:02d}": torch.full((1024, 512), float(n + len(name))) for n in range(48)}
        for key, weight in weights.items():
            save_file({key: weight}, folder / f"{key}.safetensors", metadata={"format": "pt"})
        index = {"weight_map": {key: f"{key}.safetensors" for key in weights}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        adopt(name, str(folder), None, tmp_path / f"{name}.json")
        big[name] = tmp_path / f"{name}.json"

    def command(output: Path) -> list[str]:
        words = ["--arm", "half", "--base", big["base"], "--tuned", big["tuned"], "--alpha", 0.3]
        program = [
            sys.executable,
            "-c",
            "from limaflow.cli import main; main()",
            "train",
            "average",
        ]
        return [*program, *map(str, words), "--output", str(output)]

    whole, broken = tmp_path / "whole" / "chosen.json", tmp_path / "broken" / "chosen.json"
    subprocess.run(command(whole), check=True, capture_output=True)
    killed = subprocess.Popen(command(broken), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list((broken.parent / ".model").glob("w*.safetensors")):
        assert killed.poll() is None
        time.sleep(0.001)
    killed.kill()
    killed.wait()
    assert not broken.exists() and not (broken.parent / "model").exists()
    subprocess.run(command(broken), check=True, capture_output=True)
    assert broken.read_bytes() == whole.read_bytes()
    for file in (whole.parent / "model").iterdir():
        assert file.read_bytes() == (broken.parent / "model" / file.name).read_bytes()
    assert not (broken.parent / ".model").exists()


def test_low_precision_is_averaged_in_fp32(base: Path, tuned: Path, tmp_path: Path) -> None:
    for manifest, name in ((base, "base"), (tuned, "tuned")):
        folder = tmp_path / name
        shutil.copytree(read_manifest(manifest)[1], folder)
        for file in folder.glob("*.safetensors"):
            save_file({k: v.bfloat16() for k, v in load_file(file).items()}, file)
        adopt(name, str(folder), None, tmp_path / f"{name}.json")
    found = weights_of(averaged(tmp_path / "base.json", tmp_path / "tuned.json", 0.3, tmp_path))
    before, after = weights_of(tmp_path / "base.json"), weights_of(tmp_path / "tuned.json")
    name = "model.norm.weight"
    exact = 0.7 * before[name].float() + 0.3 * after[name].float()
    assert found[name].dtype == torch.bfloat16
    assert torch.equal(found[name], exact.bfloat16())


def test_models_of_other_shapes_are_refused(base: Path, tuned: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(read_manifest(base)[1], other)
    weights = load_file(other / "model.safetensors")
    missing = weights.pop("model.norm.weight")
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    adopt("other", str(other), None, tmp_path / "other.json")
    with pytest.raises(InputError, match=r"1 weights that .* lacks: model\.norm\.weight"):
        averaged(tmp_path / "other.json", tuned, 0.5, tmp_path / "a")
    weights["model.norm.weight"] = torch.cat([missing, missing])
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match="has the shape"):
        averaged(tmp_path / "other.json", tuned, 0.5, tmp_path / "b")
    assert not (tmp_path / "b" / "chosen.json").exists()
