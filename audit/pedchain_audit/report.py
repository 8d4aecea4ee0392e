# SPDX-License-Identifier: Apache-2.0
"""What the auditor says: for people in a few lines, for machines as one JSON object."""

import json
from dataclasses import asdict

from pedchain_audit.errors import VerificationError
from pedchain_audit.verify import Figures

#: What no audit of a ledger can show; said with every result.
NOT_SHOWN = (
    "that a meter measured right",
    "that every connection of a district is a member",
    "that a device stood where it is registered",
    "that this is the only ledger: compare it with what others were shown (`compare`, `watch`)",
)


def text(figures: Figures) -> str:
    """The result of an audit that found nothing wrong."""
    lines = checked(figures)
    if figures.first:
        lines.insert(
            0,
            f"blocks before {figures.first} replayed as the peer noted them, "
            "their signatures not checked in this run",
        )
    lines += [f"not checked: {what}" for what in figures.not_checked]
    lines += [f"not shown by any audit: {', '.join(NOT_SHOWN)}", "VERIFIED"]
    return "\n".join(lines)


def checked(figures: Figures) -> list[str]:
    """What was checked, in words."""
    lines = [
        f"{figures.blocks} blocks chained from the trusted genesis block",
        f"{figures.orderer_signatures} orderer signatures, each block with a quorum",
        f"{figures.transactions} transactions judged anew, {figures.endorsements} endorsements "
        f"against the policies of their time{invalid(figures)}",
        f"{figures.device_signatures} device signatures",
        f"{figures.certificates} certificates recomputed from the readings, all equal",
    ]
    if figures.origin_certificates:
        lines.append(
            f"{figures.origin_certificates} certificates of origin issued anew, "
            f"{figures.debits} debits with their owners' signatures"
        )
    if figures.approvals or figures.claims:
        lines.append(
            f"{figures.approvals} approvals of districts, {figures.claims} claims of devices redone"
        )
    if figures.sessions or figures.shared_hours:
        lines.append(
            f"{figures.sessions} market sessions settled anew, {figures.shared_hours} shared hours "
            "divided anew, all equal"
        )
    if figures.orders or figures.shared_days:
        lines.append(
            f"{figures.orders} orders of demand response settled anew, {figures.statements} "
            f"statements and {figures.shared_days} shared days recomputed, all equal"
        )
    if figures.twice_wh:
        lines.append(
            f"{figures.twice_wh} Wh were sold or shared although their certificates of origin "
            "left the district"
        )
    if figures.events_of_one:
        lines.append(
            f"{figures.events_of_one} valid transactions with an event but one endorsement, "
            f"which proves nothing ({'; '.join(figures.events_at[:10])})"
        )
    return lines


def invalid(figures: Figures) -> str:
    """Transactions that stand in blocks without effect, by code."""
    if not figures.invalid:
        return ""
    parts = (f"{count} {code}" for code, count in sorted(figures.invalid.items()))
    return f" (without effect: {', '.join(parts)})"


def tampered(error: VerificationError) -> str:
    """The first thing that is wrong, and where."""
    return f"{error.place}: {error.check}: {error.text}\nTAMPERED"


def told(result: Figures | VerificationError) -> str:
    """The result in words; the last line is VERIFIED or TAMPERED."""
    return text(result) if isinstance(result, Figures) else tampered(result)


def machine(result: Figures | VerificationError) -> str:
    """One JSON object: `verified`, then the figures or the place and the check."""
    if isinstance(result, VerificationError):
        found = {
            "verified": False,
            "block": result.block,
            "transaction": result.transaction,
            "check": result.check,
            "text": result.text,
        }
    else:
        found = {"verified": True, **asdict(result)}
        del found["course"]
    return json.dumps(found, sort_keys=True)
