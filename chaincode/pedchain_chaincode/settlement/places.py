# SPDX-License-Identifier: Apache-2.0
"""What sessions stand on: zones, market days, reference prices (rules K8, K11).

    zone/1 {schema, number, id, carrier, pricing: uniform | pay-as-offer, lot: Wh}

A zone is a market zone, or one heat network; `lot` is the least a line may be (rules K2: 100).

Reference prices are the system operator's proposal that a district's operator has agreed to. The
newest tables of a carrier are kept; a session takes the one of its day, or the newest before it.
"""

import hashlib

from pedchain_chaincode.documents import Document, checked, read, refusals, save
from pedchain_chaincode.settlement import keys, limits
from pedchain_domain import canonical, fields
from pedchain_domain.calendar import Day, day_at
from pedchain_domain.market import reference
from pedchain_domain.market.tokenid import Carrier
from pedchain_fabric.shim import Context, Refusal

_CARRIERS = tuple(str(carrier) for carrier in Carrier)
_ZONE: fields.Shape = {
    "schema": fields.one_of("zone/1"),
    "number": lambda value: fields.positive(value) and value < 1 << 32,
    "id": fields.identifier,
    "carrier": fields.one_of(*_CARRIERS),
    "pricing": fields.one_of("uniform", "pay-as-offer"),
    "lot": fields.positive,
}


def zone_of(document: bytes) -> Document:
    """A zone's document, checked."""
    found = read(document)
    with refusals():
        fields.check(found, _ZONE)
    return found


async def put_zone(ctx: Context, found: Document, former: Document | None) -> None:
    """Write a zone, which is never changed."""
    if former is not None and former != found:
        raise Refusal("already-registered")
    await save(ctx.stub, keys.zone(ctx.stub, found["number"]), found)


def days_of(document: bytes, former: Document | None) -> Document:
    """A calendar with further days; a row that stands is never changed."""
    found = checked(read(document), "calendar/1")
    if len(found["rows"]) > limits.DAYS:
        raise Refusal("too-large")
    rows = {row["day"]: row for row in found["rows"]}
    kept = former["rows"] if former is not None else []
    if any(rows.get(row["day"]) != row for row in kept):
        raise Refusal("already-registered", "rows")
    return found


def day_before(calendar: Document | None, hour: int) -> Day:
    """The local day before the one an hour's start lies in. Refuses `unknown-day`."""
    rows = calendar["rows"] if calendar is not None else []
    day = day_at(rows, hour)
    before = None if day is None else day_at(rows, day["start"] - 1)
    if before is None:
        raise Refusal("unknown-day")
    return before


def carrier_of(text: str) -> str:
    """A carrier's name. Refuses `malformed-document`."""
    if text not in _CARRIERS:
        raise Refusal("malformed-document", "carrier")
    return text


def proposed(document: bytes, former: list[Document], clock: int) -> Document:
    """A table that may follow those in force."""
    return again(read(document), former, clock)


def again(table: Document, former: list[Document], clock: int) -> Document:
    """A table checked against those in force now. Refuses `already-registered` for their days."""
    newest = former[-1] if former else None
    with refusals():
        found = reference.check(table, newest, clock)
    if newest is not None and found["start"] <= newest["start"]:
        raise Refusal("already-registered")
    return found


async def put_table(ctx: Context, table: Document, former: list[Document]) -> None:
    """Bring a table into force and let the oldest go."""
    kept = [*former, table][-limits.TABLES :]
    await save(ctx.stub, keys.reference(ctx.stub, table["carrier"]), {"tables": kept})


def table_for(found: list[Document], hour: int) -> Document:
    """The table of an hour's day, or the newest before. Refuses `no-reference`."""
    fitting = [table for table in found if table["start"] <= hour]
    if not fitting:
        raise Refusal("no-reference")
    return fitting[-1]


def digest(table: Document) -> str:
    """What a district names when it agrees to a table."""
    return hashlib.sha256(canonical.encode(table)).hexdigest()
