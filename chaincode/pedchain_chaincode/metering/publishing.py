# SPDX-License-Identifier: Apache-2.0
"""A run's certificates out to the public: the day's, and with a month's last day the month's.

What they say is `domain.issue`; here what it rests on is loaded and what it leaves is written.
"""

from pedchain_chaincode.documents import Document, load, save
from pedchain_chaincode.metering import days, keys
from pedchain_chaincode.metering.cellday import Rules
from pedchain_chaincode.metering.vault import Vault
from pedchain_chaincode.state import store
from pedchain_domain import window as windows
from pedchain_domain.issue import Before, Rests, issue, month_ends
from pedchain_fabric.shim import Context, keypolicy

EVENT = "CertificateIssued"


async def publish(ctx: Context, vault: Vault, rules: Rules, sums: Document, batches: str) -> None:
    """Write totals, window and certificates of a complete day; the event is a hint."""
    day, run = rules.day["day"], rules.run
    rests = Rests(rules.district, rules.factors, rules.day, run, batches)
    before = await _before(ctx, vault, rules)
    issued = issue(rests, sums["total"], sums["changed"], before)
    await vault.save(("window", run), issued.window)
    await vault.save(("month", run), issued.month)
    await vault.save(("totals", day, run), issued.kept)
    if issued.correction is not None and issued.correction is not before.correction:
        await vault.save(("true-up", run), issued.correction)
    key = keys.certificate(ctx.stub, day)
    await _certify(ctx, rules, key, issued.certificate, before.certificate)
    if issued.monthly is not None:
        key = keys.monthly(ctx.stub, day[:7])
        await _certify(ctx, rules, key, issued.monthly, before.monthly)
    name = {"district": rules.district["id"], "day": day, "run": run}
    await ctx.stub.set_event(EVENT, store(name))


async def _before(ctx: Context, vault: Vault, rules: Rules) -> Before:
    """What was there before the run's day."""
    stub, day, run = ctx.stub, rules.day["day"], rules.run
    window = await vault.load("window", run)
    leaving = windows.leaving(window) if window else None
    outgoing = await vault.load("totals", leaving, run) if leaving else None
    exported = await vault.load("exported", day)
    return Before(
        window=window,
        month=await vault.load("month", run),
        correction=await vault.load("true-up", run),
        former=await days.former(vault, day, run),
        outgoing=outgoing["entered"] if outgoing else None,
        certificate=await load(stub, keys.certificate(stub, day)),
        monthly=await load(stub, keys.monthly(stub, day[:7])) if month_ends(day) else None,
        exported=exported["parts"] if exported else {},
    )


async def _certify(
    ctx: Context, rules: Rules, key: str, document: Document, former: Document | None
) -> None:
    """Write a certificate; the key's own policy (C4) comes with its first value and stays."""
    await save(ctx.stub, key, document)
    if former is None:
        parties = [rules.district["dso"], rules.district["operator"]]
        await ctx.stub.set_key_policy(key, keypolicy.all_of(parties))
