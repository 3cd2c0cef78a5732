"""`ro-crate-metadata.json`: the files of a bundle and the jobs that made them, as JSON-LD.

It follows the Provenance Run Crate profile 0.5 (https://w3id.org/ro/wfrun/provenance/0.5): the
workflow is the Snakefile, each command of limaflow a tool and a step, each job on record an action.
"""

import json
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from limaflow.bundling.not_here import ByHash
from limaflow.bundling.reading_chain import described

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

METADATA = "ro-crate-metadata.json"
WORKFLOW = "Snakefile"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
CONTEXT = "https://w3id.org/ro/terms/workflow-run/context"
MEDIA = {
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".csv": "text/csv",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".md": "text/markdown",
}
RIGHTS = (
    "Code: Apache-2.0. Texts belong to their authors, under the licences that the rows of the data "
    "sets name; models and benchmark items to their makers. Texts that may not be handed on are "
    "here by hash."
)


@dataclass(frozen=True, kw_only=True)
class Study:
    """What the metadata say of the study as a whole."""

    name: str
    title: str
    results: str
    """Its folder in the bundle."""
    version: str
    """Of limaflow."""


def metadata_of(
    study: Study,
    hashes: Mapping[str, str],
    sizes: Mapping[str, int],
    by_hash: Mapping[str, ByHash],
    records: Mapping[str, bytes],
) -> bytes:
    """The metadata file.

    Args:
        hashes: SHA-256 of every member but this file and the list of sums; `sizes` likewise.
        by_hash: files that are no members.
        records: records of jobs.
    """
    from rocrate.rocrate import ROCrate

    jobs = _jobs_of(records)
    ended = max((job["endTime"] for job in jobs.values()), default="1980-01-01T00:00:00+00:00")
    # The profiles' version 0.5 builds on this version of RO-Crate.
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(CONTEXT)
    crate.name = f"limaflow: {study.title}"
    crate.description = (
        f"The study {study.name}: configuration, prompts, responses, verdicts, grades, benchmark "
        "items, and the numbers that follow from them. `limaflow verify` makes them again."
    )
    crate.datePublished = datetime.fromisoformat(ended)
    crate.license = _entity(crate, "#rights", "CreativeWork", name="Rights", description=RIGHTS)
    crate.root_dataset["conformsTo"] = [
        _entity(crate, address, "CreativeWork", name=name, version=address.rsplit("/", 1)[1])
        for address, name in PROFILES.items()
    ]
    files = {
        name: _file(crate, name, sha256, sizes[name])
        for name, sha256 in sorted(hashes.items())
        if name != WORKFLOW
    }
    for name, known in sorted(by_hash.items()):
        address = f"#by-hash/{name.replace(' ', '%20')}"
        files[name] = _entity(crate, address, "CreativeWork", name=name, sha256=known.sha256)
        files[name]["description"] = f"Not in this bundle: {known.because}."
    _workflow(crate, study, jobs, files, sha256=hashes[WORKFLOW], size=sizes[WORKFLOW])
    text = json.dumps(
        _sorted_graph(crate.metadata.generate()), ensure_ascii=False, indent=1, sort_keys=True
    )
    return f"{text}\n".encode()


def _jobs_of(records: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """Every job on record: command, times, what it read and made."""
    jobs: dict[str, dict[str, Any]] = {}
    made: dict[str, set[str]] = defaultdict(set)
    read: dict[str, set[str]] = defaultdict(set)
    for place, text in sorted(records.items()):
        record = json.loads(text)
        key, folder = record["job"], posixpath.dirname(posixpath.dirname(place))
        made[key].add(described(place))
        read[key] |= {posixpath.normpath(posixpath.join(folder, name)) for name in record["inputs"]}
        words = [word for word in record["command"][:2] if not word.startswith("-")]
        started = datetime.fromisoformat(record["started"])
        jobs[key] = {
            "command": " ".join(words),
            "line": " ".join(["limaflow", *record["command"]]),
            "startTime": started.isoformat(),
            "endTime": (started + timedelta(seconds=record["seconds"])).isoformat(),
        }
    for key, job in jobs.items():
        job["made"], job["read"] = sorted(made[key]), sorted(read[key] - made[key])
    return dict(sorted(jobs.items(), key=lambda item: (item[1]["startTime"], item[0])))


def _workflow(
    crate: "ROCrate",
    study: Study,
    jobs: Mapping[str, Mapping[str, Any]],
    files: Mapping[str, Any],
    *,
    sha256: str,
    size: int,
) -> None:
    language = _entity(
        crate,
        "https://w3id.org/workflowhub/workflow-ro-crate#snakemake",
        "ComputerLanguage",
        name="Snakemake",
        identifier={"@id": "https://doi.org/10.1093/bioinformatics/bts480"},
        url={"@id": "https://snakemake.github.io"},
    )
    kinds = ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
    workflow = _file(crate, WORKFLOW, sha256, size, {"@type": kinds})
    workflow["name"] = "limaflow"
    workflow["version"] = study.version
    workflow["programmingLanguage"] = language
    crate.mainEntity = workflow
    commands = sorted({job["command"] for job in jobs.values()})
    tools, steps = {}, {}
    for number, command in enumerate(commands, start=1):
        short = command.replace(" ", "-")
        tools[command] = _entity(
            crate, f"#tool-{short}", "SoftwareApplication", name=f"limaflow {command}"
        )
        steps[command] = _entity(
            crate, f"#step-{short}", "HowToStep", name=command, position=str(number)
        )
        steps[command]["workExample"] = tools[command]
    workflow["hasPart"] = list(tools.values())
    workflow["step"] = list(steps.values())
    actions, controls = [], []
    for key, job in jobs.items():
        action = _entity(
            crate,
            f"#job-{key}",
            "CreateAction",
            name=f"limaflow {job['command']}",
            description=job["line"],
            startTime=job["startTime"],
            endTime=job["endTime"],
            actionStatus="http://schema.org/CompletedActionStatus",
        )
        action["instrument"] = tools[job["command"]]
        action["object"] = [files[name] for name in job["read"] if name in files]
        action["result"] = [files[name] for name in job["made"] if name in files]
        control = _entity(crate, f"#control-{key}", "ControlAction", name=f"job {key}")
        control["instrument"], control["object"] = steps[job["command"]], action
        actions.append(action)
        controls.append(control)
    run = _entity(crate, "#run", "CreateAction", name=f"The run of {study.name}")
    run["startTime"] = min((job["startTime"] for job in jobs.values()), default="")
    run["endTime"] = max((job["endTime"] for job in jobs.values()), default="")
    run["instrument"] = workflow
    run["object"] = _present(files, [f"{study.results}/config.json"])
    run["result"] = _present(files, sorted({name for job in jobs.values() for name in job["made"]}))
    engine = _entity(crate, "#snakemake", "SoftwareApplication", name="Snakemake")
    engine["url"] = {"@id": "https://snakemake.github.io"}
    organized = _entity(crate, "#organized", "OrganizeAction", name="Snakemake ran the jobs")
    organized["instrument"], organized["result"] = engine, run
    organized["object"] = controls
    crate.root_dataset["mentions"] = [run, *actions]


def _present(files: Mapping[str, Any], names: Iterable[str]) -> list[Any]:
    return [files[name] for name in names if name in files]


def _file(
    crate: "ROCrate", name: str, sha256: str, size: int, further: Mapping[str, Any] | None = None
) -> Any:
    from rocrate.model.file import File

    media = MEDIA.get(posixpath.splitext(name)[1], "text/plain")
    properties = {
        "name": name,
        "sha256": sha256,
        "contentSize": str(size),
        "encodingFormat": media,
        **(further or {}),
    }
    return crate.add(File(crate, dest_path=name, properties=properties))


def _entity(crate: "ROCrate", address: str, kind: str, /, **properties: Any) -> Any:
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, address, properties={"@type": kind, **properties}))


def _sorted_graph(metadata: dict[str, Any]) -> dict[str, Any]:
    """The entities in an order that does not change, lists of one value as the value."""
    entities = [
        {
            key: value[0] if isinstance(value, list) and len(value) == 1 else value
            for key, value in e
        }
        for e in (entity.items() for entity in metadata["@graph"])
    ]
    entities.sort(key=lambda entity: (entity["@id"] != METADATA, entity["@id"]))
    return {**metadata, "@graph": entities}
