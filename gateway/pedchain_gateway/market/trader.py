# SPDX-License-Identifier: Apache-2.0
"""A prosumer's hand in the market: orders and takings signed by the account's own key.

The key never leaves this process. The gateway that carries a debit can refuse to; it can change
nothing in it.
"""

from dataclasses import dataclass
from typing import Any

from pedchain_domain import debit
from pedchain_domain.market.tokenid import MONEY, to_hex
from pedchain_gateway.ledger.port import Ledger, Refused
from pedchain_gateway.ledger.queries import ask
from pedchain_gateway.ledger.steps import private, submit_step

DEFINITION = "settlement"
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wallet:
    """An account and its key."""

    account: str
    key: debit.PrivateKey


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account has, µcur: to spend, waiting to be folded, locked in deposits."""

    spendable: int
    waiting: int
    locked: int


class Trader:
    """One account through one gateway. Methods raise any `LedgerError`."""

    def __init__(self, ledger: Ledger, channel: str, wallet: Wallet) -> None:
        self._ledger, self._channel, self._wallet = ledger, channel, wallet

    @property
    def account(self) -> str:
        """The account's id."""
        return self._wallet.account

    async def ask(self, function: str, *arguments: str) -> Any:
        """A query's answer."""
        return await ask(self._ledger, DEFINITION, function, *arguments)

    async def spend(self, contract: str, method: str, action: str, body: Document) -> None:
        """Sign the account's next debit and have it carried out, once."""
        network = (await self.ask("tokens:GetSetup"))["network"]
        number = await self._counter() + 1
        domain = debit.Domain(network, self._channel, f"{DEFINITION}:{contract}")
        made = debit.Debit(domain, self.account, number, action, body)
        signed = debit.sign(made, self._wallet.key).encode()
        sent = private(debit=signed)
        try:
            await submit_step(self._ledger, DEFINITION, f"{contract}:{method}", transient=sent)
        except Refused as error:
            # A first try whose answer was lost has counted: this debit and no other can have.
            if error.reason != "wrong-counter" or await self._counter() != number:
                raise

    async def place(self, body: Document) -> None:
        """Place an order."""
        await self.spend("market", "RegisterOrder", "register-order", body)

    async def cancel(self, order: str) -> None:
        """Withdraw an order before its gates."""
        await self.spend("market", "CancelOrder", "cancel-order", {"order": order})

    async def take(self, sessions: list[str]) -> None:
        """Take what came of orders in these sessions."""
        await self.spend("market", "Take", "take", {"sessions": sorted(sessions)})

    async def fold(self) -> int:
        """Make all that was credited spendable; how many credits."""
        folded = 0
        while waiting := await self.ask("tokens:ListCredits", self.account, ""):
            await self.spend("tokens", "Fold", "fold", {"credits": sorted(waiting)})
            folded += len(waiting)
        return folded

    async def orders(self) -> dict[str, Document]:
        """Open orders by id."""
        return await self._pages("market:ListOrders")

    async def history(self, order: str) -> Document:
        """What became of one order: {changes, sessions}, also after it ended."""
        found: Document = await self.ask("market:GetOrderHistory", self.account, order)
        return found

    async def sessions(self) -> dict[str, Document]:
        """The sessions of the account's open orders, by id."""
        lines = [line for order in (await self.orders()).values() for line in order["lines"]]
        names = sorted({line["session"] for line in lines})
        return {name: await self.ask("market:GetSession", name) for name in names}

    async def outcome(self, session: str) -> Document:
        """What came of the account's orders in a session: {cleared, due}."""
        found: Document = await self.ask("market:GetOutcome", self.account, session)
        return found

    async def balance(self) -> Balance:
        """The account's money."""
        money = to_hex(MONEY)
        credits_ = await self._pages("tokens:ListCredits")
        return Balance(
            await self.ask("tokens:BalanceOf", self.account, money),
            sum(one["amount"] for one in credits_.values() if one["token"] == money),
            (await self.ask("tokens:GetAccount", self.account))["locked"],
        )

    async def energy(self) -> dict[str, int]:
        """Wh by token that was bought and taken."""
        holdings = await self._pages("tokens:ListHoldings")
        money = to_hex(MONEY)
        return {
            one["token"]: one["amount"]
            for one in holdings.values()
            if one["token"] != money and one["amount"]
        }

    async def _counter(self) -> int:
        found: int = (await self.ask("tokens:GetAccount", self.account))["counter"]
        return found

    async def _pages(self, function: str) -> dict[str, Document]:
        found: dict[str, Document] = {}
        while page := await self.ask(function, self.account, max(found, default="")):
            found.update(page)
        return found
