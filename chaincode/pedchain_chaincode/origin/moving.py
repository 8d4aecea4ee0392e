# SPDX-License-Identifier: Apache-2.0
"""What a signed debit does to certificates (rules G3 to G6): the states are domain's, here is what
needs the ledger. A claim or a charge needs the site's own consumption of that hour: together they
never exceed the measured import I_h, whatever is in flight, because both write its sum."""

from collections.abc import Awaitable, Callable

from pedchain_chaincode import debits
from pedchain_chaincode.documents import Document, refusals
from pedchain_chaincode.origin import accounts, following, guards, leaving, storing
from pedchain_chaincode.origin.accounts import holder_at
from pedchain_chaincode.origin.book import Book
from pedchain_chaincode.origin.ground import SiteDay, day_of, site_day
from pedchain_domain import canonical, origin, origincert
from pedchain_domain.debit import Debit
from pedchain_fabric.shim import Refusal

Check = Callable[[Book, Document, Document, Debit], Awaitable[None]]


async def apply(book: Book, holder: Document, closing: Document, debit: Debit) -> None:
    """Carry out a verified debit; the account's counter goes up with it."""
    fresh = book.fresh("account", debit.account)
    if debit.action == "rotate":
        await debits.spend(book.vault, holder, fresh, key=_rotated(book, debit))
        return
    if debit.action == "discharge":
        await storing.discharge(book, holder, closing, debit)
    else:
        await _move(book, holder, closing, debit)
    await debits.spend(book.vault, holder, fresh)


def _rotated(book: Book, debit: Debit) -> Document:
    """The account's next key, which has signed for itself."""
    body = debit.body
    if sorted(body) != ["key", "possession"]:
        raise Refusal("malformed-document", "body")
    key = accounts.key_of(body["key"])
    asked = {"account": debit.account, "counter": debit.counter, "key": key}
    accounts.possession(key["spki"], asked, book.domain, body["possession"])
    return key


async def _move(book: Book, holder: Document, closing: Document, debit: Debit) -> None:
    name = debit.body.get("certificate")
    with refusals():
        certificate = await book.certificate(debit.account, canonical.check_id(name))
    await _movable(book, holder, closing, certificate)
    with refusals():
        moved = origincert.move(
            certificate, debit.action, debit.account, debit.body, book.fresh("move")
        )
    check = _CHECKS.get(debit.action)
    if check is not None:
        await check(book, holder, certificate, debit)
    if debit.action == "lock":
        await leaving.count(book, holder, closing, certificate)
    if debit.action in ("claim", "charge"):
        await _consume(book, holder, closing, certificate, debit)
    await book.put({**moved.certificate, "salt": book.fresh("moved")})
    for successor in moved.successors:
        await book.put(successor)


async def _movable(book: Book, holder: Document, closing: Document, certificate: Document) -> None:
    """Whether what was sold and shared of the certificate's hour has taken its part of it (P2)."""
    hour, owner = certificate["hour"], certificate["owner"]
    if following.waits(certificate) and holder["site"] is not None and owner == holder["id"]:
        day = await day_of(book.ctx, hour)
        found = await site_day(book.ctx, book.vault, closing, holder, day)
        await following.movable(book, found, hour)


async def _receiver(book: Book, holder: Document, certificate: Document, debit: Debit) -> None:
    """Whom a certificate goes to, or is for, must be an account of this district."""
    name = debit.body["to"] if debit.action == "transfer" else debit.body["for"]
    with refusals():
        canonical.check_id(name)
    if name != debit.account:
        await debits.account(book.vault, name)
    if debit.action == "cancel":
        await book.point(name, certificate)


async def _lock(book: Book, holder: Document, certificate: Document, debit: Debit) -> None:
    with refusals():
        registry = canonical.check_id(debit.body["registry"])
    if await guards.foreign(book.ctx, registry) is None:
        raise Refusal("unknown-registry")


async def _export(book: Book, holder: Document, certificate: Document, debit: Debit) -> None:
    """The receipt is the foreign registry's; what left is added up by day (rules P2)."""
    foreign = await guards.foreign(book.ctx, certificate["registry"])
    assert foreign is not None
    with refusals():
        origincert.check_receipt(certificate, debit.body["receipt"], foreign["key"]["spki"])
    day = (await day_of(book.ctx, certificate["hour"]))["day"]
    before = await book.vault.load("exported", day) or {"parts": {}}
    parts = {**before["parts"]}
    parts[debit.account] = parts.get(debit.account, 0) + certificate["wh"]
    document = {"schema": "exported/1", "day": day, "parts": parts}
    salt = book.fresh("exported", day)
    await book.vault.save(("exported", day), {**document, "salt": salt})


_CHECKS: dict[str, Check] = {
    "transfer": _receiver,
    "reserve": _receiver,
    "cancel": _receiver,
    "lock": _lock,
    "export": _export,
}


async def _consume(
    book: Book, holder: Document, closing: Document, certificate: Document, debit: Debit
) -> None:
    """Book a claim or a charge against the account's site in the certificate's hour (G3, G4)."""
    if holder["site"] is None:
        raise Refusal("no-site")
    hour, energy = certificate["hour"], certificate["wh"]
    day = await day_of(book.ctx, hour)
    held = await guards.holders(book, holder["site"])
    at_hour = holder_at(held, hour)
    if at_hour is None or at_hour[0] != debit.account:
        raise Refusal("not-owner", "site")
    found = await site_day(book.ctx, book.vault, closing, holder, day)
    if found.site["zone"] != certificate["zone"]:
        raise Refusal("wrong-zone")
    await _claimed(book, found, hour, energy)
    if debit.action == "charge":
        await storing.certify(book, holder["site"], hour, energy)


async def _claimed(book: Book, found: SiteDay, hour: int, energy: int) -> None:
    site, day = found.site["id"], found.day["day"]
    drawn = origin.drawn(found.points, found.day, found.grain, hour)
    if hour not in origin.hours_of(found.day) or drawn is None:
        raise Refusal("not-measured")
    claims = await book.vault.load("claims", site, day) or {"hours": {}}
    whole = claims["hours"].get(str(hour), 0) + energy
    if whole > drawn - await following.came(book, found, hour):
        raise Refusal("beyond-consumption")
    hours = {**claims["hours"], str(hour): whole}
    await book.vault.save(("claims", site, day), {"salt": book.fresh("claims"), "hours": hours})
