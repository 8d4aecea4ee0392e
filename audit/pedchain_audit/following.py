# SPDX-License-Identifier: Apache-2.0
"""Steps 8 and 9 together: what was sold or shared with its origin took its certificates along
(rules P2), and what an order says of its origin is what its owner signed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pedchain_audit.auction import SettlementError, equal
from pedchain_audit.errors import Broken
from pedchain_audit.operatorsbook import Book, Change, Document
from pedchain_audit.registry import decode
from pedchain_audit.world import World
from pedchain_domain import origin, origincert
from pedchain_domain.debit import Debit
from pedchain_domain.market import orders
from pedchain_domain.market.following import ENERGY_ONLY, along
from pedchain_domain.market.session import session_id
from pedchain_domain.market.tokenid import Carrier
from pedchain_fabric.wire import compositekey

CARRIER = Carrier.ELECTRICITY
OVER = ("SETTLED", "VOID")
PLACING = ("register-order", "amend-order")
Due = Mapping[str, Mapping[str, Document]]
#: What registers (point, role) of a district gave, or took, in an hour together with its origin: by
#: pool, Wh. From the state of the world, the district, the registers, `feeds` or `draws`, the hour.
Follows = Callable[[World, str, Sequence[tuple[str, str]], str, int], dict[str, int]]


class FollowingError(Broken):
    """Certificates did not go with what was given; the text tells what."""

    check = "origin"


def nothing(*_: object) -> dict[str, int]:
    """What follows where settlement is not to be had."""
    return {}


def given(
    book: Book,
    due: Due,
    world: World,
    district: str,
    registers: Sequence[tuple[str, str]],
    way: str,
    hour: int,
) -> dict[str, int]:
    """As `Follows`. Raises `FollowingError` where more can still be given."""
    found: dict[str, int] = {}
    for point, role in registers:
        register = book.named("register", district, point, role)
        account = None if register is None else book.named("account", register["account"])
        place = None if account is None else account["places"].get(str(CARRIER))
        if account is None or not place or place[way] != {"point": point, "role": role}:
            continue
        for pool, wh in (
            *_sold(book, due, world, account, place["zone"], way, hour),
            *_shared(book, account, way, hour),
        ):
            found[pool] = found.get(pool, 0) + wh
    return {pool: wh for pool, wh in found.items() if wh}


def _sold(
    book: Book, due: Due, world: World, account: Document, zone: int, way: str, hour: int
) -> Iterable[tuple[str, int]]:
    name = session_id(CARRIER, zone, hour)
    value = world.value("settlement", compositekey.create("session", [name]))
    if value is not None and decode(value)["state"] not in OVER:
        raise FollowingError("certificates move while their hour can be sold")
    row = due.get(name, {}).get(account["id"])
    if row is not None:
        wh = row["sold" if way == "feeds" else "bought"]
        yield f"market:{zone}", wh - row.get("energy_only", 0) if wh else 0


def _shared(book: Book, account: Document, way: str, hour: int) -> Iterable[tuple[str, int]]:
    position = book.named("position", account["id"], str(CARRIER), hour)
    held = book.named("membership", account["id"], str(CARRIER))
    if position is None:
        if held is not None and held["community"] is not None:
            _not_shared(book, account, held["community"], hour)
        return
    if name := position.get("community"):
        shared, founded = book.named("shared", name, hour), book.named("community", name)
        follows = (founded or {})["terms"].get("origin") != ENERGY_ONLY
        row = (shared or {})["members"][account["id"]]
        yield f"sharing:{name}", row[way == "feeds"] if follows else 0


def _not_shared(book: Book, account: Document, community: str, hour: int) -> None:
    member = book.marked("member", book.tag("community", community)).get(book.tag(account["id"]))
    if member is None or member["since"] > hour:
        return
    if member["to"] is None or hour < member["to"]:
        raise FollowingError("certificates move while their hour can be shared")


def signed_lines(marked: Iterable[Change], spent: Debit | None) -> None:
    """Raises `SettlementError` unless the order lines a transaction writes are those signed."""
    placed = [one for one in marked if one.kind in ("ask", "bid") and one.before is None]
    made = [(one.kind, one.owner, *_line(one.after or {})) for one in placed]
    signed: list[Any] = []
    if spent is not None and spent.action in PLACING:
        body = {name: value for name, value in spent.body.items() if name != "order"}
        order = orders.check(body, minimum=1)
        side = "ask" if order.kind == orders.Kind.OFFER else "bid"
        about = (spent.account, order.energy_only)
        signed = [(side, one.session, one.quantity, one.limit, *about) for one in order.lines]
    if sorted(made) != sorted(signed):
        raise SettlementError("order lines are not those their owner signed")


def _line(one: Document) -> tuple[int, int, str, bool]:
    apart = one["about"][5:] == [ENERGY_ONLY]
    return one["quantity"], one["limit"], one["account"], apart


def redo(
    before: Document,
    after: Document,
    certificates: Mapping[str, Document],
    follows: Callable[[int], dict[str, int]],
) -> list[Document]:
    """What the certificates of an issue's newly done hours must become, but for their salts.
    Raises `FollowingError` for an issue that says otherwise, or changes in anything else."""
    done = before.get("followed", {})
    kept = {name: value for name, value in after.items() if name != "followed"}
    if kept != {name: value for name, value in before.items() if name != "followed"}:
        raise FollowingError("an issue changes in more than what went with the energy")
    if any(after["followed"].get(hour) != parts for hour, parts in done.items()):
        raise FollowingError("what went with the energy goes back")
    made: list[Document] = []
    for hour, told in after["followed"].items():
        if hour in done:
            continue
        mine = [certificates[name] for name in _issued(before, int(hour)) if name in certificates]
        parts = along([one["wh"] for one in mine], follows(int(hour)))
        sums: dict[str, int] = {}
        for one, part in zip(mine, parts, strict=True):
            made.append({**origincert.followed(one, part), "salt": None})
            for pool, wh in part.items():
                sums[pool] = sums.get(pool, 0) + wh
        equal(sums, told, "what went with the energy")
    return made


def add(hours: dict[str, dict[str, int]], before: Document, after: Document) -> None:
    """Add what newly went with the energy to a day's pools, by hour."""
    for hour, parts in after.items():
        if hour not in before and parts:
            whole = hours.setdefault(hour, {})
            for pool, wh in parts.items():
                whole[pool] = whole.get(pool, 0) + wh


def _issued(issue: Document, hour: int) -> list[str]:
    """Ids of the certificates that an issue's hour made."""
    return [
        origincert.first_id(origin.issue_of(issue["salt"], point, at))
        for point, at, grid, _, account in issue["rows"]
        if at == hour and grid and account is not None
    ]


def registers_of(points: Iterable[origin.Point]) -> list[tuple[str, str]]:
    """All registers of a site's points."""
    return [(point.id, role) for point in points for role in sorted(point.registers)]
