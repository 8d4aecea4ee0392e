# SPDX-License-Identifier: Apache-2.0
"""`chaincode install|approve|commit|upgrade|status`: what organisations agree to run."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from pedchain_network.cli.app import DEFAULT_STATE, JsonOption, StateOption, app, progress
from pedchain_network.state import State

if TYPE_CHECKING:
    from pedchain_network.change.live import Live
    from pedchain_network.change.reach import Reach
    from pedchain_network.topology.model import Topology

chaincode = App(name="chaincode", help="Chaincode packages and definitions.")
app.command(chaincode)

_DONE, _SOMETHING_IS_OPEN = 0, 4

NameArgument = Annotated[str, Parameter(name="name", help="The definition, as metering-DistrictA.")]
OrganizationOption = Annotated[
    str, Parameter(name="--organization", help="Only this one (default: all whose keys are here).")
]
GivenOption = Annotated[
    Path | None,
    Parameter(name="--topology", help="A file that has the definition (default: the network's)."),
]
RegardlessOption = Annotated[
    bool,
    Parameter(
        name="--regardless",
        negative=(),
        help="Although some it names have not approved: they stop.",
    ),
]


@chaincode.command
def status(*names: str, state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> int:
    """Say of each definition who stands behind it with what, and whether it works: 0, else 4."""
    from pedchain_network.change import chaincodestatus
    from pedchain_network.change.reach import Reach

    async def look() -> chaincodestatus.Chaincode:
        where = State(state.resolve())
        async with Reach(where.topology(), where) as reach:
            return await chaincodestatus.look(reach, names)

    found = asyncio.run(look())
    print(json.dumps(found.to_document(), indent=1) if as_json else "\n".join(found.lines()))
    return _DONE if found.healthy else _SOMETHING_IS_OPEN


@chaincode.command
def install(
    *labels: str,
    organization: OrganizationOption = "",
    topology: GivenOption = None,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Put packages (default: all of the topology) onto the organisation's peers."""

    async def work(live: "Live", reach: "Reach") -> int:
        from pedchain_network.change import chaincode as change

        chosen = labels or tuple(each.label for each in reach.topology.chaincode.packages)
        peers = change.peers_here(reach, organization)
        count = await change.install(reach, chosen, peers)
        live.progress.step(f"installed {count}; {', '.join(chosen)} on {len(peers)} peers")
        return _DONE

    return _reaching(state, lambda stored: _given(stored, topology), work, as_json=as_json)


@chaincode.command
def approve(
    name: NameArgument,
    *,
    organization: OrganizationOption = "",
    topology: GivenOption = None,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Approve a definition for an organisation, whose peers must have its package."""

    async def work(live: "Live", reach: "Reach") -> int:
        from pedchain_network.change import chaincode as change

        deployment = change.deployment_of(reach.topology, name)
        await change.guard(reach, deployment)
        count = await change.approve(reach, deployment, change.peers_here(reach, organization))
        live.progress.step(f"{count} organisations approved {name} now")
        lacks = await change.still_lacking(reach, deployment)
        for msp_id, lack in lacks.items():
            live.progress.step(f"{msp_id} {lack}")
        return _DONE

    return _reaching(state, lambda stored: _adopting(stored, name, topology), work, as_json=as_json)


@chaincode.command
def commit(
    name: NameArgument,
    *,
    topology: GivenOption = None,
    regardless: RegardlessOption = False,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Make an approved definition the channel's; refused while it would stop somebody it names."""

    async def work(live: "Live", reach: "Reach") -> int:
        from pedchain_network.change import chaincode as change

        deployment = change.deployment_of(reach.topology, name)
        new = await change.commit(reach, deployment, live.progress, regardless=regardless)
        live.finish(reach.topology)
        live.progress.step(f"{name} is agreed on" + ("" if new else " already"))
        return _DONE

    return _reaching(state, lambda stored: _adopting(stored, name, topology), work, as_json=as_json)


@chaincode.command
def upgrade(
    name: NameArgument,
    *,
    version: Annotated[str | None, Parameter(help="What the new version is called.")] = None,
    endorsement: Annotated[str | None, Parameter(help="Who must endorse from then on.")] = None,
    new_code: Annotated[
        bool,
        Parameter(name="--new-code", negative=(), help="Serve the code installed now beside it."),
    ] = False,
    topology: GivenOption = None,
    regardless: RegardlessOption = False,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Lead a definition to its next version while the network works; broken off, it goes on.

    Exit code 4: other organisations must approve first. They run the same command with the
    topology file that is named then; after that, run it here again.
    """
    from pedchain_network.change import chaincodeplan, chaincodeupgrade
    from pedchain_network.change.live import opened

    with opened(State(state.resolve()), progress(as_json=as_json)) as live:
        if topology is not None:
            wanted = _adopting(live.topology, name, topology)
        else:
            wish = chaincodeplan.Wish(version, endorsement, new_code)
            wanted = chaincodeplan.upgraded(live.topology, name, wish)
        done = asyncio.run(chaincodeupgrade.upgrade(live, name, wanted, regardless=regardless))
        return _DONE if done else _SOMETHING_IS_OPEN


def _given(stored: "Topology", path: Path | None) -> "Topology":
    from pedchain_network.topology import reader

    return stored if path is None else reader.load(path)


def _adopting(stored: "Topology", name: str, path: Path | None) -> "Topology":
    from pedchain_network.change import chaincodeplan
    from pedchain_network.topology import reader

    if path is None:
        return stored
    return chaincodeplan.adopted(stored, name, reader.load(path))


def _reaching(
    state: Path,
    choose: "Callable[[Topology], Topology]",
    work: "Callable[[Live, Reach], Awaitable[int]]",
    *,
    as_json: bool,
) -> int:
    from pedchain_network.change.live import opened
    from pedchain_network.change.reach import Reach

    with opened(State(state.resolve()), progress(as_json=as_json)) as live:

        async def run() -> int:
            async with Reach(choose(live.topology), live.state) as reach:
                return await work(live, reach)

        return asyncio.run(run())
