# SPDX-License-Identifier: Apache-2.0
"""`channel show`, `update`, `sign`, `submit`: the channel's configuration."""

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from pedchain_network.cli.app import (
    DEFAULT_STATE,
    JsonOption,
    StateOption,
    YesOption,
    app,
    confirmed,
    progress,
)
from pedchain_network.errors import ChangeRefusedError
from pedchain_network.state import State

if TYPE_CHECKING:
    from pedchain_network.change.parameters import Parameters

channel = App(name="channel", help="The channel's configuration.")
app.command(channel)

FileArgument = Annotated[Path, Parameter(help="A file that `channel update --offline` made.")]
_BATCH = {"interval_ms", "messages"}


@channel.command
def show(*, state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> int:
    """Show what the members agreed on: who they are, who orders, how, and who decides."""
    from pedchain_network.change import parameters
    from pedchain_network.change.live import opened

    with opened(State(state.resolve()), progress(as_json=as_json)) as live:
        found = asyncio.run(parameters.show(live))
    print(json.dumps(found.to_document(), indent=1) if as_json else "\n".join(found.lines()))
    return 0


@channel.command
def update(
    *,
    set_: Annotated[
        list[str] | None,
        Parameter(
            name="--set",
            negative=(),
            help="NAME=NUMBER of batch or timers, as `channel show` has them.",
        ),
    ] = None,
    admins: Annotated[str, Parameter(help="Policy: who may change the channel.")] = "",
    lifecycle: Annotated[str, Parameter(help="Policy: who agrees to chaincode.")] = "",
    anchor: Annotated[
        list[str] | None,
        Parameter(negative=(), help="ORG=HOST:PORT,...: peers by which others find it."),
    ] = None,
    endpoint: Annotated[
        list[str] | None,
        Parameter(negative=(), help="ORG=HOST:PORT,...: where its orderer is reached."),
    ] = None,
    offline: Annotated[
        Path | None, Parameter(help="Write the update into this file instead, to be signed.")
    ] = None,
    yes: YesOption = False,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Change the channel, after showing what changes and who must agree."""
    from pedchain_network.change import parameters
    from pedchain_network.change.live import opened

    wanted = _parameters(set_ or [], admins, lifecycle, anchor or [], endpoint or [])
    with opened(State(state.resolve()), progress(as_json=as_json)) as live:
        if offline:
            asyncio.run(parameters.offline(live, wanted, offline))
        else:
            asyncio.run(parameters.update(live, wanted, partial(confirmed, yes=yes)))
    return 0


@channel.command
def sign(
    file: FileArgument,
    /,
    *,
    organization: Annotated[str, Parameter(help="Whose administrator agrees.")],
    yes: YesOption = False,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Agree to an update for one organisation, after reading what it changes."""
    from pedchain_network.change import parameters

    work = parameters.sign(
        State(state.resolve()),
        file,
        organization,
        partial(confirmed, yes=yes),
        progress(as_json=as_json),
    )
    asyncio.run(work)
    return 0


@channel.command
def submit(
    file: FileArgument,
    /,
    *files: Annotated[Path, Parameter(help="Copies that others signed.")],
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Change the channel by an update that enough administrators have signed."""
    from pedchain_network.change import parameters
    from pedchain_network.change.live import opened

    with opened(State(state.resolve()), progress(as_json=as_json)) as live:
        asyncio.run(parameters.submit(live, [file, *files]))
    return 0


def _parameters(
    numbers: list[str], admins: str, lifecycle: str, anchors: list[str], endpoints: list[str]
) -> "Parameters":
    from pedchain_network.change.parameters import Parameters

    pairs = [(name, _number(name, value)) for name, value in map(_pair, numbers)]
    return Parameters(
        batch={name: value for name, value in pairs if name in _BATCH},
        timers={name: value for name, value in pairs if name not in _BATCH},
        admins=admins,
        lifecycle=lifecycle,
        anchors={
            name: [_host_port(each) for each in value.split(",")]
            for name, value in map(_pair, anchors)
        },
        endpoints={
            name: [":".join(map(str, _host_port(each))) for each in value.split(",")]
            for name, value in map(_pair, endpoints)
        },
    )


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not (name and found and value):
        raise _bad(f"{text!r} is not NAME=VALUE")
    return name, value


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise _bad(f"{name} must be a whole number, not {text!r}")
    return int(text)


def _host_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not 0 < _number("the port", port) < 65_536:
        raise _bad(f"{text!r} is not HOST:PORT")
    return host, int(port)


def _bad(text: str) -> ChangeRefusedError:
    from pedchain_network.change.refusal import Reason, refuse

    return refuse(Reason.BAD_PARAMETER, text, "see ped-network channel update --help")
