# SPDX-License-Identifier: Apache-2.0
"""A network that also carries calls of those whose certificates name a role."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from pedchain_gateway.ledger.fabric import FabricLedger, open_ledger
from tests.scenarios.onnetwork import NetworkPeer, Noting
from tests.unit.chaincode.flexing import PROVIDER, SYSTEM_OPERATOR

_ROLES = {SYSTEM_OPERATOR: ("DSO", "operator"), PROVIDER: ("Aggregator", "provider")}


class RolePeer(NetworkPeer):
    """Takes a call to whoever holds the role its creator stands for."""

    roles: dict[bytes, NetworkPeer]

    async def submit(self, chaincode: str, function: str, *args: Any, **options: Any) -> bytes:
        creator = options.get("creator")
        role = self.roles.get(creator) if creator is not None else None
        if role is None:
            return await super().submit(chaincode, function, *args, **options)
        options.pop("creator")
        return await role.submit(chaincode, function, *args, **options)


async def role_peer(profiles: Mapping[str, Path], stack: AsyncExitStack) -> RolePeer:
    """All organisations' gateways, the system operator and the provider; open until `stack`
    ends."""

    async def opened(name: str, user: str) -> FabricLedger:
        return await stack.enter_async_context(await open_ledger(profiles[name], user))

    peer = RolePeer({f"{name}MSP": await opened(name, "gateway") for name in profiles})
    peer.roles = {}
    for creator, (name, user) in _ROLES.items():
        role = NetworkPeer({})
        role.ledgers = {"DSOMSP": Noting(await opened(name, user), peer.done)}
        peer.roles[creator] = role
    return peer
