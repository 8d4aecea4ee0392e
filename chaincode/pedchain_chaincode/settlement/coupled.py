# SPDX-License-Identifier: Apache-2.0
"""Two zones with limits between them, published by the system operator (rules K8).

    limits/1  {schema, zones: [number, number], start, limits: [[there, back]]}
    limit     {partner, there, back}     of each session: Wh to its partner and back

`there` is what may flow from the first zone to the second in an hour, Wh; the rows are the hours
from `start` on. An hour's limits stand once its gate is past; until then they may be replaced, its
zones not. Only zones of electricity at one price can be coupled: heat stays in its heat network.

Both sessions of an hour are then cleared, and settled, in one transaction. What prices differ by,
for what is settled across the limit, goes to the account `congestion`, which the operator
registers as any other.
"""

from typing import Final, NamedTuple

from pedchain_chaincode.documents import Document, load, read, refusals, save
from pedchain_chaincode.settlement import guards, keys, limits, places
from pedchain_domain import fields
from pedchain_domain.market.session import State, session_id, times
from pedchain_domain.market.tokenid import HOUR, Carrier
from pedchain_fabric.shim import Context, Refusal

CONGESTION: Final = "congestion"
_bounded: fields.Test = fields.up_to(limits.FLOW)
_SHAPE: fields.Shape = {
    "schema": fields.one_of("limits/1"),
    "zones": lambda value: _two(value, fields.positive),
    "start": lambda value: fields.count(value) and value % HOUR == 0,
    "limits": lambda value: isinstance(value, list) and all(_two(row, _bounded) for row in value),
}


class Pair(NamedTuple):
    """One session, or two coupled ones by id, with what may flow from the first to the second."""

    sessions: list[Document]
    there: int = 0
    back: int = 0


def limits_of(document: bytes) -> Document:
    """Limits as published, checked."""
    found = read(document)
    with refusals():
        fields.check(found, _SHAPE)
    if not 0 < len(found["limits"]) <= limits.HOURS:
        raise Refusal("too-large" if found["limits"] else "malformed-document", "limits")
    return found


def fits(zone: Document | None) -> None:
    """Refuse `unknown-zone`, or `wrong-zone` for one that cannot be coupled."""
    if zone is None:
        raise Refusal("unknown-zone")
    if (zone["carrier"], zone["pricing"]) != (str(Carrier.ELECTRICITY), "uniform"):
        raise Refusal("wrong-zone")


async def put(ctx: Context, found: Document, calendar: Document | None, clock: int) -> None:
    """Write the hours' limits for both their sessions. Refuses `too-late` past the gate."""
    for at, (there, back) in enumerate(found["limits"]):
        hour = found["start"] + at * HOUR
        if clock >= times(places.day_before(calendar, hour), hour).gate:
            raise Refusal("too-late")
        with refusals():
            first, second = (
                session_id(Carrier.ELECTRICITY, number, hour) for number in found["zones"]
            )
        await _put(ctx, first, {"partner": second, "there": there, "back": back})
        await _put(ctx, second, {"partner": first, "there": back, "back": there})


async def _put(ctx: Context, session: str, limit: Document) -> None:
    former = await guards.limit(ctx, session)
    if former is not None and former["partner"] != limit["partner"]:
        raise Refusal("already-registered", "zones")
    await save(ctx.stub, keys.limit(ctx.stub, session), limit)


async def to_clear(ctx: Context, session: Document) -> Pair:
    """What is cleared with a session: itself, and its partner if energy may flow between them.
    Refuses `wrong-state` while the partner is open; one that was never opened is none."""
    limit = await guards.limit(ctx, session["id"])
    if limit is None or not (limit["there"] or limit["back"]):
        return Pair([session])
    other = await load(ctx.stub, keys.session(ctx.stub, limit["partner"]))
    if other is None:
        return Pair([session])
    if other["state"] != State.CLOSED:
        raise Refusal("wrong-state", "partner")
    if session["id"] < other["id"]:
        return Pair([session, other], limit["there"], limit["back"])
    return Pair([other, session], limit["back"], limit["there"])


async def to_settle(ctx: Context, session: Document) -> list[Document]:
    """What is settled with a session: itself, and the partner it was cleared with, by id."""
    if session["partner"] is None:
        return [session]
    other = await guards.session(ctx, session["partner"])
    return sorted((session, other), key=lambda each: str(each["id"]))


def _two(value: object, test: fields.Test) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(test, value))
