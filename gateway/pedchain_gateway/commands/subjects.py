# SPDX-License-Identifier: Apache-2.0
"""Commands `ped-gateway export-subject|erase-subject|purge|issue`: data subjects, retention and
certificates of origin, from the command line of an organisation that is of the collection."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from pedchain_gateway.commands.commandline import Profile, User, fail, line, on_ledger
from pedchain_gateway.ledger.port import Ledger

District = Annotated[str, Parameter(help="The district's id.")]
Site = Annotated[str, Parameter(help="The site, by its pseudonym or the operator's own name.")]
First = Annotated[str, Parameter(name="--from", help="The stay's first day.")]
Last = Annotated[str, Parameter(name="--through", help="The stay's last day.")]


def export_subject(
    folder: Path,
    /,
    *,
    profile: Profile,
    district: District,
    site: Site,
    first: First,
    last: Last,
    user: User = "gateway",
) -> int:
    """Write all the ledger holds about a site in a stay: FOLDER/subject.json, intervals.csv.

    The files hold salts and proofs, with which the subject can show single readings to anyone.
    """
    from pedchain_gateway.subjects.subject import Stay, Subjects, as_json, intervals_csv

    found: list[dict[str, Any]] = []

    async def act(ledger: Ledger) -> None:
        found.append(await Subjects(ledger, line).export(Stay(district, site, first, last)))

    code = on_ledger(profile, user, act)
    for one in found:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "subject.json").write_text(as_json(one))
        (folder / "intervals.csv").write_text(intervals_csv(one))
    return code


def erase_subject(
    *,
    profile: Profile,
    district: District,
    site: Site,
    first: First,
    last: Last,
    user: User = "gateway",
    yes: bool = False,
) -> int:
    """Erase a site's stay from the collection, for good; what is not reached is said.

    Parameters
    ----------
    yes
        Do not ask.
    """
    from pedchain_gateway.subjects.subject import Stay, Subjects

    if not yes and not _confirmed(f"Erase {site} {first} to {last} for good?"):
        return 1

    async def act(ledger: Ledger) -> None:
        steps = await Subjects(ledger, line).erase(Stay(district, site, first, last))
        line(f"{steps} transactions")

    return on_ledger(profile, user, act)


def purge(*, profile: Profile, district: District, through: str, user: User = "gateway") -> int:
    """Purge private documents past their retention (456 days), up to a day.

    Parameters
    ----------
    through
        The last day whose private documents go.
    """
    from pedchain_gateway.subjects.subject import purge as work

    async def act(ledger: Ledger) -> None:
        await work(ledger, district, through, line)

    return on_ledger(profile, user, act)


def issue(*, profile: Profile, district: District, user: User = "gateway") -> int:
    """Issue certificates of origin for all days that run F has closed, and let those go with the
    energy that was sold and shared."""
    from pedchain_gateway.certifying.following import follow
    from pedchain_gateway.subjects.subject import issue as work

    async def act(ledger: Ledger) -> None:
        days = await work(ledger, district, line)
        line(f"{district} {len(days)} days issued")
        await follow(ledger, district, line)

    return on_ledger(profile, user, act)


COMMANDS: tuple[Callable[..., int], ...] = (export_subject, erase_subject, purge, issue)


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        fail("not a terminal, and no --yes")
        return False
    return input(f"{question} [y/N] ").strip().lower() == "y"
