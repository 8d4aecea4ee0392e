# SPDX-License-Identifier: Apache-2.0
"""Communities: their terms and who is in them (rules S).

    community/1 {schema, id, district, carrier, zone, key: dynamic | static | priority, price,
                 shares: {account: ppm or rank}, origin: follows | energy-only}
                 the last may be left out: certificates of origin follow what is shared (rules P2)
    member      {account, factor_ppm, since, to}       under its community

Whoever joins signs the terms as they are, by their hash; other terms are another community. An
account is in one community per carrier. It shares the hours from `since` on and before `to`, the
next full hours by the ledger's clock after it joined and left: nobody joins an hour, or leaves one,
once it has begun. Who joins again begins again.
"""

import hashlib

from pedchain_chaincode.documents import Document, read, refusals
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.guards import Spending
from pedchain_domain import canonical, fields
from pedchain_domain.market import sharing
from pedchain_domain.market.clearing import TICK
from pedchain_domain.market.following import ENERGY_ONLY, FOLLOWS
from pedchain_domain.market.reference import HIGHEST
from pedchain_domain.market.tokenid import HOUR, Carrier
from pedchain_domain.numbers import PPM
from pedchain_fabric.shim import Refusal

MEMBER = "member"


def _shares(value: object) -> bool:
    return isinstance(value, dict) and all(
        fields.identifier(name) and fields.count(share) for name, share in value.items()
    )


_SHAPE: fields.Shape = {
    "schema": fields.one_of("community/1"),
    "id": fields.identifier,
    "district": fields.identifier,
    "carrier": fields.one_of(*[str(carrier) for carrier in Carrier]),
    "zone": lambda value: fields.positive(value) and value < 1 << 32,
    "key": fields.one_of("dynamic", "static", "priority"),
    "price": lambda value: fields.count(value) and value <= HIGHEST and value % TICK == 0,
    "shares": _shares,
    "origin?": fields.one_of(FOLLOWS, ENERGY_ONLY),
}


def check(data: bytes) -> Document:
    """A community's terms that say what they must."""
    found = read(data)
    with refusals():
        fields.check(found, _SHAPE)
        keys_of(found)
    return found


def keys_of(terms: Document) -> sharing.Keys:
    """How the terms divide."""
    if terms["key"] == "static":
        return sharing.Static(terms["shares"])
    return sharing.Priority(terms["shares"]) if terms["key"] == "priority" else sharing.Dynamic()


def digest(terms: Document) -> str:
    """What a member signs of the terms."""
    return hashlib.sha256(canonical.encode(terms)).hexdigest()


async def terms_of(book: Book, identifier: str) -> Document:
    """A community's terms. Refuses `unknown-community`."""
    found = await book.load("community", identifier)
    if found is None:
        raise Refusal("unknown-community")
    document: Document = found["terms"]
    return document


async def join(spent: Spending, clock: int) -> None:
    """Become a member by {community, terms, factor_ppm}, from the next hour on."""
    book, body, account = spent.book, spent.debit.body, spent.debit.account
    if sorted(body) != ["community", "factor_ppm", "terms"]:
        raise Refusal("malformed-document", "body")
    factor = body["factor_ppm"]
    if type(factor) is not int or not 0 < factor <= PPM:
        raise Refusal("bad-quantity")
    terms = await terms_of(book, str(body["community"]))
    if body["terms"] != digest(terms):
        raise Refusal("not-found", "terms")
    place = spent.holder["places"].get(terms["carrier"])
    zoned = place is not None and place["zone"] == terms["zone"]
    if not zoned or spent.holder["district"] != terms["district"]:
        raise Refusal("wrong-zone")
    former = await book.load("membership", account, terms["carrier"])
    if former is not None and former["community"] is not None:
        raise Refusal("already-registered")
    await book.save(("membership", account, terms["carrier"]), {"community": terms["id"]})
    since = {"since": next_hour(clock), "to": None}
    member = {"account": account, "factor_ppm": factor, **since}
    await book.mark(MEMBER, book.tag("community", terms["id"]), book.tag(account), member)


async def leave(spent: Spending, clock: int) -> None:
    """End a membership by {community} with the next hour."""
    book, account = spent.book, spent.debit.account
    if sorted(spent.debit.body) != ["community"]:
        raise Refusal("malformed-document", "body")
    terms = await terms_of(book, str(spent.debit.body["community"]))
    former = await book.load("membership", account, terms["carrier"])
    if former is None or former["community"] != terms["id"]:
        raise Refusal("not-found")
    await book.save(("membership", account, terms["carrier"]), {"community": None})
    name = (MEMBER, book.tag("community", terms["id"]), book.tag(account))
    member = await book.marked(*name)
    if member is None:
        raise Refusal("private-data-missing")
    await book.mark(*name, {**member, "to": next_hour(clock)})


def next_hour(clock: int) -> int:
    """The first full hour that has not begun."""
    return -(-clock // HOUR) * HOUR


def shares(member: Document, hour: int) -> bool:
    """Whether an hour is one of a membership's."""
    return member["since"] <= hour and (member["to"] is None or hour < member["to"])


async def member_of(book: Book, account: str, carrier: str) -> Document | None:
    """An account's membership as things stand."""
    held = await book.load("membership", account, carrier)
    if held is None or held["community"] is None:
        return None
    owner = book.tag("community", held["community"])
    (member,) = await book.held(MEMBER, owner, [book.tag(account)])
    return member


async def is_to_share(book: Book, account: str, carrier: str, hour: int) -> bool:
    """Whether an hour is one of those an account is in a community for, as things stand."""
    member = await member_of(book, account, carrier)
    return member is not None and shares(member, hour)
