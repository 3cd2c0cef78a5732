"""The licence of a Stack Exchange post.

Dumps name it in `ContentLicense` since 2020; before, it follows from the day on which the post was
written (https://stackoverflow.com/help/licensing).
"""


def of_post(named: str, created: str) -> str:
    """The licence that a post names, or else the one of its day; `created` is ISO 8601, or ""."""
    if named or not created:
        return named
    if created < "2011-04-08":
        return "CC BY-SA 2.5"
    return "CC BY-SA 3.0" if created < "2018-05-02" else "CC BY-SA 4.0"
