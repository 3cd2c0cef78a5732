"""A finished study into its bundle."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from limaflow.bundling.archive import write_archive
from limaflow.bundling.contents import contents_of
from limaflow.bundling.crate import METADATA, WORKFLOW, Study, metadata_of
from limaflow.bundling.not_here import NOT_HERE, NotHere
from limaflow.bundling.secret_values import refuse_secrets
from limaflow.bundling.sums import SUMS, rendered_sums
from limaflow.bundling.withholding import withheld_by
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.manifests import sha256_of
from limaflow.recording.surroundings import CHECKOUT, package_versions

LOCK = "envs/requirements.lock"


@dataclass(frozen=True)
class Packed:
    """What became of a study."""

    files: int
    by_hash: int
    changed: dict[str, int]
    """Member → rows whose texts are withheld."""
    sums: str
    """SHA-256 of the list of sums, which stands for the whole bundle."""


def pack(results: Path, output: Path, *, with_texts: bool = False) -> Packed:
    """Write the bundle of the study in the folder `results/NAME`.

    Raises:
        InputError: the study is not finished, or a file holds a secret.
    """
    work = results.parent.parent
    config = parse(merged([results / "config.json"]), origin=str(results / "config.json"))
    contents = contents_of(work, results, withheld_by(config, with_texts=with_texts))
    members = dict(contents.members)
    members[WORKFLOW] = CHECKOUT / WORKFLOW
    members[LOCK] = CHECKOUT / LOCK
    told = NotHere(by_hash=contents.by_hash, texts_withheld=contents.changed)
    members[NOT_HERE] = told.rendered()
    refuse_secrets(members)
    hashes = {name: _sha256(content) for name, content in members.items()}
    sizes = {
        name: len(content) if isinstance(content, bytes) else content.stat().st_size
        for name, content in members.items()
    }
    study = Study(
        name=config.experiment,
        title=config.title,
        results=results.relative_to(work).as_posix(),
        version=package_versions()["limaflow"],
    )
    metadata = metadata_of(study, hashes, sizes, contents.by_hash, contents.records)
    members[METADATA] = metadata
    hashes[METADATA] = _sha256(metadata)
    sums = rendered_sums(hashes).encode()
    members[SUMS] = sums
    write_archive(output, members)
    rows = {name: sum(known.rows.values()) for name, known in contents.changed.items()}
    return Packed(len(members), len(contents.by_hash), rows, _sha256(sums))


def _sha256(content: Path | bytes) -> str:
    return sha256_of(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()
