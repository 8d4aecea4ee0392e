# SPDX-License-Identifier: Apache-2.0
"""The change under way, on record from before its first step until after its last.

As long as one is unfinished no other may begin: it would start from a network that neither the
stored topology nor the channel describes.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from pedchain_network import files
from pedchain_network.change.refusal import Reason, refuse
from pedchain_network.errors import StateError
from pedchain_network.state import State

_SCHEMA = "change/1"


@dataclass(frozen=True, slots=True)
class Pending:
    """`command` is what was called (`org add DistrictC --ports 7450`), `wanted` the text of the
    topology to be."""

    command: str
    wanted: str


def load(state: State) -> Pending | None:
    """The unfinished change, if there is one. Raises `StateError`."""
    path = _path(state)
    try:
        document = json.loads(path.read_bytes())
        if document["schema"] != _SCHEMA:
            raise StateError(f"{path} is of another version", "finish it with the version it is of")
        return Pending(document["command"], document["wanted"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(f"{path} is damaged", f"remove {path} and call the command again") from error


def begin(state: State, change: Pending, *, replaces: str = "") -> None:
    """Put it on record. The same may go on; one whose command begins with `replaces` is undone
    by this one. Raises `ChangeRefusedError` while another one is unfinished."""
    found = load(state)
    undone = replaces and found is not None and found.command.startswith(replaces)
    if found is not None and found != change and not undone:
        raise refuse(
            Reason.CHANGE_UNFINISHED,
            f"`{found.command}` is half done",
            f"finish it first: ped-network {found.command}",
        )
    document = {"schema": _SCHEMA, "command": change.command, "wanted": change.wanted}
    files.write(_path(state), json.dumps(document, indent=1).encode())


def finish(state: State) -> None:
    """It is done."""
    _path(state).unlink(missing_ok=True)


def _path(state: State) -> Path:
    return state.root / "change.json"
