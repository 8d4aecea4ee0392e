# SPDX-License-Identifier: Apache-2.0
"""A member's month: what it drew and fed in, who with, at what price, and why (rules S, K).

    statement/1 {schema, member, month, run, rules, proof, origin,
                 lines: [{kind, wh, amount}], total}

A positive amount is the member's due, a negative one its debt, µcur. `rules` names the versions of
the rules that made the numbers, `proof` the digests of what the ledger answered, day by day;
`origin` the Wh that were given and that came with their origin, and what of the latter certificates
stood behind, null where that cannot be read (rules P2): {given_wh, came_wh, certified_wh}. What
the supplier bills (grid import) or nobody pays (own generation) has energy and no amount here; fees
are the system operator's, by a tariff of its own:

    tariff/1 {schema, version, import, shared, bought}      µcur per kWh
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from pedchain_domain import fields
from pedchain_domain.canonical import encode
from pedchain_domain.market.deposit import amount
from pedchain_domain.reasons import DomainError, Reason

SCHEMA = "statement/1"
NO_ORIGIN: Mapping[str, int | None] = MappingProxyType(
    {"given_wh": 0, "came_wh": 0, "certified_wh": 0}
)
_TARIFF: fields.Shape = {
    "schema": fields.one_of("tariff/1"),
    "version": fields.identifier,
    "import": fields.count,
    "shared": fields.count,
    "bought": fields.count,
}


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


def of_hours(rows: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Entries of an account's hours as `sharing:GetHours` tells them; a correction stands in its
    hour's place. Own generation is what its registers fed in."""
    found = []
    for row in rows:
        position = row["position"] or {}
        into, out, pays, receives = row.get("corrected") or row.get("shared") or (0, 0, 0, 0)
        drawn, fed_in = row["drawn"] or 0, row["fed_in"] or 0
        rest = drawn - position.get("bought", 0) - into
        found += [
            Entry(Kind.GRID_IMPORT, rest, 0),
            Entry(Kind.OWN_GENERATION, fed_in, 0),
            Entry(Kind.SHARED_IN, into, -pays),
            Entry(Kind.SHARED_OUT, out, receives),
        ]
    return found


def of_trades(account: str, trades: Iterable[Sequence[Any]]) -> list[Entry]:
    """Entries of the trades of settled sessions, `market:GetSettled`, as far as they are the
    account's; of a trade between zones the last number is the congestion rent."""
    found = []
    for seller, buyer, _, wh, paid, seller_short, buyer_short, *more in trades:
        if account == seller:
            found.append(Entry(Kind.MARKET_SOLD, wh, paid - sum(more[2:])))
            found.append(Entry(Kind.MADE_GOOD, 0, buyer_short - seller_short))
        elif account == buyer:
            found.append(Entry(Kind.MARKET_BOUGHT, wh, -paid))
            found.append(Entry(Kind.MADE_GOOD, 0, seller_short - buyer_short))
    return found


def fees(entries: Iterable[Entry], tariff: Mapping[str, Any]) -> list[Entry]:
    """What the operator's tariff asks for energy that came over the grid."""
    fields.check(tariff, _TARIFF)
    prices = {
        Kind.GRID_IMPORT: tariff["import"],
        Kind.SHARED_IN: tariff["shared"],
        Kind.MARKET_BOUGHT: tariff["bought"],
    }
    return [
        Entry(Kind.FEES, 0, -amount(entry.wh, prices[entry.kind]))
        for entry in entries
        if entry.kind in prices
    ]


def statement(
    member: str,
    month: str,
    entries: Iterable[Entry],
    *,
    run: str,
    rules: Mapping[str, str],
    proof: Sequence[str],
    origin: Mapping[str, int | None] = NO_ORIGIN,
) -> dict[str, Any]:
    """The month's statement; every kind has its line, also where nothing happened."""
    sums: dict[Kind, tuple[int, int]] = dict.fromkeys(Kind, (0, 0))
    for entry in entries:
        wh, amount = sums.get(entry.kind, (0, 0))
        sums[entry.kind] = wh + entry.wh, amount + entry.amount
    lines = [{"kind": str(kind), "wh": sums[kind][0], "amount": sums[kind][1]} for kind in Kind]
    return {
        "schema": SCHEMA,
        "member": member,
        "month": month,
        "run": run,
        "rules": dict(rules),
        "proof": list(proof),
        "origin": dict(origin),
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


def to_ndjson(document: Mapping[str, Any]) -> str:
    """The lines for machines, a canonical document each: {member, month, kind, wh, amount}."""
    if document.get("schema") != SCHEMA:
        raise DomainError(Reason.MALFORMED_DOCUMENT)
    about = {"member": document["member"], "month": document["month"]}
    return "".join(f"{encode({**about, **line}).decode()}\n" for line in document["lines"])


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
        f"<p>{_escaped(_origin(document['origin']))}</p>"
        f"<p>Rules: {_escaped(rules)}</p><ul>{proof}</ul></body></html>\n"
    )


def _origin(origin: Mapping[str, int | None]) -> str:
    """What became of certificates of origin, in words."""
    given, came = decimal(origin["given_wh"] or 0, 3), decimal(origin["came_wh"] or 0, 3)
    told = f"Sold and shared with its origin: {given} kWh. Came with its origin: {came} kWh"
    certified = origin["certified_wh"]
    if certified is None:
        return f"{told}; how much of it is certified cannot be read here."
    return f"{told}, of it certified: {decimal(certified, 3)} kWh."


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
