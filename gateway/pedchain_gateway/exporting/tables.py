# SPDX-License-Identifier: Apache-2.0
"""Documents as lines of NDJSON, or as rows of CSV with paths for columns (`electricity.shared_wh`).

A CSV's columns are those of its first document; lists stand as JSON in a cell, null as nothing.
What begins like a spreadsheet's formula is kept from being one.
"""

import csv
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Literal

Format = Literal["csv", "ndjson"]
Document = Mapping[str, Any]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def write(documents: AsyncIterator[Document], path: Path, form: Format) -> int:
    """Write them as they come; how many. The file is there only once it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    count = 0
    with part.open("w", encoding="utf-8", newline="") as file:
        writer, columns = csv.writer(file, lineterminator="\n"), list[str]()
        async for document in documents:
            count += 1
            if form == "ndjson":
                file.write(json.dumps(document, sort_keys=True, ensure_ascii=False) + "\n")
                continue
            row = flat(document)
            if not columns:
                columns = list(row)
                writer.writerow(columns)
            writer.writerow([cell(row.get(name)) for name in columns])
    part.replace(path)
    return count


def flat(document: Document, path: str = "") -> dict[str, Any]:
    """Its values by path.

    >>> flat({"a": {"b": 1}, "c": [2]})
    {'a.b': 1, 'c': [2]}
    """
    found: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{path}{name}.")
        else:
            found[f"{path}{name}"] = value
    return found


def cell(value: object) -> str:
    """A value as a cell."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
