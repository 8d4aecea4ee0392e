# SPDX-License-Identifier: Apache-2.0
"""Why a change of the network is refused before anything has happened, and what to do then."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from pedchain_fabric.admin.refusal import EditRefused
from pedchain_fabric.admin.refusal import Reason as EditReason
from pedchain_network.errors import ChangeRefusedError


class Reason(StrEnum):
    """What stands against a change, beside what the channel's configuration itself refuses."""

    ANCHOR = "ANCHOR"
    BAD_PARAMETER = "BAD_PARAMETER"
    CHANGE_UNFINISHED = "CHANGE_UNFINISHED"
    DUPLICATE_ORGANIZATION = "DUPLICATE_ORGANIZATION"
    LAST_ORGANIZATION = "LAST_ORGANIZATION"
    LAST_PEER = "LAST_PEER"
    NETWORK_DOWN = "NETWORK_DOWN"
    NOT_CONFIRMED = "NOT_CONFIRMED"
    NO_UPDATE = "NO_UPDATE"
    NOT_HEALTHY = "NOT_HEALTHY"
    NOT_WORDED = "NOT_WORDED"
    ORDERS_ALREADY = "ORDERS_ALREADY"
    ORDERS_NOT = "ORDERS_NOT"
    PORTS_OVERLAP = "PORTS_OVERLAP"
    SIGNATURES_MISSING = "SIGNATURES_MISSING"
    STILL_NAMED = "STILL_NAMED"
    TOO_FEW_ORDERERS = "TOO_FEW_ORDERERS"
    TOO_MANY_PEERS = "TOO_MANY_PEERS"
    UNKNOWN_ORGANIZATION = "UNKNOWN_ORGANIZATION"


_REMEDIES = {
    EditReason.BAD_VALUE: "correct the value",
    EditReason.BLOCK_VALIDATION: "change orderers by `ped-network orderer add` and `remove` only",
    EditReason.DIFFERENT_UPDATE: "let all sign copies of one and the same file",
    EditReason.DUPLICATE: "choose another one",
    EditReason.NO_CHANGE: "nothing is to do: see `ped-network channel show`",
    EditReason.NOT_ORDERING: "add an orderer first: `ped-network orderer add`",
    EditReason.ONE_CONSENTER_AT_A_TIME: "change them one after the other",
    EditReason.OWNS_CONSENTERS: "take its orderer out first: `ped-network orderer remove`",
    EditReason.STALE: "make the update again: the channel has changed since",
    EditReason.STILL_NAMED: "word the policies without it: --admins, --lifecycle",
    EditReason.TOO_FEW_CONSENTERS: "add another organisation's orderer first: "
    "`ped-network orderer add`",
}


@contextmanager
def translated() -> Iterator[None]:
    """What the configuration refuses becomes an error of this network, with its remedy."""
    try:
        yield
    except EditRefused as refused:
        remedy = _REMEDIES.get(refused.reason, "see `ped-network channel show`")
        raise ChangeRefusedError(refused.reason, refused.text, remedy) from refused


def refuse(reason: Reason, message: str, fix: str) -> ChangeRefusedError:
    """The error to raise."""
    return ChangeRefusedError(reason, message, fix)
