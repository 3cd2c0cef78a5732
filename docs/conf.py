"""Sphinx's settings; `make docs` builds the site."""

import re
from typing import Any

project = "limaflow"
author = "the maintainers of limaflow"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["_build", "captions"]
html_theme = "alabaster"
html_theme_options = {
    "description": "LIMA: Less Is More for Alignment, end to end",
    "fixed_sidebar": True,
    "page_width": "1100px",
}
html_show_sourcelink = False
myst_heading_anchors = 4
# `dollarmath` is off: dollars are prices here.
myst_enable_extensions = ["deflist"]
# Code that is shown with ellipses or in words of its own is no fault.
suppress_warnings = ["misc.highlighting_failure"]
OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./([^)]*\.md)\)")


def name_pages_outside(app: Any, page: str, text: list[str]) -> None:
    """Markdown of the checkout that is no page of the site is named, not linked."""
    text[0] = OUTSIDE.sub(r"\1 (`\2`)", text[0])


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", name_pages_outside)
