# SPDX-License-Identifier: Apache-2.0
"""The demo's last lines: what each district is, what became of the readings, what was verified."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Certificates = Mapping[str, Sequence[dict[str, Any]]]
WIDTH = 108


def lines(
    profile: Mapping[str, Any],
    street: Mapping[str, Any],
    certificates: Certificates,
    reports: Sequence[Mapping[str, Any]],
    audit: Mapping[str, Any],
    tampered: Mapping[str, Any],
) -> Iterator[str]:
    """Everything but the runtime's line and where the results lie."""
    yield ""
    for district, found in certificates.items():
        yield district_line(district, found)
    yield ""
    yield from reading_lines(street, certificates, reports)
    yield ""
    yield from ledger_lines(profile, audit)
    yield ""
    yield from audit_lines(audit, tampered)


def district_line(district: str, certificates: Sequence[Mapping[str, Any]]) -> str:
    """One district over all certified days: the newest certificate's window says it."""
    last = certificates[-1]
    window = last["window"]
    verdict = last["verdict"]
    return (
        f" {district}  {window['days']} days"
        f"   OER {ratio(window['indicators']['oer_ppm'])}"
        f"   self-consumption {percent(window['indicators']['self_consumption_ppm'])}"
        f"   coverage {percent(window['coverage']['energy_ppm'], 1)}"
        f"   avoided {kilograms(avoided(window['emissions']))} kg CO2"
        f"   {said(verdict)}"
    )


def avoided(emissions: Mapping[str, Any]) -> int | None:
    """What electricity, heat and mobility avoided together, if all of it is published."""
    parts = [emissions[f"avoided_{part}_ug"] for part in ("electricity", "heat", "mobility")]
    return None if None in parts else sum(parts)


def said(verdict: Mapping[str, Any]) -> str:
    """The verdict, or before a full year only the balance to date (rules V5)."""
    to_date = verdict["to_date"]
    if to_date is None:
        return f"{verdict['verdict']} ({verdict['rule']})"
    surplus = to_date["surplus_wh"]
    if surplus is None:
        balance = "not published"
    else:
        balance = f"{'+' if surplus > 0 else ''}{surplus // 1000:,} kWh"
    return f"{verdict['verdict']}: {to_date['days']} of 365 days, balance to date {balance}"


def reading_lines(
    street: Mapping[str, Any],
    certificates: Certificates,
    reports: Sequence[Mapping[str, Any]],
) -> Iterator[str]:
    """What was due, what arrived how, and what was refused for which reason."""
    faults = street["faults"]
    classes: Counter[str] = Counter()
    for found in certificates.values():
        for certificate in found:
            classes.update(certificate["classes"])
    records = sum(report["records"] for report in reports)
    yield (
        f" What happened to the readings ({records:,} signed records of {street['devices']} "
        f"meters in {street['sites']} homes, {street['real']} of them measured homes)"
    )
    yield (
        f"   register-hours   measured {classes['M']:,}   bridged {classes['G']:,} "
        f"(energy exact, profile not)   missing {classes['X']:,}"
    )
    late = ", ".join(name for each in faults["offline"].values() for name, _ in each)
    yield f"   late             {late} was offline a day and delivered the next"
    yield f"   exchanged        {', '.join(faults['exchange'])}"
    for report in reports:
        for forged in report["forged"]:
            yield (
                f"   {forged['status']:<16} {forged['device']} counter {forged['counter']}, "
                f"signed by somebody else: {forged['reason']}"
            )


def ledger_lines(profile: Mapping[str, Any], audit: Mapping[str, Any]) -> Iterator[str]:
    """Who keeps the ledger, by the connection profile; what stands in it, by the audit alone."""
    yield " The ledger"
    yield (
        f"   {len(profile['peers'])} organisations, {len(profile['orderers'])} orderers, "
        f"channel {profile['channel']}"
    )
    if audit["verified"]:
        # Block 0 is signed by nobody: it is the trusted beginning.
        quorum = audit["orderer_signatures"] // max(1, audit["blocks"] - 1)
        yield (
            f"   {audit['blocks']} blocks, {quorum} orderers' signatures on each, "
            f"{audit['transactions']} transactions; every valid one endorsed as its policy asks"
        )


def audit_lines(audit: Mapping[str, Any], tampered: Mapping[str, Any]) -> Iterator[str]:
    """The auditor's word on the ledger, and on the copy with one bit flipped."""
    yield " Independent audit (raw blocks and the genesis block, nothing from the gateways)"
    if audit["verified"]:
        without = sum(audit["invalid"].values())
        yield (
            f"   {audit['blocks']} blocks chained   {audit['orderer_signatures']:,} orderer "
            f"signatures   {audit['endorsements']:,} endorsements against policy"
        )
        yield (
            f"   {audit['transactions']:,} transactions judged anew ({without} without effect)   "
            f"{audit['device_signatures']:,} device signatures"
        )
        yield from (f"   not checked: {what}" for what in audit["not_checked"])
        yield right(
            f"{audit['certificates']} certificates recomputed from the readings", "VERIFIED"
        )
    else:
        yield right(f"{audit['check']}: {audit['text']}", "TAMPERED")
    if tampered["verified"]:
        yield right("the copy with one bit flipped was not noticed", "VERIFIED (wrong)")
    else:
        yield right(f"a copy with one bit flipped: {place(tampered)}", "TAMPERED, as it should")


def place(found: Mapping[str, Any]) -> str:
    where = f"block {found['block']}"
    if found["transaction"] is not None:
        where += f", transaction {found['transaction']}"
    return f"{where}, {found['check']}"


def right(text: str, word: str) -> str:
    """A line that ends in its result."""
    return f"   {text}".ljust(WIDTH - len(word)) + word


def ratio(ppm: int | None) -> str:
    return "not published" if ppm is None else f"{ppm // 10_000 / 100:.2f}"


def percent(ppm: int | None, digits: int = 0) -> str:
    return "not published" if ppm is None else f"{ppm / 10_000:.{digits}f} %"


def kilograms(micrograms: int | None) -> str:
    return "not published" if micrograms is None else f"{micrograms / 1e9:,.1f}"
