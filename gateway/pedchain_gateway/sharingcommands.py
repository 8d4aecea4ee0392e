# SPDX-License-Identifier: Apache-2.0
"""Commands `ped-gateway show-hours|share|statement|bank-file`: communities and members' months."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

if TYPE_CHECKING:
    from pedchain_gateway.month import Months

Profile = Annotated[Path, Parameter(help="The organisation's connection profile.")]
User = Annotated[str, Parameter(help="Which of the profile's users acts.")]
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
                _line(json.dumps(row, sort_keys=True))
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
    """Write a member's month: OUT/ACCOUNT-MONTH.html, .csv and .json.

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

    fees = json.loads(tariff.read_bytes())

    made: list[dict[str, Any]] = []

    async def act(months: "Months") -> None:
        made.append(await months.statement(account, month, fees))

    code = _run(profile, user, act)
    for found in made:
        out.mkdir(parents=True, exist_ok=True)
        name = out / f"{account}-{month}"
        name.with_suffix(".html").write_text(statements.to_html(found))
        name.with_suffix(".csv").write_text(statements.to_csv(found), newline="")
        name.with_suffix(".json").write_text(json.dumps(found, sort_keys=True, indent=1))
        _line(f"{account} {month} total {statements.decimal(found['total'], 6)}")
    return code


def bank_file(
    *, profile: Profile, month: Month, payees: Path, out: Path, user: User = "gateway"
) -> int:
    """Write what a month's sharing comes to between members, for the bank, as CSV.

    Parameters
    ----------
    payees
        JSON {account: bank reference} of all members of the communities.
    out
        The file to write.
    """
    references, made = json.loads(payees.read_bytes()), []

    async def act(months: "Months") -> None:
        made.append(await months.bank_file(month, references))

    code = _run(profile, user, act)
    for text in made:
        out.write_text(text, newline="")
        _line(f"{month} {len(references)} accounts")
    return code


COMMANDS: tuple[Callable[..., int], ...] = (show_hours, share, statement, bank_file)


def _run(profile: Path, user: str, act: "Callable[[Months], Awaitable[None]]") -> int:
    from pedchain_domain.reasons import DomainError
    from pedchain_gateway.fabricledger import ProfileError, open_ledger
    from pedchain_gateway.ledger import LedgerError
    from pedchain_gateway.month import Months

    async def run() -> None:
        async with await open_ledger(profile, user) as ledger:
            await act(Months(ledger, _line))

    try:
        asyncio.run(run())
    except (LedgerError, ProfileError, DomainError) as error:
        sys.stderr.write(f"ped-gateway: {error}\n")
        return 1
    return 0


def _line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
