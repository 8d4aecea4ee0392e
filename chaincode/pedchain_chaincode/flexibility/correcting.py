# SPDX-License-Identifier: Apache-2.0
"""A settled order put right by run FINAL (rules D7, D10) [our].

    public   order: correction {run, delivered_wh, deficiency_wh, pay, penalty, supplier, pools,
             owed: {issuer, provider, supplier}, paid: [issuer | provider]}; `result` stays
             part: correction {phase: measuring | measured | paid, root?, contributed?}
    private  in the book: flex-final {state, sums?, same?} by order and district,
             flex-added {after} by order and district, flex-owed {orders} by account

Nothing is taken from anybody: who owes signs for it, and takes part in no other order before.
"""

from typing import Any

from pedchain_chaincode.documents import Document
from pedchain_chaincode.flexibility import orders
from pedchain_chaincode.settlement import rows
from pedchain_chaincode.settlement.book import Book
from pedchain_domain.flexibility.correction import Owed, owed
from pedchain_domain.flexibility.escrow import Release, release
from pedchain_domain.market.tokenid import MONEY
from pedchain_fabric.shim import Refusal

ISSUER, PROVIDER = "issuer", "provider"


async def unowed(book: Book, account: str) -> None:
    """Refuse `correction-owed` for an account that has still to pay one."""
    held = await book.load("flex-owed", account)
    if held is not None and held["orders"]:
        raise Refusal("correction-owed", held["orders"][0])


def part_of(found: Document, district: str, *expected: str) -> Document:
    """A district's part of a correction. Refuses `unknown-district`, `wrong-state`."""
    part = orders.phase(found, district, orders.PAID)
    held: Document = part.get("correction", {"phase": orders.OPEN})
    if held["phase"] not in expected:
        raise Refusal("wrong-state", held["phase"])
    return held


async def put_part(book: Book, found: Document, district: str, held: Document) -> Document:
    """Write an order with a district's correction; the order as it stands."""
    part = {**found["districts"][district], "correction": held}
    whole = {**found, "districts": {**found["districts"], district: part}}
    await orders.put(book, whole)
    return whole


async def finish(book: Book, found: Document) -> None:
    """Compute the result anew from the corrected subtotals, and what is owed. Refuses
    `not-measured`, `wrong-state` for a correction that was computed."""
    if "correction" in found:
        raise Refusal("wrong-state", "corrected")
    order, names = found["order"], sorted(found["districts"])
    for name in names:
        if part_of(found, name, orders.OPEN, orders.MEASURING, orders.MEASURED)["phase"] != (
            orders.MEASURED
        ):
            raise Refusal("not-measured")
    kept = await orders.kept(book, order["id"], names, "flex-final")
    contributed = {n: found["districts"][n]["correction"]["contributed"] for n in names}
    made = orders.judged(found, [one["sums"] for one in kept], contributed)
    available, wh = found["result"]["availability"], sum(contributed.values())
    final = release(orders.terms(found), made.result, available, contributed=wh)
    due = owed(_settled(found), final)
    same = {
        name: one["same"] and made.pools[name] == found["result"]["pools"][name]
        for name, one in zip(names, kept, strict=True)
    }
    districts = {name: _part(found, name, is_same=same[name]) for name in names}
    told = {**made.told, "run": "FINAL", "supplier": final.supplier, "pools": made.pools}
    correction = {**told, "owed": due._asdict(), "paid": _nothing_to_pay(due)}
    whole = {**found, "districts": districts, "correction": correction}
    await orders.put(book, whole)
    for role in (ISSUER, PROVIDER):
        if not _is_done(whole, role):
            await _note(book, order[role], add=order["id"])


def _part(found: Document, name: str, *, is_same: bool) -> Document:
    part: Document = found["districts"][name]
    phase = orders.PAID if is_same else orders.MEASURED
    return {**part, "correction": {**part["correction"], "phase": phase}}


def _settled(found: Document) -> Release:
    """What the settlement gave to whom, as far as a correction compares it."""
    result, order = found["result"], orders.terms(found)
    unspent = order.escrow - result["pay"] - result["availability"]
    return Release(0, result["users"], result["supplier"], result["penalty"], unspent, 0)


def _nothing_to_pay(due: Owed) -> list[str]:
    """Sides that owe the other, or the supplier, nothing."""
    amounts = {ISSUER: due.issuer, PROVIDER: due.provider + due.supplier}
    return [role for role, amount in amounts.items() if not amount]


def _is_done(found: Document, role: str) -> bool:
    """Whether a side has paid all it owes; users' additions are the provider's."""
    phases = [one["correction"]["phase"] for one in found["districts"].values()]
    users = role == ISSUER or all(phase == orders.PAID for phase in phases)
    return role in found["correction"]["paid"] and users


async def pay(book: Book, found: Document, payer: str) -> None:
    """A side pays the other and the supplier what it owes. Refuses `not-owner`, `wrong-state`,
    `insufficient-funds`."""
    order, correction = found["order"], _computed(found)
    role = _role(order, payer)
    if role in correction["paid"]:
        raise Refusal("wrong-state", "paid")
    due = Owed(**correction["owed"])
    other, amount = (
        (order[PROVIDER], due.issuer) if role == ISSUER else (order[ISSUER], due.provider)
    )
    supplier = due.supplier if role == PROVIDER else 0
    await rows.change(book, payer, MONEY, -(amount + supplier))
    await orders.credit_users(book, [[other, amount], [order["supplier"], supplier]])
    paid = sorted([*correction["paid"], role])
    await _done(book, {**found, "correction": {**correction, "paid": paid}}, role)


async def add(book: Book, found: Document, payer: str, district: str, answer: Any) -> Document:
    """The provider pays some of a district's users what is added to their parts."""
    _computed(found)
    if payer != found["order"][PROVIDER]:
        raise Refusal("not-owner")
    total = sum(amount for _, amount in answer["parts"])
    if total:
        await rows.change(book, payer, MONEY, -total)
        await orders.credit_users(book, answer["parts"])
    await book.save(("flex-added", found["order"]["id"], district), {"after": answer["after"]})
    if answer["more"]:
        return found
    part = found["districts"][district]
    paid = {**part, "correction": {**part["correction"], "phase": orders.PAID}}
    whole = {**found, "districts": {**found["districts"], district: paid}}
    await _done(book, whole, PROVIDER)
    return whole


async def _done(book: Book, found: Document, role: str) -> None:
    await orders.put(book, found)
    if _is_done(found, role):
        await _note(book, found["order"][role], drop=found["order"]["id"])


def _computed(found: Document) -> Document:
    correction: Document | None = found.get("correction")
    if correction is None:
        raise Refusal("not-measured")
    return correction


def _role(order: Document, payer: str) -> str:
    for role in (ISSUER, PROVIDER):
        if order[role] == payer:
            return role
    raise Refusal("not-owner")


async def _note(book: Book, account: str, *, add: str = "", drop: str = "") -> None:
    held = await book.load("flex-owed", account)
    left = [one for one in (held["orders"] if held else []) if one != drop]
    await book.save(("flex-owed", account), {"orders": [*left, add] if add else left})
