"""The rows of one table of a Stack Exchange dump, read by one parser that reports what is wrong."""

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from limaflow.errors import InputError


def xml_rows(xml: Path, named: Path, table: str) -> Iterator[tuple[int, etree._Element]]:
    """Line and element of each `row` below the root `<table>`, with nothing of the tree kept.

    Raises:
        InputError: broken or hostile XML, or another root; names the file `named`.
    """
    try:
        with xml.open("rb") as file:
            # Entities stay unresolved, nothing is loaded, and libxml2's size limits stand.
            events = etree.iterparse(
                file, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
            )
            for number, (_, element) in enumerate(events):
                if not number:
                    _check_document(element.getroottree(), named, table)
                if element.tag == "row":
                    yield element.sourceline or 0, element
                element.clear()
                parent = element.getparent()
                while parent is not None and (before := element.getprevious()) is not None:
                    parent.remove(before)
    except etree.XMLSyntaxError as error:
        raise InputError(f"not sound XML: {error.msg}", path=named, line=error.lineno) from None
    except OSError as error:
        raise InputError(error.strerror or "cannot be read", path=named) from None


def _check_document(tree: etree._ElementTree, named: Path, table: str) -> None:
    """A DTD stands before the first element or nowhere, so that both are known by its end."""
    if tree.docinfo.internalDTD is not None:
        raise InputError("declares a DTD, which no dump does", path=named)
    root = etree.QName(tree.getroot()).localname
    if root != table:
        raise InputError(
            f"its root is <{root}>, not <{table}>",
            path=named,
            fix="a page of a web server in place of the dump? fetch it again"
            if root.lower() == "html"
            else f"give the dump's {table.title()}.xml",
        )
