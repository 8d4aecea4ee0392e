# SPDX-License-Identifier: Apache-2.0
"""A session: the market of one carrier, zone and delivery hour (rules K4).

    SCHEDULED -> OPEN -> CLOSED -> CLEARED -> MEASURED -> SETTLED
    SCHEDULED, OPEN, CLOSED -> VOID

All hours of local day D + 1 open at the start of day D. The gate is at 17:00 of D, clearing may
take until 22:00, and what is not cleared then is void: every deposit comes back. The clock changes
at night, so hours of the evening are counted back from the day's end. Every step is anyone's to
take once it is due by the ledger clock.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from pedchain_domain.calendar import Day
from pedchain_domain.market import tokenid
from pedchain_domain.market.tokenid import HOUR, Carrier, Product
from pedchain_domain.reasons import DomainError, Reason

GATE_BEFORE_END: Final = 7 * HOUR
CLEAR_BEFORE_END: Final = 6 * HOUR + 2_700
VOID_BEFORE_END: Final = 2 * HOUR


class State(StrEnum):
    """Where a session stands."""

    SCHEDULED = "SCHEDULED"
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    CLEARED = "CLEARED"
    MEASURED = "MEASURED"
    SETTLED = "SETTLED"
    VOID = "VOID"


class Step(StrEnum):
    """What moves a session on."""

    OPEN = "open"
    CLOSE = "close"
    CLEAR = "clear"
    VOID = "void"
    MEASURE = "measure"
    SETTLE = "settle"


_MOVES: Final = {
    Step.OPEN: ((State.SCHEDULED,), State.OPEN),
    Step.CLOSE: ((State.OPEN,), State.CLOSED),
    Step.CLEAR: ((State.CLOSED,), State.CLEARED),
    Step.VOID: ((State.SCHEDULED, State.OPEN, State.CLOSED), State.VOID),
    Step.MEASURE: ((State.CLEARED,), State.MEASURED),
    Step.SETTLE: ((State.MEASURED,), State.SETTLED),
}


@dataclass(frozen=True, slots=True)
class Times:
    """A session's instants, UTC s: when it opens, its gate, when it should be and must be cleared,
    and when its delivery begins and ends."""

    opens: int
    gate: int
    clear_by: int
    void: int
    begins: int
    ends: int


def times(day_before: Day, hour: int) -> Times:
    """The instants of an hour, by the local day before the one its start lies in (rules T4)."""
    end = day_before["end"]
    return Times(
        opens=day_before["start"],
        gate=end - GATE_BEFORE_END,
        clear_by=end - CLEAR_BEFORE_END,
        void=end - VOID_BEFORE_END,
        begins=hour,
        ends=hour + HOUR,
    )


def hours_of(day: Day) -> list[int]:
    """The UTC hours whose start lies in a local day: what its sessions deliver (rules T4)."""
    first = -(-day["start"] // HOUR) * HOUR
    return list(range(first, day["end"], HOUR))


def move(state: State, step: Step, at: Times, clock: int) -> State:
    """The state after a step that is due.

    DomainError `wrong-state` from any other state, `too-early` before it is due, `too-late` for
    opening a session past its gate or clearing it past its void.
    """
    before, after = _MOVES[step]
    if state not in before:
        raise DomainError(Reason.WRONG_STATE, state)
    due = {
        Step.OPEN: at.opens,
        Step.CLOSE: at.gate,
        Step.CLEAR: at.gate,
        Step.VOID: at.void,
        Step.MEASURE: at.ends,
        Step.SETTLE: at.ends,
    }[step]
    if clock < due:
        raise DomainError(Reason.TOO_EARLY)
    last = {Step.OPEN: at.gate, Step.CLEAR: at.void}.get(step)
    if last is not None and clock >= last:
        raise DomainError(Reason.TOO_LATE)
    return after


def accepts(state: State) -> None:
    """Refuse an order unless the session is open: DomainError `too-early`, `too-late`, `past-hour`.

    The state alone decides. An order that also read the clock would fail with every tick; so it
    reads the session, and whoever closes it fails what is in flight.
    """
    if state == State.SCHEDULED:
        raise DomainError(Reason.TOO_EARLY)
    if state in (State.CLOSED, State.CLEARED, State.VOID):
        raise DomainError(Reason.TOO_LATE)
    if state != State.OPEN:
        raise DomainError(Reason.PAST_HOUR)


def session_id(carrier: Carrier, zone: int, hour: int) -> str:
    """A session's id in documents: the hex of its whole-hour product."""
    return f"{Product(carrier, zone, hour).token:064x}"


def product_of(session: str, zone: int | None = None) -> Product:
    """What a session trades, from its id, or the same of another zone; DomainError
    `unknown-token`."""
    product = tokenid.product_of(tokenid.from_hex(session))
    if product.producer or product.quarter is not None:
        raise DomainError(Reason.UNKNOWN_TOKEN)
    return product if zone is None else replace(product, zone=zone)
