# SPDX-License-Identifier: Apache-2.0
"""A run's certificate: the day's totals into the run's window, out to the public (rules C1 to C4).

Each run has a window of its own. A later run that changes fewer sites than may be told apart keeps
the numbers in print; its difference waits in the vault and enters the month's last day (C3).
"""

from pedchain_chaincode.documents import Document, save
from pedchain_chaincode.metering import days, keys
from pedchain_chaincode.metering.cellday import Rules
from pedchain_chaincode.metering.vault import Vault
from pedchain_chaincode.state import store
from pedchain_domain import balance, certificate, publication
from pedchain_domain import window as windows
from pedchain_domain.calendar import shifted
from pedchain_domain.documents import parameters
from pedchain_domain.readings import derive_salt
from pedchain_fabric.shim import Context, keypolicy

EVENT = "CertificateIssued"


async def publish(ctx: Context, vault: Vault, rules: Rules, sums: Document, batches: str) -> None:
    """Write totals, window and certificate of a complete day; the event is a hint."""
    day, run = rules.day["day"], rules.run
    setting = parameters(rules.district)
    window = await vault.load("window", run) or windows.empty(setting.window_days)
    computed = _computed(rules, sums["total"], window)
    totals, printed = await _in_print(vault, rules, computed, sums["changed"])
    totals = publication.marked(totals, setting)
    entering = await _trued_up(vault, rules, totals)
    leaving = windows.leaving(window)
    outgoing = await vault.load("totals", leaving, run) if leaving else None
    window = windows.advance(window, entering, outgoing["entered"] if outgoing else None)
    await vault.save(("window", run), window)
    kept = {"totals": totals, "entered": entering, "printed": printed}
    salt = derive_salt("kept", [totals["salt"]])
    await vault.save(("totals", day, run), {**kept, "salt": salt})
    shown = {**totals, "true_up": entering.get("true_up", {})}
    document = certificate.build(rules.district, rules.day, run, shown, window, batches)
    await _certify(ctx, rules, document)
    name = {"district": rules.district["id"], "day": day, "run": run}
    await ctx.stub.set_event(EVENT, store(name))


async def _trued_up(vault: Vault, rules: Rules, totals: Document) -> Document:
    """The totals as they enter the window: the month's last day with what was held back in it."""
    month = rules.day["day"][:7]
    if shifted(rules.day["day"], 1)[:7] == month:
        return totals
    correction = await vault.load("true-up", rules.run)
    if correction is None or correction["month"] != month:
        return totals
    return publication.with_true_up(totals, correction)


def _computed(rules: Rules, total: Document, window: Document) -> Document:
    so_far = windows.mean(window)
    return balance.day_totals(total, rules.day, rules.district, rules.factors, so_far)


async def _certify(ctx: Context, rules: Rules, document: Document) -> None:
    """Write the certificate; the key's own policy (C4) comes with its first value and stays."""
    stub = ctx.stub
    key = keys.certificate(stub, rules.day["day"])
    is_first = await stub.get_state(key) is None
    await save(stub, key, document)
    if is_first:
        parties = [rules.district["dso"], rules.district["operator"]]
        await stub.set_key_policy(key, keypolicy.all_of(parties))


async def _in_print(
    vault: Vault, rules: Rules, computed: Document, changed: int
) -> tuple[Document, str]:
    """The totals the run prints, and the run whose sites they are of."""
    day, run = rules.day["day"], rules.run
    former = await days.former(vault, day, run)
    if former is None or not publication.held(changed, parameters(rules.district)):
        return computed, run
    before = await vault.load("true-up", run)
    correction = publication.true_up(before, former["totals"], computed)
    await vault.save(("true-up", run), correction)
    return former["totals"], former["printed"]
