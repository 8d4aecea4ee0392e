# SPDX-License-Identifier: Apache-2.0
"""What sites with a storage sold to their peers in the hours of an order: their baseline is lowered
by it, for the market has paid it (rules D6, P3)."""

from collections.abc import Mapping

from pedchain_chaincode.documents import Document, load
from pedchain_chaincode.settlement import keys, outcome
from pedchain_chaincode.settlement.book import Book
from pedchain_domain.flexibility import order as rules
from pedchain_domain.market.session import State, session_id
from pedchain_domain.market.tokenid import HOUR, Carrier
from pedchain_fabric.shim import Refusal

_OVER = (State.SETTLED, State.VOID)


async def sold(
    book: Book, order: Document, district: str, points: Mapping[str, str]
) -> dict[str, list[list[int]]]:
    """[[hour, Wh]] by site, of those that sold something; `points` says where each feeds in.
    Refuses `market-open` while an hour of the order is not settled."""
    sellers = await _sellers(book, district, points)
    found: dict[str, list[list[int]]] = {}
    first = order["start"] // HOUR * HOUR
    for hour in range(first, rules.end(order), HOUR):
        for site, wh in (await _hour(book, sellers, hour)).items():
            found.setdefault(site, []).append([hour, wh])
    return found


async def _sellers(
    book: Book, district: str, points: Mapping[str, str]
) -> dict[str, tuple[str, int]]:
    """The account and zone that sell a site's energy, of those that have one."""
    sites = sorted(points)
    names = [("register", district, points[site], "E") for site in sites]
    registers = zip(sites, await book.load_many(names), strict=True)
    held = {site: one["account"] for site, one in registers if one is not None}
    accounts = await book.load_many([("account", name) for name in held.values()])
    found: dict[str, tuple[str, int]] = {}
    for (site, name), account in zip(held.items(), accounts, strict=True):
        place = None if account is None else account["places"].get(Carrier.ELECTRICITY)
        if place is not None:
            found[site] = (name, place["zone"])
    return found


async def _hour(book: Book, sellers: Mapping[str, tuple[str, int]], hour: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for zone in sorted(dict.fromkeys(zone for _, zone in sellers.values())):
        name = session_id(Carrier.ELECTRICITY, zone, hour)
        session = await load(book.stub, keys.session(book.stub, name))
        if session is None:
            continue
        if session["state"] not in _OVER:
            raise Refusal("market-open")
        mine = {site: account for site, (account, where) in sellers.items() if where == zone}
        due = await outcome.dues(book, session, list(mine.values()))
        for site, account in mine.items():
            row = due.get(account)
            if row is not None and row["sold"]:
                found[site] = row["sold"]
    return found
