# SPDX-License-Identifier: Apache-2.0
"""Step 9, sharing: hours divided anew from what was measured and what the market left (S, P)."""

from collections.abc import Callable
from typing import Any, NamedTuple

from pedchain_audit.auction import Measured, SettlementError, compare, equal
from pedchain_audit.operatorsbook import Book, Change, Document
from pedchain_domain.market import sharing
from pedchain_domain.market.position import Position
from pedchain_domain.market.session import session_id
from pedchain_domain.market.tokenid import HOUR, Carrier


class Member(NamedTuple):
    """A member's hour: what of each interval takes part, Wh, and its position without sharing."""

    fed_in: list[int]
    drawn: list[int]
    position: Position


class Ground(NamedTuple):
    """What hours are shared on: the book, what sessions settled, the audit's own closing, and
    whether a district says that certificates of a mark left."""

    book: Book
    due: dict[str, dict[str, Document]]
    measured: Measured
    left: Callable[[str, str], bool]


def redo(ground: Ground, found: Document) -> int:
    """Compares a shared/1 or correction/1 with what follows; how many registers' hours were held
    against the audit's own closing."""
    book = ground.book
    held = book.named("community", found["community"])
    if held is None:
        raise SettlementError("an hour shared by a community nobody founded")
    terms, final = held["terms"], found["schema"] == "correction/1"
    shared = book.named("shared", found["community"], found["hour"]) if final else found
    if shared is None:
        raise SettlementError("a correction of an hour that was not shared")
    if not final:
        owner = book.tag("community", terms["id"])
        marks = book.marked("member", owner).values()
        joined = {
            one["account"]: one["factor_ppm"]
            for one in marks
            if _shares(one, found["hour"])
            and book.named("position", one["account"], terms["carrier"], found["hour"]) is None
        }
        equal(joined, found["factors"], "an hour's members")
        equal(terms["price"], found["price"], "an hour's price")
    members, compared = {}, 0
    for name, factor in sorted(shared["factors"].items()):
        members[name], same = _member(
            ground, name, factor, terms["carrier"], shared["hour"], final=final
        )
        compared += same
    equal(_divided(members, terms), found["members"], "a shared hour")
    return compared


def joined(change: Change, clock: int) -> None:
    """Raises `SettlementError` unless a membership begins, or ends, with the next full hour."""
    former, after = change.before or {}, change.after
    if after is None:
        raise SettlementError("a membership is gone")
    begins = former.get("to", 0) is not None
    written = after["since"] if begins else after["to"]
    same = begins or {**former, "to": None} == {**after, "to": None}
    if written is None or not same or not 0 <= written - clock < HOUR or written % HOUR:
        raise SettlementError("a membership takes in hours that had begun")


def _shares(member: Document, hour: int) -> bool:
    ended = member["to"] is not None and member["to"] <= hour
    return bool(member["since"] <= hour and not ended)


def _member(
    ground: Ground, name: str, factor: int, carrier: str, hour: int, *, final: bool
) -> tuple[Member, int]:
    book = ground.book
    account = book.named("account", name)
    if account is None or carrier not in account["places"]:
        raise SettlementError("a member without an account or place")
    zone = account["places"][carrier]["zone"]
    taken = ground.due.get(session_id(Carrier(carrier), zone, hour), {}).get(name)
    bound = _bound(ground, account, carrier, hour)
    sides, compared = [], 0
    for way, used in (("feeds", "sold"), ("draws", "bought")):
        wh = 0 if taken is None else taken[used]
        anew = final and (bound is None or way == "draws")
        parts, same = _parts(book, account, carrier, way, hour, wh, ground.measured, anew)
        sides.append((wh, parts, sharing.left_over(parts, wh)))
        compared += same
    (sold, fed, fed_left), (bought, drew, drawn_left) = sides
    position = Position(sum(fed), sum(drew), sold=sold, bought=bought)
    part = [[sharing.participating(wh, factor) for wh in left] for left in (fed_left, drawn_left)]
    if bound is not None:
        part[0] = sharing.left_over(part[0], max(0, sum(part[0]) - bound))
    return Member(part[0], part[1], position), compared


def _bound(ground: Ground, account: Document, carrier: str, hour: int) -> int | None:
    """What an account has given of an hour whose certificates left: it gives no more (P1)."""
    feeds = account["places"][carrier]["feeds"]
    mark = ground.book.tag("left", account["id"], hour)
    if carrier != Carrier.ELECTRICITY or feeds is None:
        return None
    if not ground.left(account["district"], mark):
        return None
    position = ground.book.named("position", account["id"], carrier, hour)
    return 0 if position is None else int(position["shared_out"])


def _parts(
    book: Book,
    account: Document,
    carrier: str,
    way: str,
    hour: int,
    taken: int,
    measured: Measured,
    final: bool,
) -> tuple[list[int], int]:
    """A register's intervals: run FINAL's for a correction, unless the market took more."""
    register = account["places"][carrier][way]
    if register is None:
        return [], 0
    where = (account["district"], register["point"])
    first = book.named("metered", *where, hour)
    last = book.named("final", *where, hour) if final else None
    if first is None:
        raise SettlementError("an hour is shared before all was shown")
    compared = compare(first, where, hour, measured)
    for shown in (last, first):
        if shown is None:
            continue
        parts, whole = shown["registers"].get(register["role"], [[], False])
        found = list(parts) if whole else []
        if sum(found) >= taken:
            return found, compared
    raise SettlementError("more was sold or bought than was measured")


def _divided(members: dict[str, Member], terms: Document) -> dict[str, list[int]]:
    keys = _keys(terms)
    sums: dict[str, Any] = {name: [0, 0, 0, 0] for name in members}
    fed_in = {name: one.fed_in for name, one in members.items()}
    drawn = {name: one.drawn for name, one in members.items()}
    count = max(map(len, [*fed_in.values(), *drawn.values()]), default=0)
    for at in range(count):
        shared = sharing.share(_at(fed_in, at), _at(drawn, at), keys)
        for name, paid in sharing.pay(shared, terms["price"]).items():
            row = sums[name]
            row[0] += shared.received.get(name, 0)
            row[1] += shared.given.get(name, 0)
            row[2] += paid.pays
            row[3] += paid.receives
    for name, one in members.items():
        one.position.shared(out=sums[name][1], into=sums[name][0])
    return sums


def _at(parts: dict[str, list[int]], at: int) -> dict[str, int]:
    return {name: wh[at] for name, wh in parts.items() if at < len(wh)}


def _keys(terms: Document) -> sharing.Keys:
    if terms["key"] == "static":
        return sharing.Static(terms["shares"])
    return sharing.Priority(terms["shares"]) if terms["key"] == "priority" else sharing.Dynamic()
