# SPDX-License-Identifier: Apache-2.0
"""The command line: `ped-gateway serve|register|close`.

Imports are done by the command that needs them, so that a wrong call is answered at once.
"""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from pedchain_gateway import marketcommands, sharingcommands, subjectcommands
from pedchain_gateway.administration import COMMANDS

app = App(name="ped-gateway", help="One organisation's HTTP service in front of its Fabric peer.")
for command in COMMANDS:
    app.command(command)
for work in (*subjectcommands.COMMANDS, *sharingcommands.COMMANDS):
    app.command(work)
app.command(marketcommands.app)
Profile = Annotated[Path, Parameter(help="The organisation's connection profile.")]


@app.command
def serve(*, config: Path) -> int:
    """Serve the HTTP interface until stopped.

    Parameters
    ----------
    config
        The gateway's TOML file.
    """
    from pedchain_gateway import logs
    from pedchain_gateway.config import ConfigError, load

    try:
        loaded = load(config)
    except ConfigError as error:
        return _fail(error, 2)
    from pedchain_gateway.serve import serve as run

    logs.set_up()
    return _run(run(loaded))


@app.command
def register(file: Path, /, *, profile: Profile, user: str = "gateway") -> int:
    """Push districts, calendars, factors, sites, points and devices onto the ledger.

    Parameters
    ----------
    file
        JSON with factors, calendars, districts and documents by district.
    user
        Which of the profile's users acts.
    """
    from pedchain_gateway.fabricledger import open_ledger
    from pedchain_gateway.register import RegistrationError, load
    from pedchain_gateway.register import register as push

    try:
        registration = load(file)
    except RegistrationError as error:
        return _fail(error, 2)

    async def run() -> None:
        async with await open_ledger(profile, user) as ledger:
            await push(ledger, registration, _line)

    return _run(run())


@app.command
def close(
    *,
    profile: Profile,
    district: str,
    through: str | None = None,
    first: Annotated[str | None, Parameter(name="--from")] = None,
    run: Literal["P", "F", "FINAL", "all"] = "P",
    user: str = "gateway",
) -> int:
    """Close the days that are due: seal, fold, certify. May be run again at any time.

    Parameters
    ----------
    district
        The district's id.
    through
        The last day to close; without it, all that are due.
    first
        The first day to close, if none was closed before.
    run
        The run to close by: P, F, FINAL, or all that are due.
    user
        Which of the profile's users acts.
    """
    from pedchain_gateway.closing import Closer
    from pedchain_gateway.fabricledger import open_ledger
    from pedchain_gateway.ledger import definition_of

    async def act() -> None:
        async with await open_ledger(profile, user) as ledger:
            closer = Closer(ledger, district, definition_of(district), _line)
            closed = await closer.close(
                through=through, first=first, run=None if run == "all" else run
            )
            _line(f"{district} {len(closed)} certificates written")
            if not (closed or first):
                _line(
                    "no day is due: without --from closing begins with the first certified day, "
                    "else with the last day that has ended"
                )

    return _run(act())


def _run(work: Coroutine[Any, Any, None]) -> int:
    from pedchain_gateway.closing import ClosingError
    from pedchain_gateway.fabricledger import ProfileError
    from pedchain_gateway.ledger import LedgerError

    try:
        asyncio.run(work)
    except (LedgerError, ClosingError, ProfileError) as error:
        return _fail(error, 1)
    return 0


def _line(text: str) -> None:
    print(text, flush=True)


def _fail(error: Exception, code: int) -> int:
    print(f"ped-gateway: {error}", file=sys.stderr)
    return code


def main() -> None:
    """Run the command and leave with its exit code."""
    sys.exit(app())
