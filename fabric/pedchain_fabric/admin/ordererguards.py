# SPDX-License-Identifier: Apache-2.0
"""Rules every change of a channel's orderers keeps (see `guards`)."""

from collections.abc import Sequence

from fabric_protos.common.configtx_pb2 import ConfigGroup
from fabric_protos.common.configuration_pb2 import Consenter as BftConsenter
from fabric_protos.orderer.configuration_pb2 import BatchSize

from pedchain_fabric.admin import configpolicy, consensus
from pedchain_fabric.admin.channel import Consensus
from pedchain_fabric.admin.configvalue import get
from pedchain_fabric.admin.consensus import BLOCK_VALIDATION, Entry
from pedchain_fabric.admin.limits import BATCH_BYTES_MAX, CONSENTERS_MIN
from pedchain_fabric.admin.membership import msp_id
from pedchain_fabric.admin.refusal import EditRefused, Reason, refuse_if


def check_consenters(before: ConfigGroup, after: ConfigGroup) -> None:
    """Raise `EditRefused` unless the consenters may change so. Both are Orderer groups."""
    kind = consensus.kind(after)
    if kind is not consensus.kind(before):
        raise EditRefused(Reason.BAD_VALUE, "the kind of consensus cannot be changed")
    old, new = consensus.entries(before), consensus.entries(after)
    _check_distinct(new)
    _check_count(kind, len(old), len(new))
    changed = max(len(_only(old, new)), len(_only(new, old)))
    refuse_if(
        changed > 1,
        Reason.ONE_CONSENTER_AT_A_TIME,
        f"{changed} consenters would change: only one in an update, and the next when all "
        "orderers have caught up",
    )
    if kind is Consensus.SMARTBFT:
        _check_owners(after, new)
        _check_block_validation(after, new)


def check_batch(group: ConfigGroup) -> None:
    """What an orderer checks (channelconfig/orderer.go), and what a peer could not receive."""
    size = get(group, "BatchSize", BatchSize)
    smallest = min(size.max_message_count, size.preferred_max_bytes, size.absolute_max_bytes)
    refuse_if(smallest <= 0, Reason.BAD_VALUE, "a batch needs room for messages and bytes")
    refuse_if(
        not size.preferred_max_bytes <= size.absolute_max_bytes <= BATCH_BYTES_MAX,
        Reason.BAD_VALUE,
        f"a batch's bytes: preferred <= absolute <= {BATCH_BYTES_MAX} must hold",
    )


def _check_distinct(consenters: tuple[Entry, ...]) -> None:
    addresses = [(each.host, each.port) for each in consenters]
    _check_unique("address", addresses)
    bft = [each for each in consenters if isinstance(each, BftConsenter)]
    _check_unique("id", [each.id for each in bft])
    _check_unique("certificate", [each.identity for each in bft])
    if not bft:
        _check_unique("TLS certificate", [each.server_tls_cert for each in consenters])


def _check_unique(what: str, values: Sequence[object]) -> None:
    refuse_if(len(set(values)) != len(values), Reason.DUPLICATE, f"two consenters share one {what}")


def _check_count(kind: Consensus, old: int, new: int) -> None:
    fewest = CONSENTERS_MIN[kind]
    refuse_if(
        new < min(old, fewest),
        Reason.TOO_FEW_CONSENTERS,
        f"{new} consenters: fewer than {fewest} would not survive the loss of one",
    )


def _only(some: tuple[Entry, ...], others: tuple[Entry, ...]) -> list[Entry]:
    return [each for each in some if each not in others]


def _check_owners(group: ConfigGroup, consenters: tuple[Entry, ...]) -> None:
    ordering = {msp_id(each) for each in group.groups.values()}
    for each in consenters:
        if isinstance(each, BftConsenter) and each.msp_id not in ordering:
            text = f"consenter {each.host}:{each.port} is of {each.msp_id}, which does not order"
            raise EditRefused(Reason.NOT_ORDERING, text)


def _check_block_validation(group: ConfigGroup, consenters: tuple[Entry, ...]) -> None:
    mapping = [each for each in consenters if isinstance(each, BftConsenter)]
    wanted = configpolicy.block_validation(mapping).policy
    refuse_if(
        BLOCK_VALIDATION not in group.policies or group.policies[BLOCK_VALIDATION].policy != wanted,
        Reason.BLOCK_VALIDATION,
        f"{BLOCK_VALIDATION} is not the quorum of exactly the consenters, in their order",
    )
