"""The sites of the Stack Exchange network: their groups, their hosts and their archives' names."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

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
