# SPDX-License-Identifier: Apache-2.0
"""ped-network: bring the consortium's network up, look at it, take it down.

Exit codes: 0 done (status: up), 1 failed, 2 usage, 3 status: down, 4 status: degraded.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from pedchain_network.errors import NetworkError
from pedchain_network.progress import Progress
from pedchain_network.state import State

_STATUS_CODES = {"up": 0, "down": 3, "degraded": 4}

app = App(
    name="ped-network",
    help="The consortium's Fabric network.",
    version_flags=[],
    help_formatter="plain",
    error_formatter=lambda error: f"ped-network: {error}",
)

StateOption = Annotated[Path, Parameter(name="--state", help="Where the network keeps its files.")]
RuntimeOption = Annotated[
    str, Parameter(name="--runtime", help="auto, docker, native or embedded.")
]
TopologyOption = Annotated[
    Path | None, Parameter(name="--topology", help="The consortium (default: the reference).")
]
JsonOption = Annotated[bool, Parameter(name="--json", negative=(), help="For machines.")]

_DEFAULT_STATE = Path(".pedchain")


@app.command
def up(
    *,
    runtime: RuntimeOption = "auto",
    state: StateOption = _DEFAULT_STATE,
    topology: TopologyOption = None,
) -> int:
    """Bring the network up, or what is missing; returns once a transaction has proven it."""
    progress = _progress()

    from pedchain_network.runtime import choose

    choice = choose(runtime)
    progress.step(f"runtime {choice.runtime}: {choice.reason}")

    from pedchain_network import bringup, consortium

    consortium_ = consortium.load(topology or consortium.reference())
    asyncio.run(bringup.up(consortium_, State(state.resolve()), choice, progress))
    progress.step(f"up: profiles in {state / 'profiles'}")
    return 0


@app.command
def down(*, state: StateOption = _DEFAULT_STATE) -> int:
    """End the network's processes; ledgers and keys stay."""
    from pedchain_network import takedown

    takedown.down(State(state.resolve()), _progress())
    return 0


@app.command
def clean(*, state: StateOption = _DEFAULT_STATE) -> int:
    """End the network's processes and remove its ledgers, keys and logs."""
    from pedchain_network import takedown

    takedown.clean(State(state.resolve()), _progress())
    return 0


@app.command
def status(*, state: StateOption = _DEFAULT_STATE, as_json: JsonOption = False) -> int:
    """Say what runs: exit code 0 up, 3 down, 4 degraded."""
    from pedchain_network import health

    found = asyncio.run(health.look(State(state.resolve())))
    if as_json:
        print(json.dumps(found.to_document(), indent=1))
    else:
        print("\n".join(found.lines()))
    return _STATUS_CODES[found.state]


def main() -> None:
    """The console script."""
    try:
        code = app(result_action="return_value")
    except NetworkError as error:
        print(f"ped-network: {error}", file=sys.stderr)
        code = 1
    except OSError as error:
        print(f"ped-network: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print("ped-network: interrupted; what was started still runs", file=sys.stderr)
        code = 130
    sys.exit(code or 0)


def _progress() -> Progress:
    return Progress(lambda line: print(line, flush=True))
