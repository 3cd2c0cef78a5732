"""`sources` of the configuration: raw files, and how they are read."""

from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from limaflow.settings import Name, Settings
from limaflow.sources.sites import archive_of, groups

UNFILTERED = ("messages", "released")
"""Kinds of sources whose rows are conversations already, which no rule of the filter reads."""


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


class SiteTable(Settings):
    """A group of Stack Exchange sites, one shard each; `{file}` stands for a site's archive."""

    group: Literal["stem", "other"]
    path: str | None = None
    url: str | None = None
    mirrors: list[str] = []
    sha256: dict[Name, str] = {}

    @model_validator(mode="after")
    def _patterns_and_known_sites(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise ValueError("give either path or url")
        if self.path is not None and (self.mirrors or self.sha256):
            raise ValueError("sha256 and mirrors belong to a url (file:// serves too)")
        for pattern in (self.path, self.url, *self.mirrors):
            if pattern is not None and "{file}" not in pattern:
                raise ValueError(f"{pattern} lacks {{file}}, which stands for a site's archive")
        names = groups()[self.group]
        if unknown := [name for name in self.sha256 if name not in names]:
            raise ValueError(f"sha256: no site of {self.group} is named '{unknown[0]}'")
        return self

    def shards(self) -> dict[str, list[dict[str, Any]]]:
        """The raw file of each site, as `shards` would list it."""
        return {
            name: [
                {
                    "path": self.path and self.path.replace("{file}", archive_of(name)),
                    "url": self.url and self.url.replace("{file}", archive_of(name)),
                    "mirrors": [m.replace("{file}", archive_of(name)) for m in self.mirrors],
                    "sha256": self.sha256.get(name),
                }
            ]
            for name in groups()[self.group]
        }


class Source(Settings):
    """One source of text: raw files of one kind, read shard by shard."""

    name: Name
    kind: Literal[
        "stackexchange",
        "wikihow",
        "reddit",
        "natural-instructions",
        "authored",
        "messages",
        "released",
    ]
    shards: dict[Name, list[RawFile]] = {}
    site_table: SiteTable | None = None
    licence: str = ""
    subreddit: str | None = None
    prompt_field: str = "prompt"
    response_field: str = "response"
    max_bad_rows: int = Field(default=0, ge=0)
    """Rows of each shard that may be passed over since they cannot be read; they are counted."""
    filters: str | None = None
    """Block of `curation.filters` that this source goes through; None is that of its kind."""

    @property
    def filter_block(self) -> str:
        return self.filters or self.kind

    @model_validator(mode="after")
    def _shards_listed(self) -> Self:
        if self.site_table is None:
            if not self.shards:
                raise ValueError("give shards, or site_table for a group of Stack Exchange sites")
            return self
        if self.shards or self.kind != "stackexchange":
            raise ValueError("site_table is for kind stackexchange, and takes the place of shards")
        listed = {
            name: [RawFile.model_validate(file) for file in files]
            for name, files in self.site_table.shards().items()
        }
        return self.model_copy(update={"shards": listed, "site_table": None})

    @model_validator(mode="after")
    def _subreddit_named(self) -> Self:
        if (self.kind == "reddit") != (self.subreddit is not None):
            raise ValueError("subreddit belongs to sources of kind reddit, and is needed there")
        return self


def raw_path(file: RawFile, source: str, data_root: str) -> str:
    """Where a raw file lies: resources/ for a URL, else its path under `data_root`."""
    if file.url is not None:
        return f"resources/{source}/{urlsplit(file.url).path.rsplit('/', 1)[-1]}"
    assert file.path is not None
    return under_root(file.path, data_root)


def under_root(path: str, data_root: str) -> str:
    """A user's path: as it is if absolute or in results/, else under `data_root`."""
    if path.startswith("results/") or Path(path).is_absolute() or data_root in ("", "."):
        return path
    return str(Path(data_root) / path)
