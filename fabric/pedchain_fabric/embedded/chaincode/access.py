# SPDX-License-Identifier: Apache-2.0
"""Who may read and write a collection: memberOnlyRead and memberOnlyWrite.

Source: core/chaincode/handler.go (errorIfCreatorHasNo…Permission), core/common/privdata/store.go.
The check is about the client that made the proposal, not about this peer.
"""

from pedchain_fabric.embedded.chaincode.context import ChaincodeFailed, Context
from pedchain_fabric.embedded.ledger import Collection
from pedchain_fabric.embedded.ledger.lifecycle import implicit_owner
from pedchain_fabric.errors import FabricError
from pedchain_fabric.wire.identity import Identity


def require_read(context: Context, collection: str) -> None:
    """Raises ChaincodeFailed unless the client may read the collection."""
    _require(context, collection, 0, "read")


def require_write(context: Context, collection: str) -> None:
    """Raises ChaincodeFailed unless the client may write the collection."""
    _require(context, collection, 1, "write")


def refuse_in_init(context: Context) -> None:
    """Raises ChaincodeFailed in an Init: it has no private data."""
    if context.is_init:
        raise ChaincodeFailed("private data APIs are not allowed in chaincode Init()")


def _require(context: Context, collection: str, index: int, what: str) -> None:
    refuse_in_init(context)
    if not _permissions(context, collection)[index]:
        raise ChaincodeFailed(
            f"tx creator does not have {what} access permission on privatedata in "
            f"chaincodeName:{context.namespace} collectionName: {collection}"
        )


def _permissions(context: Context, name: str) -> tuple[bool, bool]:
    if context.transaction.simulator is not None:
        context.transaction.simulator.look_up(context.namespace)
    if implicit_owner(name) is not None:
        return True, True  # whether there is such an organisation, the simulator finds out
    if name not in context.permissions:
        found = context.channel.ledger.collection(context.namespace, name)
        if found is None:
            raise ChaincodeFailed(
                f"collection {context.channel.name}/{context.namespace}/{name} could not be found"
            )
        context.permissions[name] = _of(context, found)
    return context.permissions[name]


def _of(context: Context, collection: Collection) -> tuple[bool, bool]:
    if not collection.member_only_read and not collection.member_only_write:
        return True, True
    if _is_member(context, collection):
        return True, True
    return not collection.member_only_read, not collection.member_only_write


def _is_member(context: Context, collection: Collection) -> bool:
    """Whether the client satisfies any principal of the collection's member policy."""
    msps = context.channel.ledger.config.msps
    policy = collection.config.member_orgs_policy.signature_policy
    try:
        client = Identity.from_creator(context.transaction.proposal.creator)
        return any(msps.satisfies(client, principal) for principal in policy.identities)
    except FabricError:
        return False
