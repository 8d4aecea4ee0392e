# SPDX-License-Identifier: Apache-2.0
"""What settlement and a district's certificates of origin tell each other (rules P1).

Before a certificate leaves, the district asks what of the site's registers was sold and shared in
the hour, and leaves a public mark under a keyed name. From then on such a register gives no more
than it has given: the market of the hour is over, and sharing asks for the marks. Each reads what
the other writes, so of two in flight one fails.
"""

from collections.abc import Sequence
from typing import Any

from pedchain_chaincode.calling import answer_of
from pedchain_chaincode.documents import Document
from pedchain_chaincode.settlement import community, limits, outcome, sessions
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.clock import now
from pedchain_chaincode.settlement.metered import metering
from pedchain_domain import canonical
from pedchain_domain.market.tokenid import HOUR, Carrier
from pedchain_fabric.shim import Refusal

CARRIER = str(Carrier.ELECTRICITY)  # heat has no certificates


async def given(book: Book, district: str, hour: int, registers: Sequence[Any]) -> Document:
    """{wh, marks}: what of these registers, [[point, role]], is sold and shared for good, and what
    stands for them. Refuses `market-open`, `too-early` while any of it can still be given."""
    at = await now(book.ctx, book.setup)
    if at < hour + HOUR:
        raise Refusal("too-early")
    if at >= hour + HOUR + limits.RETENTION:
        raise Refusal("too-late")  # what was given of it may be purged
    total, marks = 0, []
    for point, role in registers:
        found = await book.load("register", district, point, role)
        account = None if found is None else await book.load("account", found["account"])
        if account is not None and _feeds(account) == {"point": point, "role": role}:
            total += await _given(book, account, hour)
            marks.append(_mark(book, account, hour))
    return {"wh": total, "marks": marks}


async def _given(book: Book, account: Document, hour: int) -> int:
    zone = account["places"][CARRIER]["zone"]
    await sessions.over(book.stub, CARRIER, zone, hour)
    position = await book.load("position", account["id"], CARRIER, hour)
    if position is not None:
        return int(position["sold"]) + int(position["shared_out"])
    if await community.is_to_share(book, account["id"], CARRIER, hour):
        raise Refusal("too-early", "sharing")  # it comes before what is left
    sold, _ = await outcome.traded(book, account, CARRIER, hour)
    return sold


async def left(book: Book, carrier: str, accounts: Sequence[Document], hour: int) -> list[str]:
    """Accounts whose energy of the hour left, in part, as certificates of origin."""
    marks = {_mark(book, one, hour): one["id"] for one in accounts if _feeds(one) is not None}
    if carrier != CARRIER or not marks:
        return []
    sent = canonical.encode(sorted(marks))
    found = await answer_of(book.ctx, metering(accounts[0]["district"]), "origin:GetLeft", sent)
    return [marks[mark] for mark in found]


def _feeds(account: Document) -> Document | None:
    place = account["places"].get(CARRIER)
    return None if place is None else place["feeds"]


def _mark(book: Book, account: Document, hour: int) -> str:
    return book.tag("left", account["id"], hour)
