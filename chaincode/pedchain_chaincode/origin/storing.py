# SPDX-License-Identifier: Apache-2.0
"""Storage of a site: charge records by certificates given up, discharge records day by day (G3).

Its own certified charging enters when the day is issued. The owner may add certificates of the
hour for what came from the grid (`charge`), then settles the day (`discharge`): what comes out and
is fed in becomes certificates of the storage, the rest is the site's own.

    released/1 {schema, salt, site, day, rows: [[hour, grid Wh, own Wh]]}
"""

from pedchain_chaincode.documents import Document, refusals
from pedchain_chaincode.metering import adoption
from pedchain_chaincode.origin import guards
from pedchain_chaincode.origin.accounts import holder_at
from pedchain_chaincode.origin.book import Book
from pedchain_chaincode.origin.ground import row_of, site_day
from pedchain_domain import canonical, origin, origincert, originstorage
from pedchain_domain.debit import Debit
from pedchain_domain.readings import derive_salt
from pedchain_fabric.shim import Refusal


async def certify(book: Book, site: str, hour: int, energy: int) -> None:
    """Certify what a site's storage charged in an hour. Refuses `beyond-charge`."""
    before = await book.vault.load("storage", site) or originstorage.empty()
    with refusals():
        after = originstorage.certify(before, hour, energy)
    await book.vault.save(("storage", site), {**after, "site": site, "salt": book.fresh("storage")})


async def discharge(book: Book, holder: Document, closing: Document, debit: Debit) -> None:
    """Settle the storage's oldest day: body {"day"}."""
    site = holder["site"]
    if site is None or sorted(debit.body) != ["day"]:
        raise Refusal("malformed-document", "body")
    with refusals():
        name = canonical.check_id(debit.body["day"])
    before = await book.vault.load("storage", site) or originstorage.empty()
    found = await site_day(book.ctx, book.vault, closing, holder, await row_of(book.ctx, name))
    held = await guards.holders(book, site)
    district = await adoption.in_force(book.ctx, name)
    ppm = originstorage.efficiency(await adoption.factors_of(book.ctx, district))
    rows = origin.discharges(found.points, found.day, found.grain)
    with refusals():
        after, outs = originstorage.discharged(
            before, name, rows, ppm, found.site.get("battery_wh", 0)
        )
    salt = book.fresh("released")
    await book.vault.save(("storage", site), {**after, "site": site, "salt": book.fresh("storage")})
    released = {"schema": "released/1", "salt": salt, "site": site, "day": name}
    await book.vault.save(("released", site, name), {**released, "rows": [list(o) for o in outs]})
    for out in outs:
        owner = holder_at(held, out.hour)
        if out.grid and owner is not None:
            await book.put(_certificate(book, salt, out, owner, found.site["zone"]))


def _certificate(
    book: Book, salt: str, out: originstorage.Out, owner: tuple[str, bool], zone: str
) -> Document:
    hour = str(out.hour)
    return origincert.new(
        book.fresh("gc", hour),
        derive_salt("issue", [salt, hour]),
        owner[0],
        owner[1],
        zone=zone,
        hour=out.hour,
        wh=out.grid,
        source=origincert.STORAGE,
    )
