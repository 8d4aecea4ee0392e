# SPDX-License-Identifier: Apache-2.0
"""What can be asked of a copied ledger, in words: a key's history, a certificate, settlements."""

import json
from datetime import UTC, datetime

from pedchain_audit import chain, tracing
from pedchain_audit.archive import Archive
from pedchain_audit.errors import ArchiveError
from pedchain_audit.plots import newest
from pedchain_audit.verify import verify
from pedchain_fabric.wire import compositekey
from pedchain_fabric.wire.channelconfig import ChannelConfig


def channel(archive: Archive) -> str:
    """The channel's name, by the genesis block the auditor trusts."""
    return ChannelConfig.from_block(chain.decode(0, archive.genesis)).channel_id


def history(archive: Archive, definition: str, key: tuple[str, ...]) -> str:
    """Every valid write of a public key. Raises `ArchiveError` where there is none."""
    if not key:
        raise ArchiveError("name a key")
    found = tracing.history(archive, definition, tracing.key_of(key))
    if not found:
        raise ArchiveError(f"no valid transaction wrote {' '.join(key)} of {definition}")
    return "\n".join(_write(each) for each in found)


def _write(each: tracing.Write) -> str:
    at = datetime.fromtimestamp(each.at, UTC).isoformat()
    value = "deleted" if each.value is None else json.dumps(each.document(), sort_keys=True)
    return (
        f"block {each.block}, transaction {each.position}, {at} by its client's clock, "
        f"by {each.creator}, endorsed by {', '.join(each.endorsers)}\n"
        f"  {each.transaction}\n  {value}"
    )


def certificate(archive: Archive, district: str, day: str) -> str:
    """A day's certificate, verified with the whole ledger before it."""
    key = compositekey.create("certificate", [day])
    versions = tracing.history(archive, f"metering-{district}", key)
    if not versions:
        raise ArchiveError(f"the ledger holds no certificate of {district} {day}")
    figures = verify(archive)
    document = versions[-1].document()
    oer = document["indicators"]["oer_ppm"]
    lines = [
        f"{district} {day}, run {document['run']}, version {document['version']}",
        f"on-site energy ratio {'not told' if oer is None else f'{oer / 1_000_000:.3f}'}, "
        f"verdict {document['verdict']['verdict']}, {document['sites']} sites",
        f"root {document['root']}",
    ]
    lines += [
        f"version {each.document()['version']} ({each.document()['run']}): block {each.block}, "
        f"transaction {each.position}, endorsed by {', '.join(each.endorsers)}"
        for each in versions
    ]
    about = [line for line in figures.not_checked if district in line]
    redone = "recomputed from the readings" if not about else "endorsed as its policy asks"
    return "\n".join([*lines, *(f"not checked: {line}" for line in about), redone, "VERIFIED"])


def settlement(archive: Archive) -> str:
    """Sessions as they stand, and what of them was settled anew."""
    figures = verify(archive)
    lines = [
        f"{name}: {each['carrier']} zone {each['zone']}, {each['state']}, "
        f"price {told(each['price'])} µcur/kWh, volume {told(each['volume'])} Wh"
        for name, each in sorted(figures.course.sessions.items())
    ]
    lines += [
        f"{figures.sessions} sessions settled anew, {figures.shared_hours} shared hours divided "
        f"anew, {figures.debits} debits with their owners' signatures"
    ]
    lines += [f"not checked: {line}" for line in figures.not_checked if "settlement" in line]
    days = newest(figures.course.certificates)
    lines.append(f"they rest on {len(days)} certified days")
    return "\n".join([*lines, "VERIFIED"])


def told(figure: int | None) -> str:
    """A figure; one that is of too few accounts is not published."""
    return "not told" if figure is None else str(figure)
