# SPDX-License-Identifier: Apache-2.0
"""The change under way, on record from before its first step until after its last.

As long as one is unfinished no other may begin: it would start from a network that neither the
stored topology nor the channel describes.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pedchain_network import files
from pedchain_network.change.refusal import Reason, refuse
from pedchain_network.errors import ChangeRefusedError, StateError
from pedchain_network.state import State
from pedchain_network.topology import reader
from pedchain_network.topology.model import Topology

_SCHEMA = "change/1"


@dataclass(frozen=True, slots=True)
class Pending:
    """`command` is what was called (`org add DistrictC --ports 7450`); `before` and `wanted` are
    the texts of the topologies it leads from and to."""

    command: str
    before: str
    wanted: str

    def topologies(self) -> tuple[Topology, Topology]:
        """From where it leads, and where to."""
        return reader.parse(self.before, "before"), reader.parse(self.wanted, "wanted")


def load(state: State) -> Pending | None:
    """The unfinished change, if there is one. Raises `StateError`."""
    path = _path(state)
    try:
        document = json.loads(path.read_bytes())
        if document["schema"] != _SCHEMA:
            raise StateError(f"{path} is of another version", "finish it with the version it is of")
        return Pending(document["command"], document["before"], document["wanted"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(
            f"{path} is damaged", f"remove {path} and call the command again"
        ) from error


def begin(state: State, change: Pending, *, undoes: str = "") -> None:
    """Put it on record. The same may go on; one whose command begins with `undoes` is undone by
    this one. Raises `ChangeRefusedError` while another one is unfinished."""
    found = load(state)
    if found is not None and found != change and not _undone(found, undoes):
        raise _unfinished(found)
    document = {"schema": _SCHEMA} | asdict(change)
    files.write(_path(state), json.dumps(document, indent=1).encode())


def _undone(found: Pending, undoes: str) -> bool:
    return bool(undoes) and found.command.startswith(undoes)


def require_none(state: State) -> None:
    """Nothing is half done. Raises `ChangeRefusedError`."""
    found = load(state)
    if found is not None:
        raise _unfinished(found)


def _unfinished(found: Pending) -> ChangeRefusedError:
    return refuse(
        Reason.CHANGE_UNFINISHED,
        f"`{found.command}` is half done",
        f"finish it first: ped-network {found.command}",
    )


def finish(state: State) -> None:
    """It is done."""
    _path(state).unlink(missing_ok=True)


def _path(state: State) -> Path:
    return state.root / "change.json"
