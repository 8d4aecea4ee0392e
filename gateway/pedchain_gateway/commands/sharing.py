# SPDX-License-Identifier: Apache-2.0
"""Commands `ped-gateway show-hours|share|statement|postings|bank-file|forget`: communities,
members' months and retention."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from pedchain_gateway.commands.commandline import (
    Profile,
    User,
    line,
    on_ledger,
    read_document,
    write_text,
)

if TYPE_CHECKING:
    from pedchain_gateway.market.month import Months

Month = Annotated[str, Parameter(help="The month, as 2026-03.")]
Day = Annotated[str, Parameter(help="The market day, as 2026-03-29.")]


def show_hours(
    points: list[str], /, *, profile: Profile, district: str, day: Day, user: User = "gateway"
) -> int:
    """Show settlement what points of a district measured in a day, against its certificate.

    Parameters
    ----------
    points
        The points of members' registers.
    district
        The district's id.
    """

    async def act(months: "Months") -> None:
        await months.show(district, day, points)

    return _run(profile, user, act)


def share(
    community: str,
    /,
    *,
    profile: Profile,
    day: Day,
    user: User = "gateway",
    preview: bool = False,
    correct: bool = False,
) -> int:
    """Share a community's day hour by hour; what is shared already stays.

    Parameters
    ----------
    preview
        Only print what each hour would give now.
    correct
        Divide shared hours anew by what run FINAL showed.
    """

    async def act(months: "Months") -> None:
        if preview:
            for row in await months.preview(community, day):
                line(json.dumps(row, sort_keys=True))
        else:
            await months.share(community, day, correct=correct)

    return _run(profile, user, act)


def statement(
    account: str,
    /,
    *,
    profile: Profile,
    month: Month,
    tariff: Path,
    out: Path,
    user: User = "gateway",
) -> int:
    """Write a member's month: OUT/ACCOUNT-MONTH.html, .csv, .ndjson and .json.

    Parameters
    ----------
    account
        The member's account.
    tariff
        tariff/1 of the system operator: fees in µcur per kWh.
    out
        The folder to write to.
    """
    from pedchain_domain.market import statement as statements

    fees = read_document(tariff)

    async def act(months: "Months") -> None:
        found = await months.statement(account, month, fees)
        name = out / f"{account}-{month}"
        write_text(name.with_suffix(".html"), statements.to_html(found))
        write_text(name.with_suffix(".csv"), statements.to_csv(found))
        write_text(name.with_suffix(".ndjson"), statements.to_ndjson(found))
        write_text(name.with_suffix(".json"), json.dumps(found, sort_keys=True, indent=1))
        line(f"{account} {month} total {statements.decimal(found['total'], 6)}")

    return _run(profile, user, act)


def postings(
    accounts: list[str], /, *, profile: Profile, month: Month, out: Path, user: User = "gateway"
) -> int:
    """Write accounts' postings of a month's sharing and trades as CSV, for a billing system.

    Parameters
    ----------
    accounts
        The accounts to bill.
    out
        The file to write.
    """

    async def act(months: "Months") -> None:
        text = await months.postings(month, accounts)
        write_text(out, text)
        line(f"{month} {text.count(chr(10)) - 1} postings of {len(set(accounts))} accounts")

    return _run(profile, user, act)


def bank_file(
    *, profile: Profile, month: Month, payees: Path, out: Path, user: User = "gateway"
) -> int:
    """Write what a month's sharing comes to, and what members redeemed, for the bank, as CSV.

    Parameters
    ----------
    payees
        JSON {account: bank reference} of all members of the communities.
    out
        The file to write.
    """
    references = read_document(payees)

    async def act(months: "Months") -> None:
        write_text(out, await months.bank_file(month, references))
        line(f"{month} {len(references)} accounts")

    return _run(profile, user, act)


def forget(communities: list[str], /, *, profile: Profile, day: Day, user: User = "gateway") -> int:
    """Purge what is 456 days old: a day of these communities and of their markets, and old debits.

    Parameters
    ----------
    communities
        Ids of communities.
    """

    async def act(months: "Months") -> None:
        line(f"{day} {await months.forget(communities, day)} purged")

    return _run(profile, user, act)


COMMANDS: tuple[Callable[..., int], ...] = (
    show_hours,
    share,
    statement,
    postings,
    bank_file,
    forget,
)


def _run(profile: Path, user: str, act: "Callable[[Months], Awaitable[None]]") -> int:
    from pedchain_gateway.market.month import Months

    return on_ledger(profile, user, lambda ledger: act(Months(ledger, line)))
