# SPDX-License-Identifier: Apache-2.0
"""What members may ask of folds and closes: a record's verdict, a day's findings, the window."""

from pedchain_chaincode import limits
from pedchain_chaincode.documents import Document, load
from pedchain_chaincode.metering import days, guards, keys, queries
from pedchain_chaincode.metering.vault import Vault
from pedchain_domain import transactions
from pedchain_domain.reasons import Reason, reason_of, status_of
from pedchain_fabric.shim import Context, Refusal


async def record(ctx: Context, device_id: str, counter: int) -> Document:
    """Every verdict on a (device, counter), the newest period first, of readings (context F) and
    of transactions (T); `not-found` if none."""
    await guards.fence(ctx)
    entry = await queries.registered(ctx, keys.device, device_id)
    name = entry["document"]["id"]
    vault = await _opened(ctx)
    cell, names = entry["cell"], (name, transactions.row_name(name))
    where = await vault.load("where", cell, counter // limits.COUNTERS_TOGETHER)
    noted = {} if where is None else where["devices"]
    spans = [span for one in names for span in noted.get(one, ())]
    told = {period for period, low, high in spans if low <= counter <= high}
    periods = sorted(told, reverse=True)
    trails = await vault.load_held([("trail", cell, period) for period in periods[: limits.TRAILS]])
    verdicts = [
        verdict for trail in trails for one in names for verdict in _verdicts(trail, one, counter)
    ]
    if not verdicts:
        raise Refusal("not-found")
    return {"device": name, "counter": counter, "verdicts": verdicts}


def _verdicts(trail: Document, device: str, counter: int) -> list[Document]:
    context = "F" if transactions.device_of(device) is None else transactions.CONTEXT
    return [
        {
            "period": trail["period"],
            "context": context,
            "payload": digest,
            "status": str(reason_of(status)),
        }
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
    """A day's findings: `close` of its newest run as [reason, point or site, instant]; `records`
    of the periods that filed readings for it as {"reason", "device", "counter", "period"}, or
    {"reason": "duplicate", "device", "count", "period"}. `complete` is false beyond a bound."""
    vault = await _opened(ctx)
    layout = await load(ctx.stub, keys.layout(ctx.stub))
    cells = range(len(layout["cells"]) if layout else 0)
    indexes = await vault.load_many([("day", cell, day) for cell in cells])
    trails = [
        ("trail", cell, period)
        for cell, index in zip(cells, indexes, strict=True)
        for period in (index["periods"] if index else [])
    ]
    records: list[Document] = []
    for name in trails[: limits.TRAILS]:
        trail = await vault.load(*name)
        records += _records(trail) if trail else []
    newest = await _newest(vault, day)
    if newest is None and not trails:
        raise Refusal("not-found")
    shown = records[: limits.FINDINGS]
    complete = len(trails) <= limits.TRAILS and len(shown) == len(records)
    return {"day": day, "close": newest or [], "records": shown, "complete": complete}


async def _newest(vault: Vault, day: str) -> list[Document] | None:
    """What the newest run of a closed day found."""
    for run in reversed(days.RUNS):
        kept = await vault.load("totals", day, run)
        if kept is not None:
            return list(kept["totals"]["findings"])
    return None


def _records(trail: Document) -> list[Document]:
    """What of a period's records was not plainly recorded."""
    recorded = status_of(Reason.RECORDED)
    period = trail["period"]
    found: list[Document] = [
        {
            "reason": str(reason_of(status)),
            "device": device,
            "counter": counter,
            "period": period,
        }
        for device, entries in trail["devices"].items()
        for counter, _, status in entries
        if status != recorded
    ]
    for device, count in trail["duplicates"].items():
        repeated = {"reason": str(Reason.DUPLICATE), "device": device, "count": count}
        found.append({**repeated, "period": period})
    return found


async def _opened(ctx: Context) -> Vault:
    vault = await Vault.open(ctx)
    if vault is None:
        raise Refusal("not-found")
    return vault
