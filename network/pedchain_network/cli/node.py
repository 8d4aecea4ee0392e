# SPDX-License-Identifier: Apache-2.0
"""`peer add|remove`, `orderer add|remove`: nodes of organisations that are members already."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from pedchain_network.cli.app import DEFAULT_STATE, JsonOption, StateOption, app, progress
from pedchain_network.state import State

if TYPE_CHECKING:
    from pedchain_network.change.live import Live

peer = App(name="peer", help="Second and third peers of organisations.")
orderer = App(name="orderer", help="Organisations that order, and those that do not.")
app.command(peer)
app.command(orderer)

OrganizationArgument = Annotated[str, Parameter(help="Whose node it is.")]


@peer.command(name="add")
def add_peer(
    organization: OrganizationArgument,
    /,
    *,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Add a peer with a ledger and chaincode of its own; broken off, the same call goes on."""
    from pedchain_network.change import peers

    return _change(state, f"peer add {organization}", peers.add, organization, as_json=as_json)


@peer.command(name="remove")
def remove_peer(
    organization: OrganizationArgument,
    /,
    *,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Remove the organisation's newest peer; what it wrote is put aside."""
    from pedchain_network.change import peers

    return _change(
        state, f"peer remove {organization}", peers.remove, organization, as_json=as_json
    )


@orderer.command(name="add")
def add_orderer(
    organization: OrganizationArgument,
    /,
    *,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Let a member with peers only order as well; broken off, the same call goes on."""
    from pedchain_network.change import orderers

    return _change(
        state, f"orderer add {organization}", orderers.add, organization, as_json=as_json
    )


@orderer.command(name="remove")
def remove_orderer(
    organization: OrganizationArgument,
    /,
    *,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Let a member order no more; what its orderer wrote is put aside."""
    from pedchain_network.change import orderers

    return _change(
        state, f"orderer remove {organization}", orderers.remove, organization, as_json=as_json
    )


def _change(
    state: Path,
    command: str,
    change: "Callable[[Live, str, str], Awaitable[None]]",
    organization: str,
    *,
    as_json: bool,
) -> int:
    from pedchain_network.change.live import opened

    async def work(live: "Live") -> None:
        await change(live, organization, command)

    with opened(State(state.resolve()), progress(as_json=as_json)) as live:
        asyncio.run(work(live))
    return 0
