"""`sources` of the configuration: raw files, and how they are read."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, Union
from urllib.parse import unquote, urlsplit

from pydantic import Field, create_model, model_validator

from limaflow.seeds import digest
from limaflow.settings import Name, Settings
from limaflow.sources.kinds import READERS
from limaflow.sources.shard import ReadingOptions


class RawFile(Settings):
    """A raw file, given by path or fetched from a URL or its mirrors into resources/."""

    path: str | None = None
    url: str | None = None
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    mirrors: list[str] = []
    token_env: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise ValueError("give either path or url")
        if self.path is not None and (self.mirrors or self.token_env or self.sha256):
            raise ValueError("sha256, mirrors and token_env belong to a url (file:// serves too)")
        return self


class Source(ReadingOptions):
    """One source of text: raw files of one kind, read shard by shard."""

    name: Name
    kind: str
    shards: dict[Name, list[RawFile]] = {}
    filters: str | None = None
    """Block of `curation.filters` that this source goes through; None is that of its kind."""

    @property
    def filter_block(self) -> str:
        return self.filters or self.kind

    def reading_options(self) -> str:
        """The options that the reader uses and that are set, as JSON for the command line.

        Without the licence, which rows that name none get when they are frozen: it changes no text.
        """
        read = set(READERS[self.kind].options.model_fields) - {"licence"}
        options = self.model_dump(mode="json", include=read, exclude_defaults=True)
        return json.dumps(options, ensure_ascii=False, sort_keys=True)

    @model_validator(mode="after")
    def _shards_listed(self) -> Self:
        key = self.instead_of_shards
        table = getattr(self, key) if key else None
        if table is None:
            if not self.shards:
                raise ValueError(f"give shards, or {key}" if key else "give shards")
            return self
        if self.shards:
            raise ValueError(f"{key} takes the place of shards")
        listed = {
            name: [RawFile.model_validate(file) for file in files]
            for name, files in table.shards().items()
        }
        return self.model_copy(update={"shards": listed, key: None})


def _block_of(kind: str) -> type[Source]:
    """The block of a source of this kind: what all sources have, and the kind's own options."""
    name = f"{kind.title().replace('-', '')}Source"
    tag: Any = Literal[kind]
    return create_model(name, __base__=(Source, READERS[kind].options), kind=(tag, ...))


SOURCE_BLOCKS = {kind: _block_of(kind) for kind in READERS}

if TYPE_CHECKING:
    AnySource = Source
else:
    AnySource = Annotated[Union[tuple(SOURCE_BLOCKS.values())], Field(discriminator="kind")]  # noqa: UP007


def raw_path(file: RawFile, source: str, data_root: str) -> str:
    """Where a raw file lies: resources/ for a URL, else its path under `data_root`.

    A folder named by the hash of the URL keeps two files of one name apart.
    """
    if file.url is not None:
        name = unquote(urlsplit(file.url).path).rsplit("/", 1)[-1]
        safe = re.sub(r"[^A-Za-z0-9._-]", "-", name).lstrip("-") or "file"
        return f"resources/{source}/{digest(file.url, length=8)}/{safe}"
    assert file.path is not None
    return under_root(file.path, data_root)


def under_root(path: str, data_root: str) -> str:
    """A user's path: as it is if absolute or in results/, else under `data_root`."""
    if path.startswith("results/") or Path(path).is_absolute() or data_root in ("", "."):
        return path
    return str(Path(data_root) / path)
