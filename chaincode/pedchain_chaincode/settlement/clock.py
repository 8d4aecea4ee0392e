# SPDX-License-Identifier: Apache-2.0
"""Contract `clock`: the organisations' ticks, and the time they make (rules K5)."""

from pedchain_chaincode.documents import refusals, save
from pedchain_chaincode.guard import guarded
from pedchain_chaincode.settlement import guards, keys
from pedchain_chaincode.settlement.setup import Setup
from pedchain_domain import canonical
from pedchain_domain.market import ledgerclock
from pedchain_fabric.shim import Context, Contract, evaluate, submit


class ClockContract(Contract):
    """The time that what is due is measured by: no client's, and no single organisation's."""

    name = "clock"

    @submit
    @guarded("permitted", "tick")
    async def tick(self, ctx: Context, instant: int) -> None:
        """Post the client's organisation's time, UTC s; it never goes back."""
        await guards.permitted(ctx, "tick")
        organization = ctx.client.msp_id
        last = await guards.tick(ctx, organization)
        with refusals():
            at = ledgerclock.tick(last, instant)
        await save(ctx.stub, keys.tick(ctx.stub, organization), {"at": at})

    @evaluate
    async def get_clock(self, ctx: Context) -> bytes:
        """The time, and every organisation's newest tick."""
        setup = await guards.setup(ctx)
        ticks = await guards.ticks(ctx, setup.organizations)
        return canonical.encode({"clock": await now(ctx, setup), "ticks": ticks})


async def now(ctx: Context, setup: Setup) -> int:
    """The ledger's time, UTC s."""
    ticks = await guards.ticks(ctx, setup.organizations)
    return ledgerclock.clock(ticks, setup.organizations)
