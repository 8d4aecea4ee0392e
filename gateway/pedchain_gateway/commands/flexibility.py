# SPDX-License-Identifier: Apache-2.0
"""Commands `ped-gateway flexibility ...`: consent of sites, orders of demand response, statements.

Papers that devices sign and orders come as JSON files; money is spent by an account's key.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from pedchain_gateway.commands.commandline import (
    MISUSED,
    Account,
    Key,
    Profile,
    User,
    fail,
    line,
    on_ledger,
    read_document,
    read_key,
    write_text,
)

if TYPE_CHECKING:
    from pedchain_gateway.demandresponse.flexibility import Flexibility
    from pedchain_gateway.ledger.fabric import FabricLedger
    from pedchain_gateway.market.trader import Trader

app = App(name="flexibility", help="Demand response: sites' consent, orders, statements.")
District = Annotated[str, Parameter(help="The district's id.")]
Act = Callable[["Flexibility"], Awaitable[None]]
Spend = Callable[["Flexibility", "Trader"], Awaitable[None]]


@app.command
def offer(
    site: str, code: str, /, *, profile: Profile, district: District, user: User = "gateway"
) -> int:
    """Expect a site's consent by a one-time code, which its occupant is given on another way.

    Parameters
    ----------
    site
        The site's id.
    code
        The code; only its digest is sent.
    """
    from pedchain_domain.onboarding import code_digest

    digest = code_digest(f"flex:{site}", code)
    return _run(profile, user, lambda flex: flex.offer(district, site, digest))


@app.command
def enrol(
    paper: Path, code: str, /, *, profile: Profile, district: District, user: User = "gateway"
) -> int:
    """Carry a consent that the site's device signed, with its occupant's code.

    Parameters
    ----------
    paper
        {document: enrolment/1, signature}, JSON.
    """
    found = read_document(paper)
    return _run(profile, user, lambda flex: flex.enrol(district, found, code))


@app.command
def withdraw(
    paper: Path, /, *, profile: Profile, district: District, user: User = "gateway"
) -> int:
    """Carry the end of a consent, signed by the site's device."""
    found = read_document(paper)
    return _run(profile, user, lambda flex: flex.withdraw(district, found))


@app.command
def declare(paper: Path, /, *, profile: Profile, district: District, user: User = "gateway") -> int:
    """Carry a site's schedule of a day, or days of its absence, signed by its device ahead."""
    found = read_document(paper)
    return _run(profile, user, lambda flex: flex.declare(district, found))


@app.command
def share(
    first: str,
    last: str,
    /,
    *,
    profile: Profile,
    district: District,
    user: User = "gateway",
) -> int:
    """Share closed days of enrolled sites with the aggregator, as 2026-03-01 2026-03-31."""
    return _run(profile, user, lambda flex: flex.share(district, first, last))


@app.command
def purge(through: str, /, *, profile: Profile, district: District, user: User = "gateway") -> int:
    """Purge shared days that no order can look at any more, 185 days after they ended; what orders
    left goes with `ped-gateway purge`.

    Parameters
    ----------
    through
        The last day to purge, as 2026-01-31.
    """
    from pedchain_gateway.subjects import flexsubject

    async def work(ledger: "FabricLedger") -> None:
        await flexsubject.purge(ledger, district, through, line, kinds=("days",))

    return on_ledger(profile, user, work)


@app.command
def issue(
    order: Path, /, *, profile: Profile, account: Account, key: Key, user: User = "operator"
) -> int:
    """Issue an order, order/1 as JSON; its whole price is locked."""
    body = read_document(order)

    async def act(flex: "Flexibility", trader: "Trader") -> None:
        await flex.issue(trader, body)
        line(f"{body['id']} issued")

    return _spend(profile, user, account, key, act)


@app.command
def accept(
    order: str,
    parts: list[str],
    /,
    *,
    profile: Profile,
    account: Account,
    key: Key,
    plant: bool = False,
    guaranteed: bool = False,
    user: User = "provider",
) -> int:
    """Accept an order; the notice counts from now.

    Parameters
    ----------
    parts
        DISTRICT=WATTS for each district, together the order's power.
    plant
        It is one plant's, so that few sites are enough.
    guaranteed
        Users get the order's price for all they contribute, whatever the order earns.
    """
    divided: dict[str, int] = {}
    for part in parts:
        name, _, watts = part.partition("=")
        if not name or not watts.isascii() or not watts.isdigit():
            return fail(f"not DISTRICT=WATTS: {part}", MISUSED)
        divided[name] = int(watts)

    async def act(flex: "Flexibility", trader: "Trader") -> None:
        await flex.accept(trader, order, divided, plant=plant, guaranteed=guaranteed)
        line(f"{order} accepted")

    return _spend(profile, user, account, key, act)


@app.command
def reduce(
    order: str, /, *, profile: Profile, account: Account, key: Key, user: User = "operator"
) -> int:
    """Ask for no more than what is asked of the sites that acknowledged, before the event."""

    async def act(flex: "Flexibility", trader: "Trader") -> None:
        await flex.reduce(trader, order)
        line(f"{order} reduced")

    return _spend(profile, user, account, key, act)


@app.command
def revoke(
    order: str, /, *, profile: Profile, account: Account, key: Key, user: User = "operator"
) -> int:
    """Take an order back, as long as nobody was chosen for it."""

    async def act(flex: "Flexibility", trader: "Trader") -> None:
        await flex.revoke(trader, order)
        line(f"{order} revoked")

    return _spend(profile, user, account, key, act)


@app.command
def dispatch(order: str, /, *, profile: Profile, key: Key, user: User = "gateway") -> int:
    """Choose the sites of an accepted order, and send each what the issuer's key signs."""
    signer = read_key(key)
    return _run(profile, user, lambda flex: flex.dispatch(order, signer))


@app.command
def answer(
    order: str,
    answers: list[Path],
    /,
    *,
    profile: Profile,
    district: District,
    user: User = "gateway",
) -> int:
    """Carry what agents answer, each {document: answer/1, signature} as JSON."""
    found = [read_document(path) for path in answers]
    return _run(profile, user, lambda flex: flex.answer(order, district, found))


@app.command
def settle(order: str, /, *, profile: Profile, user: User = "gateway") -> int:
    """Measure, settle and pay an order whose event is over and closed by run F."""
    from pedchain_gateway.market.orderlines import money

    async def act(flex: "Flexibility") -> None:
        result = await flex.settle(order)
        line(f"delivered {result['delivered_wh']} Wh, missing {result['deficiency_wh']} Wh")
        for name in ("pay", "penalty", "availability", "users", "supplier"):
            line(f"{name:13}{money(result[name]):>16}")

    return _run(profile, user, act)


@app.command
def correct(order: str, /, *, profile: Profile, user: User = "gateway") -> int:
    """Put a settled order right by run FINAL: what it should have been, and who owes whom."""
    from pedchain_gateway.market.orderlines import money

    async def act(flex: "Flexibility") -> None:
        found = await flex.correct(order)
        line(f"delivered {found['delivered_wh']} Wh, missing {found['deficiency_wh']} Wh")
        for name in ("pay", "penalty", "supplier"):
            line(f"{name:13}{money(found[name]):>16}")
        for name, amount in found["owed"].items():
            line(f"owed {name:8}{money(amount):>16}")

    return _run(profile, user, act)


@app.command
def pay_correction(
    order: str, /, *, profile: Profile, account: Account, key: Key, user: User = "provider"
) -> int:
    """Pay what a correction makes an account owe: the other side, the supplier, its users."""

    async def act(flex: "Flexibility", trader: "Trader") -> None:
        await flex.pay_correction(trader, order)
        line(f"{order} paid")

    return _spend(profile, user, account, key, act)


@app.command
def lapse(order: str, /, *, profile: Profile, user: User = "gateway") -> int:
    """End an order that cannot come to its end any more; all money goes back."""
    return _run(profile, user, lambda flex: flex.lapse(order))


@app.command
def statement(
    order: str,
    site: str,
    /,
    *,
    profile: Profile,
    district: District,
    plot: Path | None = None,
    user: User = "gateway",
) -> int:
    """Tell what an order was for one site: baseline, measured, ordered, money, and why.

    Parameters
    ----------
    plot
        A file for a plot of the hours around the event, SVG.
    """
    from pedchain_gateway.demandresponse import statement as flexstatement

    async def act(flex: "Flexibility") -> None:
        about, found = await flex.statement(order, district, site)
        line(flexstatement.text(about, found).rstrip("\n"))
        if plot is not None:
            write_text(plot, flexstatement.svg(about, found))
            line(f"{plot} written")

    return _run(profile, user, act)


@app.command
def accuracy(order: str, /, *, profile: Profile, user: User = "gateway") -> int:
    """Tell how well baselines of an order's portfolio met days on which nothing was ordered."""

    async def act(flex: "Flexibility") -> None:
        for district, part in (await flex.order(order))["districts"].items():
            found = part.get("accuracy")
            if found is None:
                line(f"{district} not chosen yet")
                continue
            bias, scatter = found["bias_ppm"], found["rrmse_ppm"]
            line(
                f"{district} {found['days']} days, bias {_percent(bias)}, scatter (RRMSE) "
                f"{_percent(scatter)}; {', '.join(found['doubts']) or 'no doubts'}"
            )

    return _run(profile, user, act)


def _percent(ppm: int | None) -> str:
    return "unknown" if ppm is None else f"{ppm / 10_000:.2f} %"


def _run(profile: Path, user: str, act: Act) -> int:
    from pedchain_gateway.demandresponse.flexibility import Flexibility

    async def work(ledger: "FabricLedger") -> None:
        await act(Flexibility(ledger, ledger.channel, line))

    return on_ledger(profile, user, work)


def _spend(profile: Path, user: str, account: str, key: Path, act: Spend) -> int:
    from pedchain_gateway.demandresponse.flexibility import Flexibility
    from pedchain_gateway.market.trader import Trader, Wallet

    wallet = Wallet(account, read_key(key))

    async def work(ledger: "FabricLedger") -> None:
        flex = Flexibility(ledger, ledger.channel, line)
        await act(flex, Trader(ledger, ledger.channel, wallet))

    return on_ledger(profile, user, work)
