# SPDX-License-Identifier: Apache-2.0
"""`up`, `down`, `clean`: the network as a whole."""

import asyncio

from pedchain_network.cli.app import (
    DEFAULT_STATE,
    JsonOption,
    RuntimeOption,
    StateOption,
    TopologyOption,
    YesOption,
    app,
    confirmed,
    progress,
)
from pedchain_network.runtimes import standby
from pedchain_network.state import State


@app.command
def up(
    *,
    runtime: RuntimeOption = "auto",
    state: StateOption = DEFAULT_STATE,
    topology: TopologyOption = None,
    as_json: JsonOption = False,
) -> int:
    """Bring the network up, or what is missing; returns once a transaction has proven it."""
    report = progress(as_json=as_json)
    where = State(state.resolve())
    last = where.load()
    if runtime == "embedded" and not (last and last.processes):
        standby.begin("pedchain_fabric.embedded")

    from pedchain_network.runtimes.choice import choose
    from pedchain_network.topology import model, reader

    given = reader.load(topology) if topology else None
    choice = choose(runtime, given.fabric if given else model.FABRIC, last.runtime if last else "")
    report.step(f"runtime {choice.runtime}: {choice.reason}")

    from pedchain_network.bringup import up as bringup

    asyncio.run(bringup.up(given, where, choice, report))
    report.step(f"up: profiles in {state / 'profiles'}")
    return 0


@app.command
def down(*, state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> int:
    """End the network's processes; ledgers and keys stay."""
    from pedchain_network import takedown

    takedown.down(State(state.resolve()), progress(as_json=as_json))
    return 0


@app.command
def clean(
    *, state: StateOption = DEFAULT_STATE, yes: YesOption = False, as_json: JsonOption = False
) -> int:
    """End the network's processes and remove its ledgers, keys and logs; asks first."""
    from pedchain_network import takedown

    if not confirmed(f"Remove all ledgers and keys in {state.resolve()}?", yes=yes):
        return 1
    takedown.clean(State(state.resolve()), progress(as_json=as_json))
    return 0
