# SPDX-License-Identifier: Apache-2.0
"""What the commands of `ped-gateway` share: work on a ledger with its exit code, lines, files.

A command leaves with 0, with 1 and the ledger's reason, or with 2 where it was called wrongly.
Imports of the ledger are done by the work, so that a wrong call is answered at once.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from pedchain_gateway import limits

if TYPE_CHECKING:
    from pedchain_domain.debit import PrivateKey
    from pedchain_gateway.ledger.fabric import FabricLedger

Profile = Annotated[Path, Parameter(help="The organisation's connection profile.")]
User = Annotated[str, Parameter(help="Which of the profile's users acts.")]
Account = Annotated[str, Parameter(help="The account's id.")]
Key = Annotated[Path, Parameter(help="The account's private key, PEM.")]
Document = dict[str, Any]
FAILED, MISUSED = 1, 2


def perform(work: Coroutine[Any, Any, None]) -> int:
    """Run the work; its exit code. What a ledger, a file or a rule refuses is said in one line."""
    from pedchain_domain.reasons import DomainError
    from pedchain_gateway.certifying.closing import ClosingError
    from pedchain_gateway.ledger.fabric import ProfileError
    from pedchain_gateway.ledger.port import LedgerError

    try:
        asyncio.run(work)
    except (LedgerError, ClosingError, ProfileError, DomainError, OSError) as error:
        return fail(error)
    return 0


def on_ledger(profile: Path, user: str, act: "Callable[[FabricLedger], Awaitable[None]]") -> int:
    """Run what needs the ledger behind a profile; its exit code."""

    async def work() -> None:
        from pedchain_gateway.ledger.fabric import open_ledger

        async with await open_ledger(profile, user) as ledger:
            await act(ledger)

    return perform(work())


def line(text: str) -> None:
    """Tell the user something, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def fail(error: Exception | str, code: int = FAILED) -> int:
    """Tell what went wrong; the code to leave with."""
    sys.stderr.write(f"ped-gateway: {error}\n")
    return code


def read_bytes(path: Path) -> bytes:
    """What stands in a file of bounded size; ends the command where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(limits.DOCUMENT_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise SystemExit(fail(f"{path}: {error.strerror}", MISUSED)) from error


def read_key(path: Path) -> "PrivateKey":
    """An account's key from a file; ends the command where there is none."""
    from pedchain_domain.debit import private_key

    try:
        return private_key(read_bytes(path))
    except ValueError as error:
        raise SystemExit(fail(f"{path}: {error}", MISUSED)) from error


def write_text(path: Path, text: str) -> None:
    """Put it into a file, its line ends as they are, and make the folder. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def read_document(path: Path) -> Document:
    """A document from a file; ends the command where there is none."""
    from pedchain_domain import canonical

    bounds = canonical.Limits(size=limits.DOCUMENT_FILE_BYTES_MAX)
    try:
        found = canonical.decode(read_bytes(path), bounds)
    except canonical.CanonicalError as error:
        raise SystemExit(fail(f"{path}: {error}", MISUSED)) from error
    if not isinstance(found, dict):
        raise SystemExit(fail(f"{path}: must be one object", MISUSED))
    return found
