# SPDX-License-Identifier: Apache-2.0
"""XML of bounded nature, read element by element; names without their namespaces."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from pedchain_gateway.importing.rows import TableError


def elements(path: Path) -> Iterator[Element]:
    """Every element when it ends. Entities and document types are refused. Raises `TableError`."""
    try:
        for _, element in iterparse(path, events=("end",), forbid_dtd=True):
            yield element
    except (OSError, ParseError, DefusedXmlException, UnicodeError) as error:
        raise TableError(f"no XML that can be read: {error}") from error


def name(element: Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: Element, wanted: str) -> Iterator[Element]:
    """Its children of a name."""
    return (one for one in element if name(one) == wanted)


def text(element: Element | None, *path: str) -> str:
    """The text at a path of names below; empty if there is none."""
    for wanted in path:
        if element is None:
            return ""
        element = next(children(element, wanted), None)
    return "" if element is None or element.text is None else element.text.strip()
