# SPDX-License-Identifier: Apache-2.0
"""Sessions on the ledger (rules K4).

    session/1 {schema, id, carrier, zone, hour, state, times, quotes: {class: [retail, feed_in]},
               ceiling, pricing, lot, stands_in, step, shards, chunks, price, volume, flow, curves,
               partner, purged}

A session is written when it opens, with the references it will settle at; every order reads it, so
closing it fails the orders in flight. `step` is how far clearing or settling has come, `shards` and
`chunks` in how many documents its outcome and its orders stand. Price, volume and the curves' steps
stand here only where enough accounts are behind them, none with most of it (rules C2). A session
that was cleared with another zone's names its `partner`; `flow` is what went there, Wh.
"""

from dataclasses import asdict
from typing import Any

from pedchain_chaincode.documents import Document, load, refusals
from pedchain_chaincode.settlement import keys
from pedchain_chaincode.settlement.places import table_for
from pedchain_domain.calendar import Day
from pedchain_domain.market import reference
from pedchain_domain.market.session import State, Step, Times, move, session_id, times
from pedchain_domain.market.tokenid import Carrier
from pedchain_fabric.shim import Refusal, Stub

NOT_BEGUN: Document = {"phase": "none"}
OVER = (str(State.SETTLED), str(State.VOID))


def opened(zone: Document, hour: int, before: Day, tables: list[Any], clock: int) -> Document:
    """The session of a zone's hour, opened. Refuses `too-early`, `too-late`, `no-reference`."""
    carrier = Carrier(zone["carrier"])
    at = times(before, hour)
    table = table_for(tables, hour)
    with refusals():
        identifier = session_id(carrier, zone["number"], hour)
        state = move(State.SCHEDULED, Step.OPEN, at, clock)
        quotes = {
            name: list(reference.quote(table, name, hour)) for name in sorted(table["classes"])
        }
        ceiling = reference.ceiling(table, hour)
    return {
        "schema": "session/1",
        "id": identifier,
        "carrier": str(carrier),
        "zone": zone["number"],
        "hour": hour,
        "state": str(state),
        "times": asdict(at),
        "quotes": quotes,
        "ceiling": ceiling,
        "pricing": zone["pricing"],
        "lot": zone["lot"],
        "stands_in": reference.stands_in(table, hour),
        "step": dict(NOT_BEGUN),
        "shards": 0,
        "chunks": 0,
        "purged": False,
        "price": None,
        "volume": None,
        "flow": None,
        "partner": None,
        "curves": None,
    }


def moved(session: Document, step: Step, clock: int) -> Document:
    """The session after a step that is due. Refuses `wrong-state`, `too-early`, `too-late`."""
    with refusals():
        state = move(State(session["state"]), step, Times(**session["times"]), clock)
    return {**session, "state": str(state)}


async def over(stub: Stub, carrier: str, zone: int, hour: int) -> None:
    """Refuse `market-open` while an hour's session is neither settled nor void."""
    with refusals():
        name = session_id(Carrier(carrier), zone, hour)
    session = await load(stub, keys.session(stub, name))
    if session is not None and session["state"] not in OVER:
        raise Refusal("market-open")
