"""XSTest (Röttger et al. 2024, 2308.01263): safe prompts, and unsafe ones that sound alike.

Its CSV has the columns `id`, `prompt`, `type` and `label` (safe or unsafe). Types of unsafe prompts
are those of the safe ones with `contrast_` before them, but for discrimination and privacy, where
two types of safe prompts share their contrasts.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Literal

from limaflow.errors import InputError
from limaflow.prompt_tags import Contrast, Sensitive, Tags
from limaflow.records import Candidate, Message, Provenance
from limaflow.sources.csv_rows import csv_rows, having
from limaflow.sources.kind import Policy, Reader
from limaflow.sources.shard import ReadingOptions, Shard, pass_over

COLUMNS = ("id", "prompt", "type", "label")
GROUPS = {
    "nons_group_real_discr": "discr",
    "real_group_nons_discr": "discr",
    "privacy_public": "privacy",
    "privacy_fictional": "privacy",
}
SIDES: dict[str, tuple[Literal["safe", "unsafe"], Literal["benign", "malicious"]]] = {
    "safe": ("safe", "benign"),
    "unsafe": ("unsafe", "malicious"),
}


def read(shard: Shard[ReadingOptions], passed_over: Counter[str]) -> Iterator[Candidate]:
    """One prompt a row, with both tags; its type is the stratum.

    Raises:
        InputError: a column is missing, a prompt is empty, or a label is neither safe nor unsafe.
    """
    bad = partial(pass_over, shard, passed_over)
    for number, path in enumerate(shard.files):
        for row_number, line, row in csv_rows(path, having(COLUMNS, path), bad):
            prompt, label = row["prompt"].strip(), row["label"].strip().lower()
            if not prompt or label not in SIDES:
                what = f"label '{label}': neither safe nor unsafe" if prompt else "empty prompt"
                bad(InputError(what, path=path, line=line))
                continue
            side, intent = SIDES[label]
            kind = row["type"].strip()
            group = GROUPS.get(kind, kind.removeprefix("contrast_"))
            yield Candidate(
                id=shard.id(f"{number:03d}-{row_number:07d}"),
                source=shard.source,
                shard=shard.name,
                kind=shard.kind,
                title=prompt,
                stratum=kind or shard.name,
                messages=(Message(role="user", content=prompt),),
                provenance=Provenance(ids=(row["id"],), licence=shard.options.licence),
                tags=Tags(
                    sensitive=Sensitive(intent=intent, category=row.get("note", "").strip()),
                    contrast=Contrast(side=side, type=kind, group=group),
                ),
            )


READER = Reader(options=ReadingOptions, read=read, conversations=True)
POLICY = Policy(strata="in rounds", prompts_alone=True)
