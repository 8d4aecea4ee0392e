# SPDX-License-Identifier: Apache-2.0
"""`status`: looking at a network."""

import asyncio
import json

from pedchain_network.cli.app import DEFAULT_STATE, JsonOption, StateOption, app
from pedchain_network.state import State

_STATUS_CODES = {"up": 0, "down": 3, "degraded": 4}


@app.command
def status(*, state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> int:
    """Say what runs: exit code 0 up, 3 down, 4 degraded."""
    from pedchain_network.watch.look import look

    found = asyncio.run(look(State(state.resolve())))
    if as_json:
        print(json.dumps(found.to_document(), indent=1))
    else:
        print("\n".join(found.lines()))
    return _STATUS_CODES[found.state]
