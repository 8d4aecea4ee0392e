# SPDX-License-Identifier: Apache-2.0
"""Which days are closed by which run, which comes next, and when it may (rules C1).

State `closing`: {run: {"first", "last"}}, each a day's name. Every run closes one day after the
other, so `last` says it all.
"""

from typing import Any, Final

from pedchain_chaincode.documents import Document, load, save
from pedchain_chaincode.metering import keys
from pedchain_chaincode.metering.vault import Vault
from pedchain_domain.calendar import shifted
from pedchain_fabric.shim import Context, Refusal

RUNS: Final = {"P": 0, "F": 9, "FINAL": 59}
"""A run -> full days that must have passed after the day: it is due on D+1, D+10, D+60."""

BEFORE: Final = {"F": "P", "FINAL": "F"}
_DAY_SECONDS: Final = 86_400


async def closing(ctx: Context) -> Document:
    """The state of closing; empty before the first day."""
    return await load(ctx.stub, keys.closing(ctx.stub)) or {}


async def first_open(ctx: Context) -> str:
    """The first day not closed yet, or none: from here a newly adopted version holds."""
    state = await closing(ctx)
    return shifted(state["P"]["last"], 1) if "P" in state else ""


def is_closed(state: Document, day: str, run: str) -> bool:
    """Whether the run has closed the day."""
    if run not in RUNS:
        raise Refusal("unknown-run")
    return run in state and bool(state[run]["first"] <= day <= state[run]["last"])


def check(state: Document, row: Any, run: str, now: int) -> None:
    """Refuse a day that is not the run's next, or not due yet.

    `now` is the transaction's own time. It is the client's claim, but an honest endorser takes no
    claim beyond its own clock by more than the peer's tolerance: good enough for `not before`.
    """
    day = row["day"]
    before = BEFORE.get(run)
    if before is not None and not is_closed(state, day, before):
        raise Refusal("run-missing")
    following = _following(state, run)
    if following is not None and day != following:
        raise Refusal("previous-day-open")
    if now < row["end"] + RUNS[run] * _DAY_SECONDS:
        raise Refusal("too-early")


def _following(state: Document, run: str) -> str | None:
    """The day the run must close next; None if it may be any."""
    if run in state:
        return shifted(state[run]["last"], 1)
    before = BEFORE.get(run)
    return None if before is None else str(state[before]["first"])


async def advance(ctx: Context, state: Document, day: str, run: str) -> None:
    """Write that the run has closed the day."""
    first = state[run]["first"] if run in state else day
    closed = {**state, run: {"first": first, "last": day}}
    await save(ctx.stub, keys.closing(ctx.stub), closed)


async def former(vault: Vault, day: str, run: str) -> Document | None:
    """What the run before kept of the day: {"totals", "printed"}."""
    before = BEFORE.get(run)
    return None if before is None else await vault.load("totals", day, before)


async def printed(vault: Vault, day: str, run: str) -> str | None:
    """The run whose sites are in print for the day, None before the first."""
    kept = await former(vault, day, run)
    return None if kept is None else str(kept["printed"])
