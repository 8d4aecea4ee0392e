# SPDX-License-Identifier: Apache-2.0
"""Commands `ped-gateway market place|import|list|history|cancel|take|balance|trades|curve`, for
prosumers: each debit is signed here, by the account's key."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import App

from pedchain_gateway.commands.commandline import (
    MISUSED,
    Account,
    Key,
    Profile,
    User,
    fail,
    line,
    on_ledger,
    read_key,
    write_text,
)

if TYPE_CHECKING:
    from pedchain_gateway.market.trader import Trader

app = App(name="market", help="Trade electricity and heat with an account's own key.")
Act = Callable[["Trader"], Awaitable[None]]


@app.command
def place(
    side: Literal["OFFER", "BID"],
    lines: list[str],
    /,
    *,
    profile: Profile,
    account: Account,
    key: Key,
    user: User = "gateway",
    energy_only: bool = False,
) -> int:
    """Place an order; each line clears by itself.

    Parameters
    ----------
    lines
        CARRIER:ZONE:HOUR:WH:PRICE, as electricity:1:2026-03-29T12:00Z:500:0.15 (UTC, per kWh).
    energy_only
        Certificates of origin stay whose they are; else they go with what is sold.
    """
    from pedchain_domain.market.orders import Kind
    from pedchain_gateway.market import orderlines

    try:
        found = map(orderlines.line, lines)
        body = orderlines.body(Kind(side), found, energy_only=energy_only)
    except orderlines.OrderError as error:
        return fail(error, MISUSED)

    async def act(trader: "Trader") -> None:
        before = (await trader.balance()).locked
        await trader.place(body)
        most = (await trader.balance()).locked - before
        origin = "energy only" if energy_only else "with its origin"
        line(f"placed, {origin}; the most you can lose by it: {orderlines.money(most)}")

    return _run(profile, user, account, key, act)


@app.command(name="import")
def import_(
    file: Path,
    /,
    *,
    profile: Profile,
    account: Account,
    key: Key,
    user: User = "gateway",
    energy_only: bool = False,
) -> int:
    """Place the orders of a CSV file: side,carrier,zone,hour,wh,price. Nothing is sent if a line
    cannot be read.

    Parameters
    ----------
    energy_only
        Certificates of origin stay whose they are; else they go with what is sold.
    """
    from pedchain_gateway.market import orderlines

    try:
        with file.open(newline="", encoding="utf-8") as opened:
            found = list(orderlines.orders(orderlines.rows(opened)))
    except (OSError, UnicodeDecodeError, orderlines.OrderError) as error:
        return fail(error, MISUSED)

    async def act(trader: "Trader") -> None:
        for number, (side, lines) in enumerate(found, 1):
            await trader.place(orderlines.body(side, lines, energy_only=energy_only))
            line(f"order {number} of {len(found)}: {side} of {len(lines)} lines placed")

    return _run(profile, user, account, key, act)


@app.command(name="list")
def list_(*, profile: Profile, account: Account, key: Key, user: User = "gateway") -> int:
    """List open orders, line by line."""
    from pedchain_domain.market.session import product_of
    from pedchain_gateway.market import orderlines

    async def act(trader: "Trader") -> None:
        for name, order in (await trader.orders()).items():
            origin = f" {order['origin']}" if "origin" in order else ""
            line(f"{name} {order['kind']}{origin} deposit {orderlines.money(order['deposit'])}")
            for part in order["lines"]:
                what = product_of(part["session"]).name
                over = " (over)" if part["ended"] else ""
                at = orderlines.price(part["limit"])
                line(f"  {what}: {part['quantity']} Wh at {at}{over}")

    return _run(profile, user, account, key, act)


@app.command
def history(
    order: str, /, *, profile: Profile, account: Account, key: Key, user: User = "gateway"
) -> int:
    """Show what became of one order, also of one that has ended."""
    from datetime import UTC, datetime

    from pedchain_domain.market.session import product_of
    from pedchain_gateway.market import orderlines

    async def act(trader: "Trader") -> None:
        found = await trader.history(order)
        for one in found["changes"]:
            at = datetime.fromtimestamp(one["at"], UTC)
            line(f"{at:%Y-%m-%dT%H:%M:%SZ} {one['action']} by transaction {one['transaction']}")
        for name, came in found["sessions"].items():
            traded = "" if came["wh"] is None else f", {came['wh']} Wh traded"
            kept = "" if not came["kept"] else f", {orderlines.money(came['kept'])} kept"
            line(f"  {product_of(name).name}: {came['state']}{traded}{kept}")

    return _run(profile, user, account, key, act)


@app.command
def cancel(
    order: str, /, *, profile: Profile, account: Account, key: Key, user: User = "gateway"
) -> int:
    """Withdraw an order; at the gate orders are firm."""

    async def act(trader: "Trader") -> None:
        await trader.cancel(order)
        line("cancelled")

    return _run(profile, user, account, key, act)


@app.command
def take(*, profile: Profile, account: Account, key: Key, user: User = "gateway") -> int:
    """Take what came of all orders so far, and make all that was credited spendable."""
    from pedchain_gateway.ledger.port import Refused

    async def act(trader: "Trader") -> None:
        taken = 0
        for name, session in (await trader.sessions()).items():
            if session["state"] in ("OPEN", "CLOSED"):
                continue
            try:
                await trader.take([name])
                taken += 1
            except Refused as error:
                if error.reason != "not-found":  # nothing to take there yet
                    raise
        line(f"{taken} sessions taken, {await trader.fold()} credits folded")

    return _run(profile, user, account, key, act)


@app.command
def balance(*, profile: Profile, account: Account, key: Key, user: User = "gateway") -> int:
    """Show money and energy."""
    from pedchain_domain.market.tokenid import from_hex, name_of
    from pedchain_gateway.market import orderlines

    async def act(trader: "Trader") -> None:
        found = await trader.balance()
        for name in ("spendable", "waiting", "locked"):
            line(f"{name:10}{orderlines.money(getattr(found, name)):>20}")
        for token, wh in (await trader.energy()).items():
            line(f"{wh} Wh {name_of(from_hex(token))}")

    return _run(profile, user, account, key, act)


@app.command
def trades(
    day: str,
    /,
    *,
    profile: Profile,
    account: Account,
    key: Key,
    zone: int,
    carrier: Literal["electricity", "heat"] = "electricity",
    user: User = "gateway",
) -> int:
    """Show what came of a UTC day's orders, hour by hour, also of those long taken."""
    from pedchain_domain.market.session import session_id
    from pedchain_domain.market.tokenid import HOUR, Carrier
    from pedchain_gateway.ledger.port import Refused
    from pedchain_gateway.market import orderlines

    try:
        start = orderlines.hour(f"{day}T00:00Z")
    except orderlines.OrderError as error:
        return fail(error, MISUSED)

    async def act(trader: "Trader") -> None:
        for at in range(24):
            name = session_id(Carrier(carrier), zone, start + at * HOUR)
            try:
                found = await trader.outcome(name)
            except Refused as error:
                if error.reason != "unknown-session":
                    raise
                continue
            if found["cleared"] is not None:
                line(f"{day}T{at:02d}:00Z {_outcome(found)}")

    return _run(profile, user, account, key, act)


@app.command
def curve(session: str, out: Path, /, *, profile: Profile, user: User = "gateway") -> int:
    """Plot a cleared session's published curves as SVG.

    Parameters
    ----------
    session
        The session's id, 64 hex digits, or CARRIER:ZONE:HOUR.
    out
        The file to write.
    """
    from pedchain_domain.market.tokenid import to_hex
    from pedchain_gateway.ledger.port import Ledger, Refused
    from pedchain_gateway.ledger.queries import ask_document
    from pedchain_gateway.market import curveplot, orderlines
    from pedchain_gateway.market.trader import DEFINITION

    name = session
    if ":" in session:
        try:
            name = to_hex(orderlines.line(f"{session}:1:0").product.token)
        except orderlines.OrderError as error:
            return fail(error, MISUSED)

    async def act(ledger: Ledger) -> None:
        found = await ask_document(ledger, DEFINITION, "market:GetSession", name)
        try:
            write_text(out, curveplot.svg(found))
        except curveplot.NoCurveError as error:
            raise Refused("not-published", str(error)) from error
        line(f"{out} written")

    return on_ledger(profile, user, act)


def _outcome(found: dict[str, dict[str, object]]) -> str:
    from pedchain_gateway.market.orderlines import money

    cleared: Any = found["cleared"]
    due: Any = found["due"]
    verb = "sold" if cleared["side"] == "ask" else "bought"
    wh = sum(filled for filled, _ in cleared["orders"].values())
    if due is None:
        origin = " (energy only)" if cleared["about"][5:] else ""
        return f"{verb} {wh} Wh{origin}, not settled yet"
    settled = due["sold"] or due["bought"]
    apart = due.get("energy_only", 0)
    origin = f", {apart} Wh of it energy only" if apart else ""
    return f"{verb} {wh} Wh, settled {settled} Wh for {money(due['money'])}{origin}"


def _run(profile: Path, user: str, account: str, key: Path, act: Act) -> int:
    from pedchain_gateway.market.trader import Trader, Wallet

    wallet = Wallet(account, read_key(key))
    return on_ledger(profile, user, lambda ledger: act(Trader(ledger, ledger.channel, wallet)))
