# SPDX-License-Identifier: Apache-2.0
"""`up`, `down`, `clean`: the network as a whole."""

import asyncio

from pedchain_network.cli.app import (
    DEFAULT_STATE,
    RuntimeOption,
    StateOption,
    TopologyOption,
    app,
    progress,
)
from pedchain_network.state import State


@app.command
def up(
    *,
    runtime: RuntimeOption = "auto",
    state: StateOption = DEFAULT_STATE,
    topology: TopologyOption = None,
) -> int:
    """Bring the network up, or what is missing; returns once a transaction has proven it."""
    report = progress()

    from pedchain_network.runtimes.choice import choose

    choice = choose(runtime)
    report.step(f"runtime {choice.runtime}: {choice.reason}")

    from pedchain_network.bringup import up as bringup
    from pedchain_network.topology import reader

    consortium_ = reader.load(topology or reader.reference())
    asyncio.run(bringup.up(consortium_, State(state.resolve()), choice, report))
    report.step(f"up: profiles in {state / 'profiles'}")
    return 0


@app.command
def down(*, state: StateOption = DEFAULT_STATE) -> int:
    """End the network's processes; ledgers and keys stay."""
    from pedchain_network import takedown

    takedown.down(State(state.resolve()), progress())
    return 0


@app.command
def clean(*, state: StateOption = DEFAULT_STATE) -> int:
    """End the network's processes and remove its ledgers, keys and logs."""
    from pedchain_network import takedown

    takedown.clean(State(state.resolve()), progress())
    return 0
