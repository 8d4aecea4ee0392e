# SPDX-License-Identifier: Apache-2.0
"""Whether chaincode on the ledger still needs an organisation that wants to leave."""

from pedchain_fabric.admin import qscc
from pedchain_network.change.reach import Reach
from pedchain_network.change.refusal import Reason, refuse
from pedchain_network.channel import naming
from pedchain_network.topology.model import Node, Organization


async def require_unnamed(reach: Reach, organization: Organization, peer: Node) -> None:
    """No definition, collection or key names the organisation, as this peer of another sees it.

    Raises `ChangeRefusedError`, with every place.
    """
    lifecycle = reach.lifecycle(peer)
    found: list[str] = []
    for name in sorted(await lifecycle.committed()):
        agreed = await lifecycle.agreed(name)
        found += naming.in_definition(name, agreed, organization.msp_id)
    found += await _by_keys(reach, organization, peer)
    if found:
        raise refuse(
            Reason.STILL_NAMED,
            f"{organization.name} is still named in {'; '.join(found)}",
            "agree on these definitions without it first (ped-network chaincode). No definition "
            "and no collection can ever be removed: they stay, with other members",
        )


async def _by_keys(reach: Reach, organization: Organization, peer: Node) -> list[str]:
    """Keys with a policy of their own: every block is read, for nothing lists them."""
    keys = naming.KeyPolicies(organization.msp_id)
    channel = reach.topology.channel
    height = (await qscc.chain_info(reach.peer(peer), channel)).height
    network = reach.gateway(peer).network(channel)
    async with network.block_events(start_block=0, stop_block=height - 1) as blocks:
        async for block in blocks:
            keys.read(block)
    return keys.words()
