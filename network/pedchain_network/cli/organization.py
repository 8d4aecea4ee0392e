# SPDX-License-Identifier: Apache-2.0
"""`org add`, `org remove`: members come and go while the network runs."""

import asyncio
import shlex
from typing import Annotated

from cyclopts import App, Parameter

from pedchain_network.cli.app import DEFAULT_STATE, JsonOption, StateOption, app, progress
from pedchain_network.state import State

organization = App(name="org", help="Organisations of a network that runs.")
app.command(organization)

NameArgument = Annotated[str, Parameter(help="Its name, as in the topology.")]
AdminsOption = Annotated[
    str, Parameter(name="--admins", help="Who may change the channel then (default: by rule).")
]
LifecycleOption = Annotated[
    str, Parameter(name="--lifecycle", help="Who agrees to chaincode then (default: by rule).")
]


@organization.command
def add(
    name: NameArgument,
    /,
    *,
    ports: Annotated[int, Parameter(help="The first of 100 ports of its own.")],
    orderer: Annotated[bool, Parameter(negative=(), help="It orders as well.")] = False,
    host: Annotated[str, Parameter(help="Where others reach its nodes.")] = "",
    admins: AdminsOption = "",
    lifecycle: LifecycleOption = "",
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Add an organisation with a peer; broken off, the same call goes on."""
    report = progress(as_json=as_json)

    from pedchain_network.change import organizations
    from pedchain_network.change.live import opened
    from pedchain_network.change.organizations import Rules
    from pedchain_network.topology.model import Organization, Ports

    command = _command(
        f"org add {name} --ports {ports}",
        {"--host": host, "--admins": admins, "--lifecycle": lifecycle},
        orderer=orderer,
    )
    with opened(State(state.resolve()), report) as live:
        where = host or live.topology.host
        member = Organization(name, Ports(ports), orderer=orderer, host=where, listen=where)
        asyncio.run(organizations.add(live, member, Rules(admins, lifecycle), command))
    report.step(f"{name} is a member: its profile is {state / 'profiles' / name}.json")
    return 0


@organization.command
def remove(
    name: NameArgument,
    /,
    *,
    admins: AdminsOption = "",
    lifecycle: LifecycleOption = "",
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Remove an organisation that no definition names; what it wrote is put aside."""
    report = progress(as_json=as_json)

    from pedchain_network.change import organizations
    from pedchain_network.change.live import opened
    from pedchain_network.change.organizations import Rules

    command = _command(f"org remove {name}", {"--admins": admins, "--lifecycle": lifecycle})
    with opened(State(state.resolve()), report) as live:
        asyncio.run(organizations.remove(live, name, Rules(admins, lifecycle), command))
    report.step(f"{name} is no member any more")
    return 0


def _command(verb: str, options: dict[str, str], *, orderer: bool = False) -> str:
    """What was called, so that it can be told how to go on."""
    words = [verb, *(["--orderer"] if orderer else [])]
    words += [f"{name} {shlex.quote(value)}" for name, value in options.items() if value]
    return " ".join(words)
