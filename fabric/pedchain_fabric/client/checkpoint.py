# SPDX-License-Identifier: Apache-2.0
"""Where an event listener got to, kept so that a restart neither loses nor repeats."""

import json
import os
import tempfile
from pathlib import Path
from typing import Final, Protocol

from pedchain_fabric.client.limits import BLOCK_NUMBER_MAX, CHECKPOINT_BYTES_MAX
from pedchain_fabric.errors import WireError

_UNSET: Final = (0, "")


class Checkpoint(Protocol):
    """A place in the ledger: everything before `block_number`, and in it up to and including
    `transaction_id`, is done. (0, "") means nothing is known."""

    @property
    def block_number(self) -> int: ...

    @property
    def transaction_id(self) -> str: ...


class EventPlace(Protocol):
    """What says where it happened, as a `ChaincodeEvent` does."""

    @property
    def block_number(self) -> int: ...

    @property
    def transaction_id(self) -> str: ...


class MemoryCheckpointer:
    """A checkpoint that dies with the process: for reconnecting."""

    def __init__(self, block_number: int = 0, transaction_id: str = "") -> None:
        self._place = (block_number, transaction_id)

    @property
    def block_number(self) -> int:
        """The block to go on with."""
        return self._place[0]

    @property
    def transaction_id(self) -> str:
        """The last transaction done in that block, empty if none is."""
        return self._place[1]

    def checkpoint_block(self, block_number: int) -> None:
        """Note that this block is done."""
        self._move((block_number + 1, ""))

    def checkpoint_transaction(self, block_number: int, transaction_id: str) -> None:
        """Note that this transaction, and what stands before it in its block, is done."""
        self._move((block_number, transaction_id))

    def checkpoint_event(self, event: EventPlace) -> None:
        """Note that the transaction of this event is done."""
        self.checkpoint_transaction(event.block_number, event.transaction_id)

    def _move(self, place: tuple[int, str]) -> None:
        self._place = place


class FileCheckpointer(MemoryCheckpointer):
    """A checkpoint in a file: durable and all or nothing, whenever the machine stops.

    Reads what the Go, Node and Java clients write; writes Go's form. Each note waits for the
    disk: call it in a thread where that matters. One listener per file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the checkpoint at `path`, or begin one. Raises `WireError` if it is garbage."""
        self._path = Path(path)
        super().__init__(*_read(self._path))

    def _move(self, place: tuple[int, str]) -> None:
        _write(self._path, place)
        super()._move(place)


def _read(path: Path) -> tuple[int, str]:
    try:
        with path.open("rb") as file:
            data = file.read(CHECKPOINT_BYTES_MAX + 1)
    except FileNotFoundError:
        return _UNSET
    if not data.strip():
        return _UNSET  # what the Go client leaves before its first note
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise WireError(f"{path.name} is no checkpoint") from error
    if len(data) > CHECKPOINT_BYTES_MAX or not isinstance(found, dict):
        raise WireError(f"{path.name} is no checkpoint")
    return _number(found.get("blockNumber"), path), _text(found.get("transactionId"), path)


def _number(value: object, path: Path) -> int:
    """A number, in Node's files as text; absent means 0."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        value = int(value)
    number = 0 if value is None else value
    if isinstance(number, bool) or not isinstance(number, int):
        raise WireError(f"{path.name}: the block number is no number")
    if not 0 <= number <= BLOCK_NUMBER_MAX:
        raise WireError(f"{path.name}: the block number is out of range")
    return number


def _text(value: object, path: Path) -> str:
    if value is not None and not isinstance(value, str):
        raise WireError(f"{path.name}: the transaction id is no text")
    return value or ""


def _write(path: Path, place: tuple[int, str]) -> None:
    """Write beside, flush to the disk, put in place, flush the folder."""
    content = json.dumps({"blockNumber": place[0], "transactionId": place[1]}).encode()
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
