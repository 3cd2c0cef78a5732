"""The card of an exported model: what it was trained from, on what, by which recipe and code.

Names and checksums, never a path of this machine.
"""

import re
import shutil
import subprocess
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import yaml

from limaflow.jsonl import read_records
from limaflow.manifests import content_of, read_manifest, sha256_of
from limaflow.records import Example, ModelManifest
from limaflow.seeds import digest
from limaflow.training.job import Job
from limaflow.training.settings import BASE, LIMA

PAPER = "Zhou et al. 2023, *LIMA: Less Is More for Alignment*, arXiv 2305.11206"
_FORMATS = {
    LIMA: "Nothing names the roles, and there is no system turn.",
    BASE: "The template is that of the base model.",
}
"""`training.chat_template` → what there is to say of it."""
GIVEN = "The template was given by a file."
STAND_IN = "stand-in"
"""Label in the manifest of a base model that an experiment pretrained itself."""


def model_card(
    job: Job, *, epoch: int, identity: str, end: str, loses_template: bool = False
) -> str:
    """README.md of the model after `epoch`; the same job gives the same text.

    Args:
        end: the token that ends a response.
        loses_template: whether the base model has a chat template, which another replaces.
    """
    base, location = read_manifest(job.base)
    hub_name = None if Path(location).is_dir() else base.path
    licence = _licence(location, base.revision)
    front = {
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        **({"base_model": hub_name} if hub_name else {}),
        **({"license": licence} if licence else {}),
        "tags": ["sft", "limaflow"],
    }
    examples = list(read_records(job.data, Example))
    sources = Counter(example.source for example in examples)
    licences = sorted({e.provenance.licence for e in examples if e.provenance.licence})
    settings = yaml.safe_dump(job.settings.model_dump(mode="json"), sort_keys=False)
    parts = [
        f"# {job.arm}, epoch {epoch} of {job.settings.epochs}",
        _warning(base),
        f"A causal language model fine-tuned on conversations as in {PAPER}.",
        "| | |\n|---|---|\n"
        f"| base model | {_named(base, hub_name, digest(content_of(job.base)))} |\n"
        f"| licence of the base model | {licence or 'not stated beside its weights'} |\n"
        f"| training data | {len(examples):,} conversations, SHA-256 {sha256_of(job.data)} |\n"
        f"| sources | {', '.join(f'{name} {n:,}' for name, n in sorted(sources.items()))} |\n"
        f"| licences of the data | {', '.join(licences) or 'not stated'} |\n"
        f"| code | limaflow {version('limaflow')}, revision {_revision()} |\n"
        f"| run | {identity}, seed {job.seed} |",
        f"A response ends in `{end}`; the tokenizer's chat template writes it, and generation "
        f"stops at it. {_FORMATS.get(job.settings.chat_template, GIVEN)}",
        "The base model has a chat template of its own, which this model was not trained in and "
        "does not have."
        if loses_template
        else "",
        f"## Training\n\n```yaml\n{settings}```",
    ]
    text = "\n\n".join(part for part in parts if part)
    return f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n\n{text}\n"


def _warning(base: ModelManifest) -> str:
    if base.notes.get("label") != STAND_IN:
        return ""
    return (
        "**A miniature.** The base model is a small stand-in that was pretrained in the same run; "
        "this model shows that the workflow runs and says nothing about real models."
    )


def _named(base: ModelManifest, hub_name: str | None, checksum: str) -> str:
    if hub_name:
        return f"[{hub_name}](https://huggingface.co/{hub_name}), {base.revision or 'newest'}"
    kind = "stand-in" if base.notes.get("label") == STAND_IN else "local folder"
    return f"{kind}, checksum of its files {checksum}"


def _licence(location: str, revision: str | None) -> str | None:
    """The licence in the front matter of the base model's own card, where it lies here already."""
    from transformers.utils.hub import cached_file

    card = cached_file(
        location,
        "README.md",
        revision=revision,
        local_files_only=True,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
        _raise_exceptions_for_gated_repo=False,
    )
    if card is None:
        return None
    text = Path(card).read_text(encoding="utf-8", errors="replace")
    found = re.match(r"---\n(?:.*\n)*?license: *([\w.-]+) *\n(?:.*\n)*?---", text)
    return found[1] if found else None


def _revision() -> str:
    """The commit of the checkout that this code lies in."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    command = [git, "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
