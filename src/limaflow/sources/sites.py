"""The sites of the Stack Exchange network: their groups, their hosts and their archives' names."""

from functools import cache
from importlib.resources import files
from typing import Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from limaflow.settings import Name, Settings

OWN_DOMAINS = {
    "stackoverflow": "stackoverflow.com",
    "serverfault": "serverfault.com",
    "superuser": "superuser.com",
    "askubuntu": "askubuntu.com",
    "stackapps": "stackapps.com",
    "mathoverflow": "mathoverflow.net",
}


@cache
def groups() -> dict[str, tuple[str, ...]]:
    """Names of the sites by group: stem, other, dropped; see sites.yaml for their origin."""
    table: dict[str, list[Any]] = yaml.safe_load(
        (files("limaflow.sources") / "sites.yaml").read_text(encoding="utf-8")
    )
    return {group: tuple(map(str, names)) for group, names in table.items()}


def site_of(name: str) -> str:
    """Host of the site behind a shard such as `beer`, `beer-meta` or `pt-stackoverflow`."""
    plain = name.removesuffix("-meta")
    meta = "meta." if plain != name else ""
    language, _, rest = plain.partition("-")
    if rest in OWN_DOMAINS:
        return f"{language}.{meta}{OWN_DOMAINS[rest]}"
    if plain in OWN_DOMAINS:
        return f"{meta}{OWN_DOMAINS[plain]}"
    return f"{plain}.{meta}stackexchange.com"


def archive_of(name: str) -> str:
    """File that holds the site's Posts.xml: the largest site has an archive for each table."""
    return f"{site_of(name)}{'-Posts' if name == 'stackoverflow' else ''}.7z"


class SiteTable(Settings):
    """A group of Stack Exchange sites, one shard each; `{file}` stands for a site's archive."""

    group: Literal["stem", "other"]
    path: str | None = None
    url: str | None = None
    mirrors: list[str] = Field(default_factory=list)
    sha256: dict[Name, str] = Field(default_factory=dict)

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
