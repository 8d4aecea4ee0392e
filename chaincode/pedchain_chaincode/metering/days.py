# SPDX-License-Identifier: Apache-2.0
"""Which days are closed, by which run, and which day comes next.

State `closing`: {"first", "last": days, "next": the day after the last, "runs": {day: run}}; `runs`
holds the days whose run is not FINAL yet.
"""

from pedchain_chaincode.documents import Document, load
from pedchain_chaincode.metering import keys
from pedchain_fabric.shim import Context

BEYOND = "9999-12-31"
"""Where a new version starts if the calendar ends with the last closed day."""


async def closing(ctx: Context) -> Document:
    """The state of closing; empty before the first day."""
    found = await load(ctx.stub, keys.closing(ctx.stub))
    return found or {"first": "", "last": "", "next": "", "runs": {}}


async def first_open(ctx: Context) -> str:
    """The first day not closed yet: from here a newly adopted version holds."""
    state = await closing(ctx)
    return str(state["next"])


def day_after(rows: list[Document], day: str) -> str:
    """The calendar's next day, or `BEYOND`."""
    later = sorted(str(row["day"]) for row in rows if row["day"] > day)
    return later[0] if later else BEYOND
