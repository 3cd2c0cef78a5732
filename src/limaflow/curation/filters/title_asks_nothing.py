"""A title that becomes a prompt needs the form of a question or a request.

The paper has no such rule; it follows from titles in the place of prompts. Topics such as "Beer
glass cleaning" leave here.
"""

import re

from limaflow.curation.filters.rule import Reading, Rule, Threshold

OPENERS = frozenset(
    """
    what which who whom whose when where why how is are do does did can could should
    would will shall may might must isn aren don doesn didn won couldn shouldn wouldn
    difference differences explain describe ways compare list name prove derive recommend suggest
    """.split()  # noqa: SIM905 - a list of words reads better without forty quotes
)
OPENING_WORDS = 3


def title_asks_nothing(reading: Reading, _: bool) -> str | None:
    """Object to a title without a question mark that opens with no word of a question."""
    title = reading.candidate.title
    # "What's" and "isn't" open as "what" and "isn".
    words = re.findall(r"\w+(?:['’]\w+)?", title.lower())[:OPENING_WORDS]
    opens = any(re.split("['’]", word)[0] in OPENERS for word in words)
    return None if opens or title.rstrip().endswith("?") else title


RULE = Rule(
    check=title_asks_nothing,
    threshold=Threshold(
        key="require_question_title",
        type=bool,
        off=False,
        meaning="whether the title must have the form of a question or a request",
    ),
    reads="title",
)
