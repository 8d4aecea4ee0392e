# SPDX-License-Identifier: Apache-2.0
"""A member's month: what it drew and fed in, who with, at what price, and why (rules S, K).

    statement/1 {schema, member, month, run, rules, proof, lines: [{kind, wh, amount}], total}

A positive amount is the member's due, a negative one its debt, µcur. `rules` names the versions of
the rules that made the numbers, `proof` the digests under which they stand on the ledger.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from pedchain_domain.reasons import DomainError, Reason

SCHEMA = "statement/1"


class Kind(StrEnum):
    """What a line is about, in the order statements list them."""

    GRID_IMPORT = "grid-import"
    OWN_GENERATION = "own-generation"
    SHARED_IN = "shared-in"
    SHARED_OUT = "shared-out"
    MARKET_BOUGHT = "market-bought"
    MARKET_SOLD = "market-sold"
    MADE_GOOD = "made-good"
    FLEXIBILITY = "flexibility"
    FEES = "fees"


class Entry(NamedTuple):
    """One hour's or one trade's part of a line: Wh and µcur."""

    kind: Kind
    wh: int
    amount: int


def statement(
    member: str,
    month: str,
    entries: Iterable[Entry],
    *,
    run: str,
    rules: Mapping[str, str],
    proof: Sequence[str],
) -> dict[str, Any]:
    """The month's statement; a kind nothing happened under has no line."""
    sums: dict[Kind, tuple[int, int]] = {}
    for entry in entries:
        wh, amount = sums.get(entry.kind, (0, 0))
        sums[entry.kind] = wh + entry.wh, amount + entry.amount
    lines = [
        {"kind": str(kind), "wh": sums[kind][0], "amount": sums[kind][1]}
        for kind in Kind
        if kind in sums
    ]
    return {
        "schema": SCHEMA,
        "member": member,
        "month": month,
        "run": run,
        "rules": dict(rules),
        "proof": list(proof),
        "lines": lines,
        "total": sum(amount for _, amount in sums.values()),
    }


def to_csv(document: Mapping[str, Any]) -> str:
    """The lines for a spreadsheet: energy in kWh, money in the currency unit."""
    if document.get("schema") != SCHEMA:
        raise DomainError(Reason.MALFORMED_DOCUMENT)
    rows = [("line", "kWh", "amount")]
    rows += [
        (line["kind"], decimal(line["wh"], 3), decimal(line["amount"], 6))
        for line in document["lines"]
    ]
    rows.append(("total", "", decimal(document["total"], 6)))
    return "".join(",".join(row) + "\r\n" for row in rows)


def to_html(document: Mapping[str, Any]) -> str:
    """The statement as a page a browser prints: no script, no outside resource, and every text
    that came from outside escaped."""
    if document.get("schema") != SCHEMA:
        raise DomainError(Reason.MALFORMED_DOCUMENT)
    rows = "".join(
        _row(line["kind"], decimal(line["wh"], 3), decimal(line["amount"], 6))
        for line in document["lines"]
    )
    about = f"{document['member']}, {document['month']}, run {document['run']}"
    rules = ", ".join(f"{name} {version}" for name, version in sorted(document["rules"].items()))
    proof = "".join(f"<li><code>{_escaped(digest)}</code></li>" for digest in document["proof"])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{_escaped(about)}</title></head><body><h1>{_escaped(about)}</h1>"
        "<table><thead><tr><th>line</th><th>kWh</th><th>amount</th></tr></thead>"
        f"<tbody>{rows}</tbody>"
        f"<tfoot>{_row('total', '', decimal(document['total'], 6))}</tfoot></table>"
        f"<p>Rules: {_escaped(rules)}</p><ul>{proof}</ul></body></html>\n"
    )


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{_escaped(cell)}</td>" for cell in cells) + "</tr>"


def _escaped(text: str) -> str:
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(plain, entity)
    return text


def decimal(value: int, digits: int) -> str:
    """An integer of 10^-digits units as decimal text.

    >>> decimal(-64_000, 6)
    '-0.064000'
    """
    whole, rest = divmod(abs(value), 10**digits)
    return f"{'-' if value < 0 else ''}{whole}.{rest:0{digits}d}"
