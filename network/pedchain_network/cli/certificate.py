# SPDX-License-Identifier: Apache-2.0
"""`cert renew`: before certificates end."""

import asyncio
from typing import Annotated

from cyclopts import App, Parameter

from pedchain_network import limits
from pedchain_network.cli.app import DEFAULT_STATE, JsonOption, StateOption, app, progress
from pedchain_network.state import State

certificate = App(name="cert", help="Certificates of nodes and users.")
app.command(certificate)


@certificate.command
def renew(
    *,
    organization: Annotated[str, Parameter(help="Only this organisation's.")] = "",
    node: Annotated[
        str, Parameter(help="Only this one's, due or not: peer0.dso.ped, or users/admin.")
    ] = "",
    within: Annotated[
        int, Parameter(name="--within", help="Those that end within so many days.")
    ] = limits.RENEW_WITHIN_DAYS,
    new_key: Annotated[
        bool, Parameter(name="--new-key", negative=(), help="With new private keys as well.")
    ] = False,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Renew certificates that end soon, one node at a time, each healthy before the next.

    On a network that is down only the files are renewed.
    """
    from pedchain_network.change import certificates
    from pedchain_network.change.live import opened
    from pedchain_network.runtimes.runtime import by_name

    report, where = progress(as_json=as_json), State(state.resolve())
    wish = certificates.Wish(within, organization, node, new_key)
    run = where.load()
    running = run is not None and any(each.alive for each in by_name(run.runtime).parts(where, run))
    if running:
        with opened(where, report) as live:
            count = asyncio.run(certificates.renew(live, wish))
    else:
        with where.locked():
            count = certificates.renew_files(where.topology(), where, wish, report)
    report.step(f"renewed {count} certificates")
    first = certificates.first_to_end(where.topology(), where, wish)
    if first is not None:
        report.step(f"the first to end now is {first[0].name}, in {first[1]:.0f} days")
    return 0
