# SPDX-License-Identifier: Apache-2.0
"""What registers measured in an hour, proven against the district's certificate (rules K10, C5).

Settlement cannot read a district's readings, nor need it: whoever holds them shows the leaves of
the hour's intervals with their way to the root that the certificate of run F prints, and every
endorser checks that way. A leaf also says the class, so that a bad hour is proven to be bad, and
nobody gains by keeping a proof back: the operators hold all of them.

    metered, final {registers: {role: [[Wh by interval], all measured]}}
                                                 each under (district, point, hour)

What was shown first is what the market settles and communities share by. Where run FINAL says
otherwise that is kept beside it, for corrections.
"""

from collections.abc import Sequence
from typing import Any

from pedchain_chaincode.calling import answer_of
from pedchain_chaincode.documents import Document, read_array, refusals
from pedchain_chaincode.settlement import limits
from pedchain_chaincode.settlement.book import Book
from pedchain_domain import canonical, proofs
from pedchain_domain.intervals import MEASURED
from pedchain_domain.market.tokenid import HOUR
from pedchain_fabric.shim import Refusal

RUNS = ("F", "FINAL")


def shown(data: bytes) -> list[Document]:
    """The proofs in the transient map, and the leaves they show: [{proof, leaf}]."""
    found = []
    for proof in read_array(data, limits.PROOFS):
        with refusals():
            found.append({"proof": proof, "leaf": proofs.check(proof)})
    if not found:
        raise Refusal("malformed-document", "proofs")
    return found


async def attach(book: Book, found: Sequence[Document]) -> None:
    """Keep what proofs of one district's day show: whole hours of its points, each once by each
    run. Refuses `not-certified` for a root that is not the certificate's, `malformed-document` for
    proofs of less than an hour."""
    district, day = found[0]["proof"]["district"], found[0]["proof"]["day"]
    if district not in book.setup.districts:
        raise Refusal("unknown-district")
    certificate = await _certificate(book, district, day)
    if certificate["run"] not in RUNS:
        raise Refusal("not-certified", "run")
    for one in found:
        if (one["proof"]["district"], one["proof"]["day"]) != (district, day):
            raise Refusal("malformed-document", "proofs")
        if one["proof"]["roots"][-1] != certificate["root"]:
            raise Refusal("not-certified", "root")
    for (point, hour), leaves in _hours(found, certificate["grain"]).items():
        name, document = (district, point, hour), {"registers": _sums(leaves)}
        await _keep(book, name, document, final=certificate["run"] == "FINAL")


def _hours(found: Sequence[Document], grain: int) -> dict[tuple[str, int], list[Document]]:
    """The registers that proofs show, by point and hour. Refuses less than whole hours in order."""
    hours: dict[tuple[str, int], list[Document]] = {}
    for one in found:
        leaf = one["leaf"]
        hour = leaf["interval"] - leaf["interval"] % HOUR
        parts = hours.setdefault((leaf["point"], hour), [])
        if leaf["interval"] != hour + len(parts) * grain:
            raise Refusal("malformed-document", "intervals")
        parts.append(leaf["registers"])
    if any(len(parts) * grain != HOUR for parts in hours.values()):
        raise Refusal("malformed-document", "intervals")
    return hours


async def _keep(book: Book, name: tuple[str, str, int], document: Document, *, final: bool) -> None:
    """Keep an hour as first shown, or beside it what run FINAL says otherwise."""
    first, last = await book.load_many([("metered", *name), ("final", *name)])
    if first is None or first == document:
        await book.save(("metered", *name), document)
    elif final and last in (None, document):
        await book.save(("final", *name), document)
    else:
        raise Refusal("already-registered")


async def intervals(
    book: Book, account: Document, carrier: str, way: str, hour: int, *, final: bool = False
) -> tuple[bool, list[int] | None]:
    """Whether an account's register was shown for the hour, and its Wh by interval, None if not
    measured; by run FINAL if asked for and if that says otherwise. A way the account has no
    register for counts as shown and not measured."""
    place = account["places"].get(carrier)
    register = None if place is None else place[way]
    if register is None:
        return True, None
    name = (account["district"], register["point"], hour)
    first, last = await book.load_many([("metered", *name), ("final", *name)])
    found = first if last is None or not final else last
    if found is None:
        return False, None
    parts, measured = found["registers"].get(register["role"], [[], False])
    return True, list(parts) if measured else None


async def day(
    book: Book, account: Document, carrier: str, hours: Sequence[int]
) -> list[tuple[int | None, int | None]]:
    """What an account fed in and drew in each hour, Wh; None where that is not measured or was not
    shown."""
    place = account["places"].get(carrier) or {"feeds": None, "draws": None}
    ways = [place["feeds"], place["draws"]]
    points = dict.fromkeys(way["point"] for way in ways if way is not None)
    names = [("metered", account["district"], point, hour) for point in points for hour in hours]
    shown = dict(zip(names, await book.load_many(names), strict=True))

    def wh(way: Document | None, hour: int) -> int | None:
        if way is None:
            return None
        found = shown[("metered", account["district"], way["point"], hour)]
        return None if found is None else _wh(found, way["role"])

    return [(wh(ways[0], hour), wh(ways[1], hour)) for hour in hours]


async def energies(
    book: Book, meters: Sequence[Sequence[str]], hour: int
) -> list[tuple[bool, int | None]]:
    """As `intervals`, for the whole hour, of many registers [district, point, role] at once."""
    names = [("metered", district, point, hour) for district, point, _ in meters]
    return [
        (False, None) if found is None else (True, _wh(found, role))
        for (_, _, role), found in zip(meters, await book.load_many(names), strict=True)
    ]


def _wh(found: Document, role: str) -> int | None:
    parts, measured = found["registers"].get(role, [[], False])
    return sum(parts) if measured else None


async def _certificate(book: Book, district: str, day: str) -> Document:
    with refusals():
        canonical.check_id(day)
    found = await answer_of(book.ctx, metering(district), "GetCertificate", day)
    if not isinstance(found, dict) or found.get("district") != district:
        raise Refusal("not-certified")
    return found


def metering(district: str) -> str:
    """The definition that certifies a district."""
    return f"metering-{district}"


def _sums(registers: Sequence[Document]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for role in sorted(registers[0]):
        rows = [one.get(role, ["X", 0]) for one in registers]
        found[role] = [[wh for _, wh in rows], all(letter == MEASURED for letter, _ in rows)]
    return found
