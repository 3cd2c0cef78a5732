"""Names of a site's users, from the Users.xml of its dump: who wrote a post, for attribution.

Posts name their author by number alone, unless the account is gone.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from limaflow.sources.xml_rows import xml_rows

NUMBERED = re.compile(r"user (-?[0-9]{1,18})", re.ASCII).fullmatch


def numbered(user: str) -> str:
    """How an author is called of whom only the number is known."""
    return f"user {user}"


def store_names(xml: Path, named: Path, table: Path) -> None:
    """Write the names in Users.xml to the database `table`; errors name the file `named`.

    Raises:
        InputError: broken XML, or another table of the dump.
    """
    names = (
        (found[1], row.get("DisplayName"))
        for _, row in xml_rows(xml, named, "users")
        if (found := NUMBERED(numbered(row.get("Id", "")))) and row.get("DisplayName")
    )
    with closing(sqlite3.connect(table)) as database, database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("CREATE TABLE IF NOT EXISTS user (number INTEGER PRIMARY KEY, name TEXT)")
        database.executemany("INSERT OR IGNORE INTO user VALUES (?, ?)", names)


@contextmanager
def names_in(table: Path) -> Iterator[Callable[[str], str]]:
    """Gives the name of an author, or what it was given where `table` has none."""
    if not table.exists():
        yield str
        return
    with closing(sqlite3.connect(table)) as database:

        def name_of(author: str) -> str:
            found = NUMBERED(author)
            query = "SELECT name FROM user WHERE number = ?"
            row = database.execute(query, (int(found[1]),)).fetchone() if found else None
            return str(row[0]) if row else author

        yield name_of
