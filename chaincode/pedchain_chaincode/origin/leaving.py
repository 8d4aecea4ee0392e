# SPDX-License-Identifier: Apache-2.0
"""What leaves the district as origin alone, counted against what settlement gave (rules P1).

A lock is where a certificate leaves: nothing but its export can follow. What is locked of a site's
hour, what was sold and what was shared are together no more than what the site fed in. Settlement
is asked, not written: its endorsers cannot read this collection, ours are members of its book.

    left    {hours: {start: Wh}}     of a site's day

The site is the account's own or, for a certificate that changed hands, in transient `site`: the
certificate holds a salted digest of its issue, which shows whether that is true.
"""

from typing import Any

from pedchain_chaincode import debits
from pedchain_chaincode.calling import answer_of
from pedchain_chaincode.documents import Document, load_many, refusals, save
from pedchain_chaincode.origin import guards, keys
from pedchain_chaincode.origin.accounts import holder_at
from pedchain_chaincode.origin.book import Book
from pedchain_chaincode.origin.ground import SiteDay, day_of, site_day
from pedchain_domain import canonical, origin
from pedchain_domain.calendar import Day
from pedchain_domain.market.position import Position
from pedchain_domain.readings import derive_salt
from pedchain_fabric.shim import Context, Refusal

SETTLEMENT = "settlement"
MARKS = 100  # looked up at once


async def count(book: Book, holder: Document, closing: Document, certificate: Document) -> None:
    """Count a certificate that is locked. Refuses `counted-twice`, and what settlement refuses
    while the hour can still be sold or shared."""
    hour, day = certificate["hour"], await day_of(book.ctx, certificate["hour"])
    maker = await _maker(book, holder, certificate, day)
    found = await site_day(book.ctx, book.vault, closing, maker, day)
    given = await _given(book, found, hour)
    name = ("left", found.site["id"], day["day"])
    before = await book.vault.load(*name) or {"hours": {}}
    whole = before["hours"].get(str(hour), 0) + certificate["wh"]
    fed = origin.fed(found.points, found.day, found.grain, hour)
    with refusals():
        Position(fed or 0, 0, sold=given["wh"], origin_only=whole)
    hours = {**before["hours"], str(hour): whole}
    await book.vault.save(name, {"salt": book.fresh("left"), "hours": hours})
    for mark in given["marks"]:
        await save(book.ctx.stub, keys.left(book.ctx.stub, mark), {})


async def left(ctx: Context, marks: bytes) -> list[str]:
    """Those of an array of marks that stand."""
    with refusals():
        wanted = canonical.decode(marks)
    if not isinstance(wanted, list) or len(wanted) > MARKS:
        raise Refusal("too-large", "marks")
    names = [str(each) for each in wanted]
    found = await load_many(ctx.stub, [keys.left(ctx.stub, name) for name in names])
    return [name for name, one in zip(names, found, strict=True) if one is not None]


async def _maker(book: Book, holder: Document, certificate: Document, day: Day) -> Document:
    """The account that held the site's hour, if the certificate is of it."""
    sent = book.ctx.stub.transient.get("site", b"").decode("ascii", "replace")
    site, hour = sent or holder["site"], certificate["hour"]
    if site is None:
        raise Refusal("no-site")
    kinds = ("issue", "released")
    issue, released = await book.vault.load_many([(kind, site, day["day"]) for kind in kinds])
    if certificate["issue"] not in _issues(issue, released, hour):
        raise Refusal("not-owner", "site")
    made_by = holder_at(await guards.holders(book, site), hour)
    assert made_by is not None  # it was issued to somebody
    return await debits.account(book.vault, made_by[0])


def _issues(issue: Document | None, released: Document | None, hour: int) -> list[str]:
    """What certificates of a site's hour say they come from."""
    rows = [] if issue is None else issue["rows"]
    found = [origin.issue_of(issue["salt"], row[0], hour) for row in rows if issue]
    if released is not None:
        found.append(derive_salt("issue", [released["salt"], str(hour)]))
    return found


async def _given(book: Book, found: SiteDay, hour: int) -> Document:
    """What settlement says of the site's registers."""
    registers = [[point.id, role] for point in found.points for role in sorted(point.registers)]
    arguments = (book.fence.district, str(hour), canonical.encode(registers))
    answer: Any = await answer_of(book.ctx, SETTLEMENT, "sharing:GetGiven", *arguments)
    return dict(answer)
