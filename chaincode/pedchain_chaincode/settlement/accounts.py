# SPDX-License-Identifier: Apache-2.0
"""Accounts of prosumers: pseudonyms with the key that alone can spend for them.

    account/1 {schema, id, number, key: {alg, spki}, owner, district, supplier,
               places: {carrier: {zone, feeds: {point, role} | null, draws: ...}}}

`places` says for a carrier in which zone it trades and which registers of the district's metering
measure what it feeds in and draws; a register is one account's, so that no Wh is two accounts'.
`number` is the producer in the ids of tokens it mints, `owner` the person behind one or many
accounts, who never trades with itself, `supplier` the class of its reference prices. The account
keeps, besides its counter, its open orders and deposits and the limit its owner set on them.
"""

from typing import Any

from pedchain_chaincode.documents import Document, read, refusals
from pedchain_chaincode.settlement import guards, rows
from pedchain_chaincode.settlement.book import Book
from pedchain_domain import canonical, debit, fields
from pedchain_domain.market import money, tokenid
from pedchain_domain.market.deposit import MEMBER_LIMIT
from pedchain_domain.text import from_hex
from pedchain_fabric.shim import Refusal

CONTRACT = "tokens"
NUMBERS = (1 << 48) - 1
CARRIERS = tuple(str(carrier) for carrier in tokenid.Carrier)
_SHAPE: fields.Shape = {
    "schema": fields.one_of("account/1"),
    "id": fields.identifier,
    "number": lambda value: fields.positive(value) and value <= NUMBERS,
    "key": fields.key,
    "owner": fields.identifier,
    "district": fields.identifier,
    "supplier": fields.identifier,
    "places": lambda value: _places(value),
}


def _places(value: object) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    return all(name in CARRIERS and _place(place) for name, place in value.items())


def _place(value: object) -> bool:
    if not isinstance(value, dict) or sorted(value) != ["draws", "feeds", "zone"]:
        return False
    zoned = fields.positive(value["zone"]) and value["zone"] < 1 << 32
    return zoned and _register(value["feeds"]) and _register(value["draws"])


def _register(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or sorted(value) != ["point", "role"]:
        return False
    return fields.identifier(value["point"]) and fields.identifier(value["role"])


def registers(account: Document) -> list[tuple[str, str]]:
    """The (point, role) of every register that measures for an account."""
    places = account["places"]
    found = [places[carrier][way] for carrier in sorted(places) for way in ("draws", "feeds")]
    return [(one["point"], one["role"]) for one in found if one is not None]


def requested(data: bytes, domain: debit.Domain) -> Document:
    """The account a key asks for itself: {account: account/1, signature: hex}."""
    found = read(data)
    body = found.get("account")
    if sorted(found) != ["account", "signature"] or not isinstance(body, dict):
        raise Refusal("malformed-document")
    with refusals():
        fields.check(body, _SHAPE)
    _signed(body["key"], body, domain, found["signature"])
    return body


def rotated(spent: guards.Spending) -> Document:
    """The account's next key {key, possession}, which has signed {account, counter, key} itself."""
    body = spent.debit.body
    if sorted(body) != ["key", "possession"] or not fields.key(body["key"]):
        raise Refusal("malformed-document", "body")
    key: Document = body["key"]
    asked = {"account": spent.debit.account, "counter": spent.debit.counter, "key": key}
    _signed(key, asked, spent.book.domain(CONTRACT), body["possession"])
    return key


def _signed(key: Document, body: Document, domain: debit.Domain, signature: object) -> None:
    raw = from_hex(signature) if isinstance(signature, str) else None
    if raw is None:
        raise Refusal("malformed-signature")
    with refusals():
        debit.verify(key["spki"], request_bytes(body, domain), raw)


def request_bytes(body: Document, domain: debit.Domain) -> bytes:
    """What an account's key signs to be registered."""
    named = {"network": domain.network, "channel": domain.channel, "contract": domain.contract}
    return canonical.encode({"domain": named, "body": body})


async def register(book: Book, body: Document) -> None:
    """Write a new account. Refuses `already-registered` for its name or number."""
    if body["district"] not in book.setup.districts:
        raise Refusal("unknown-district")
    if await book.load("account", body["id"]) is not None:
        raise Refusal("already-registered")
    if await book.load("number", body["number"]) is not None:
        raise Refusal("already-registered", "number")
    taken = registers(body)
    if len(dict.fromkeys(taken)) != len(taken):
        raise Refusal("already-registered", "register")
    for point, role in taken:
        name = ("register", body["district"], point, role)
        if await book.load(*name) is not None:
            raise Refusal("already-registered", "register")
        await book.save(name, {"account": body["id"]})
    fresh = {
        "salt": book.fresh("account", body["id"]),
        "counter": 0,
        "orders": 0,
        "locked": 0,
        "limit": MEMBER_LIMIT,
    }
    await book.save(("account", body["id"]), {**body, **fresh})
    await book.save(("number", body["number"]), {"account": body["id"]})
    await book.save(("name", body["id"]), {"number": body["number"]})


async def known(book: Book, name: str) -> None:
    """Refuse `unknown-account` unless there is one. It reads what never changes, unlike the account
    itself: whoever credits an account must not fail by each of its debits."""
    if await book.load("name", name) is None:
        raise Refusal("unknown-account")


async def deposit(book: Book, data: bytes, only: str | None = None) -> None:
    """Mint money against the clearing operator's receipt, once: {receipt, signature}; `only` names
    the account it must be for, which is being registered."""
    found = read(data)
    receipt: Any = found.get("receipt")
    if sorted(found) != ["receipt", "signature"] or not isinstance(receipt, dict):
        raise Refusal("malformed-document")
    setup = book.setup
    with refusals():
        money.check_receipt(
            receipt,
            found["signature"],
            setup.clearing["key"]["spki"],
            network=setup.network,
            channel=book.stub.channel_id,
        )
    if receipt["operator"] != setup.clearing["id"]:
        raise Refusal("wrong-domain", "operator")
    if only is not None and receipt["account"] != only:
        raise Refusal("not-owner", "receipt")
    if only is None:
        await known(book, receipt["account"])
    await guards.receipt(book, receipt["id"])
    await book.save(("receipt", receipt["id"]), {"receipt": receipt})
    await rows.give(book, receipt["account"], tokenid.MONEY, receipt["amount"])
    await rows.supplied(book, tokenid.MONEY, receipt["amount"])
