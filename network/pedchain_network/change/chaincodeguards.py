# SPDX-License-Identifier: Apache-2.0
"""What stands against a new version of a definition, told before Fabric would refuse it."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from pedchain_fabric.admin.definition import Definition
from pedchain_fabric.admin.readiness import Standing
from pedchain_network.change.chaincodereading import Agreed
from pedchain_network.errors import ChangeRefusedError


class Reason(StrEnum):
    """Why a change of chaincode is refused."""

    BLOCKS_TO_LIVE = "BLOCKS_TO_LIVE"
    COLLECTION_REMOVED = "COLLECTION_REMOVED"
    NOTHING_CHANGES = "NOTHING_CHANGES"
    NOT_INSTALLED = "NOT_INSTALLED"
    NOT_READY = "NOT_READY"
    NO_ADMINISTRATOR = "NO_ADMINISTRATOR"
    SEQUENCE = "SEQUENCE"
    UNKNOWN_DEFINITION = "UNKNOWN_DEFINITION"
    UNKNOWN_ORGANIZATION = "UNKNOWN_ORGANIZATION"
    UNKNOWN_PACKAGE = "UNKNOWN_PACKAGE"


def check(agreed: Agreed | None, wanted: Definition, members: Collection[str]) -> None:
    """Refuse what can never become the channel's. `members` are its MSP ids.

    What is agreed already is fine: an interrupted command comes here again. Raises
    `ChangeRefusedError`.
    """
    _sequence(agreed, wanted)
    _members(wanted, members)
    if agreed is not None:
        _collections(agreed, wanted)


def _sequence(agreed: Agreed | None, wanted: Definition) -> None:
    """Sequences grow by one; Fabric refuses any other."""
    now = agreed.sequence if agreed is not None else 0
    if wanted.sequence not in {now, now + 1}:
        raise ChangeRefusedError(
            Reason.SEQUENCE,
            f"{wanted.name} is agreed at sequence {now}, so {wanted.sequence} cannot be next",
            f"write sequence {now + 1} in the topology",
        )


def _members(wanted: Definition, members: Collection[str]) -> None:
    """Peers refuse collections that name an organisation outside of the channel."""
    strangers = sorted(wanted.organizations() - set(members))
    if strangers:
        raise ChangeRefusedError(
            Reason.UNKNOWN_ORGANIZATION,
            f"{wanted.name} names {', '.join(strangers)}, not on the channel",
            "add the organisation first: ped-network org add",
        )


def _collections(agreed: Agreed, wanted: Definition) -> None:
    """Collections stay for ever, and so does how long they keep what is in them."""
    kept = {each.name: each for each in wanted.collections}
    for each in agreed.collections:
        if each.name not in kept:
            raise ChangeRefusedError(
                Reason.COLLECTION_REMOVED,
                f"{wanted.name} has no collection {each.name} any more; Fabric never removes one: "
                "its private data is in the ledgers of its members",
                "keep it, and use it no longer; purge what is in it",
            )
        if kept[each.name].blocks_to_live != each.blocks_to_live:
            raise ChangeRefusedError(
                Reason.BLOCKS_TO_LIVE,
                f"collection {each.name} keeps data for {each.blocks_to_live} blocks (0: for "
                "ever), which Fabric never changes",
                "add another collection, or erase by purge",
            )


def lacking(wanted: Definition, standings: Mapping[str, Standing]) -> dict[str, str]:
    """By MSP id, what each organisation that the definition's policies name has yet to do."""
    lacks = {}
    for msp_id in sorted(wanted.organizations()):
        standing = standings.get(msp_id, Standing(approved=False, installed=False))
        if not standing.approved:
            lacks[msp_id] = "has not approved it"
        elif not standing.installed:
            lacks[msp_id] = "has not installed its package"
    return lacks


def refuse_unready(wanted: Definition, lacks: Mapping[str, str]) -> ChangeRefusedError:
    """Once committed, those who lack something could not endorse any more."""
    told = "; ".join(f"{msp_id} {lack}" for msp_id, lack in lacks.items())
    return ChangeRefusedError(
        Reason.NOT_READY,
        f"{wanted.name} sequence {wanted.sequence} would stop whom its policies name: {told}",
        "each runs `ped-network chaincode install`, then `ped-network chaincode approve "
        f"{wanted.name}` with the same topology file; or --regardless",
    )
