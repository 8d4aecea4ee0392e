# SPDX-License-Identifier: Apache-2.0
"""The command line: `ped-gateway serve|register|close`.

Imports are done by the command that needs them, so that a wrong call is answered at once.
"""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from pedchain_gateway.commands import (
    exports,
    flexibility,
    imports,
    market,
    people,
    sharing,
    subjects,
    yearly,
)
from pedchain_gateway.commands.administration import COMMANDS
from pedchain_gateway.commands.commandline import MISUSED, Profile, fail, line, on_ledger, perform

app = App(name="ped-gateway", help="One organisation's HTTP service in front of its Fabric peer.")
for command in COMMANDS:
    app.command(command)
for people_command in people.COMMANDS:
    app.command(people_command)
for work in (*subjects.COMMANDS, *sharing.COMMANDS):
    app.command(work)
app.command(imports.import_files, name="import")
app.command(imports.master)
app.command(imports.quickstart)
app.command(exports.app)
app.command(yearly.app)
app.command(market.app)
app.command(flexibility.app)


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
        return fail(error, MISUSED)
    from pedchain_gateway.service.serve import serve as work

    logs.set_up()
    return perform(work(loaded))


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
    from pedchain_gateway.registering.register import RegistrationError, load
    from pedchain_gateway.registering.register import register as push

    try:
        registration = load(file)
    except RegistrationError as error:
        return fail(error, MISUSED)

    return on_ledger(profile, user, lambda ledger: push(ledger, registration, line))


@app.command
def close(
    *,
    profile: Profile,
    district: str,
    through: str | None = None,
    first: Annotated[str | None, Parameter(name="--from")] = None,
    run: Literal["P", "F", "FINAL", "all"] = "P",
    gently: bool = False,
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
    gently
        Rest between the steps, as `serve` does, so that readings find room.
    user
        Which of the profile's users acts.
    """
    from pedchain_gateway import limits
    from pedchain_gateway.certifying.closing import Closer
    from pedchain_gateway.ledger.port import Ledger, definition_of

    async def act(ledger: Ledger) -> None:
        rest = limits.CLOSING_REST if gently else 0.0
        closer = Closer(ledger, district, definition_of(district), line, rest=rest)
        closed = await closer.close(through=through, first=first, run=None if run == "all" else run)
        line(f"{district} {len(closed)} certificates written")
        if not (closed or first):
            line(
                "no day is due: without --from closing begins with the first certified day, "
                "else with the last day that has ended"
            )

    return on_ledger(profile, user, act)


def main() -> None:
    """Run the command and leave with its exit code."""
    sys.exit(app())
