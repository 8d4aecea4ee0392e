# SPDX-License-Identifier: Apache-2.0
"""What members may ask of folds and closes: a record's verdict, a day's findings, the window."""

from pedchain_chaincode import limits
from pedchain_chaincode.documents import Document
from pedchain_chaincode.metering import days, folding, guards, keys, queries
from pedchain_chaincode.metering.vault import Vault
from pedchain_domain.reasons import reason_of
from pedchain_fabric.shim import Context, Refusal


async def record(ctx: Context, device_id: str, counter: int) -> Document:
    """Every verdict on a (device, counter), the newest period first; `not-found` if none."""
    name = queries.identifier(device_id)
    fence = await guards.fence(ctx)
    entry = await queries.found(ctx, keys.device(ctx.stub, name))
    vault = await _opened(ctx)
    through = await folding.folded_through(ctx, entry["cell"] % fence.shards)
    verdicts: list[Document] = []
    for period in range(through, max(0, through - limits.TRAILS), -1):
        trail = await vault.load("trail", entry["cell"], period)
        verdicts += _verdicts(trail, name, counter) if trail else []
    if not verdicts:
        raise Refusal("not-found")
    return {"device": name, "counter": counter, "verdicts": verdicts}


def _verdicts(trail: Document, device: str, counter: int) -> list[Document]:
    return [
        {"period": trail["period"], "payload": digest, "status": str(reason_of(status))}
        for at, digest, status in trail["devices"].get(device, [])
        if at == counter
    ]


async def window(ctx: Context) -> Document:
    """The window of run P."""
    found = await (await _opened(ctx)).load("window", "P")
    if found is None:
        raise Refusal("not-found")
    return found


async def of_day(ctx: Context, day: str) -> Document:
    """What the newest run of a closed day found: [[reason, point or site, instant]...]."""
    vault = await _opened(ctx)
    for run in reversed(days.RUNS):
        kept = await vault.load("totals", day, run)
        if kept is not None:
            return {"day": day, "run": run, "findings": kept["totals"]["findings"]}
    raise Refusal("not-found")


async def _opened(ctx: Context) -> Vault:
    vault = await Vault.open(ctx)
    if vault is None:
        raise Refusal("not-found")
    return vault
