# SPDX-License-Identifier: Apache-2.0
"""A state machine: accounts slice, transfer, reserve, cancel, claim and withdraw in any order, two
debits in flight at a time, against a naive model that holds quantities in plain lists.

Whatever happens: every Wh issued stands in exactly one place, no Wh is claimed twice, no site
claims more than it drew, and what the contract refuses changes nothing."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pedchain_fabric.shim.testing import CommitRefused, TransactionFailed
from tests.unit.chaincode.district import METERING, OPERATOR, Home
from tests.unit.chaincode.wallets import Origin, Wallet, registers

HOURS = (11, 12)
MADE, DRAWN = 600, 250
REFUSED = 400
NAMES = ("acc-0", "acc-1", "acc-2")
FINAL = {"slice": "sliced", "transfer": "transferred", "claim": "claimed", "withdraw": "withdrawn"}
FREE = ("active", "reserved", "cancelled")


async def built() -> tuple[Origin, list[Wallet]]:
    homes = [Home("home-0"), Home("home-1", "P0"), Home("home-2", "P0")]
    ledger = Origin()
    await ledger.adopt()
    await ledger.register(*homes)
    made = [MADE if hour in HOURS else 0 for hour in range(24)]
    records = [
        *registers(homes[0].grid, {"I": [0] * 24, "E": made}),
        *registers(homes[0].roof, {"G": made}),
    ]
    for home in homes[1:]:
        records += registers(home.grid, {"I": [DRAWN] * 24, "E": [0] * 24})
    await ledger.day(*records)
    wallets = [Wallet(name, f"home-{n}") for n, name in enumerate(NAMES)]
    await ledger.open(*wallets)
    await ledger.issue()
    return ledger, wallets


class Certificates(RuleBasedStateMachine):
    """`held` is the model: one row [hour, wh, owner, state, for] per certificate ever made."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.held: dict[str, list[Any]] = {}
        self.waiting: list[tuple[Any, int, str, Wallet, dict[str, Any]]] = []

    @initialize()
    def build(self) -> None:
        self.ledger, self.wallets = self.loop.run_until_complete(built())
        for found in self.loop.run_until_complete(self.ledger.certificates(NAMES[0])):
            self.held[found["id"]] = [found["hour"], found["wh"], NAMES[0], "active", None]

    def teardown(self) -> None:
        self.loop.close()

    @rule(
        who=st.integers(0, 2),
        which=st.integers(0, 30),
        action=st.sampled_from(["slice", "transfer", "reserve", "cancel", "claim", "withdraw"]),
        other=st.integers(0, 2),
        cut=st.integers(1, 599),
    )
    def endorse(self, who: int, which: int, action: str, other: int, cut: int) -> None:
        """Ask for a debit; it waits, endorsed, until it is sent to be ordered."""
        wallet = self.wallets[who]
        names = [name for name, row in self.held.items() if row[3] in FREE]
        if not names:
            return
        name = names[which % len(names)]
        row = self.held[name]
        body: dict[str, Any] = {"certificate": name}
        if action == "slice":
            body["parts"] = [cut, row[1] - cut]
        elif action in ("transfer", "reserve", "cancel"):
            body["to" if action == "transfer" else "for"] = NAMES[other]
        signed = wallet.signed(action, counter=wallet.counter + 1, **body)
        call = self.ledger.peer.endorse(
            METERING,
            "origin:Debit",
            transient={"debit": signed, **self.ledger.fresh()},
            creator=OPERATOR,
        )
        try:
            outcome = self.loop.run_until_complete(call)
        except TransactionFailed as error:
            was_refused = error.status == REFUSED
        else:
            self.waiting.append((outcome, wallet.counter, action, wallet, body))
            was_refused = False
        assert was_refused != self.allowed(wallet.account, action, body)

    @rule(at=st.integers(0, 5))
    def commit(self, at: int) -> None:
        """One of the waiting debits is ordered: early, late, or after what it rests on changed."""
        if not self.waiting:
            return
        outcome, counter, action, wallet, body = self.waiting.pop(at % len(self.waiting))
        may = wallet.counter == counter and self.allowed(wallet.account, action, body)
        try:
            self.ledger.peer.commit(outcome)
        except CommitRefused:
            # A commit may also be refused because another debit touched the same documents.
            return
        assert may
        wallet.counter += 1
        self.apply(wallet.account, action, body)

    def allowed(self, account: str, action: str, body: dict[str, Any]) -> bool:
        """The rules, said once more and simply."""
        hour, wh, owner, state, meant = self.held[body["certificate"]]
        if action == "claim":
            site_draws = account != NAMES[0]
            claimed = sum(
                r[1]
                for r in self.held.values()
                if r[0] == hour and r[3] == "claimed" and r[4] == account
            )
            mine = state == "cancelled" and meant == account
            return mine and site_draws and claimed + wh <= DRAWN
        if owner != account:
            return False
        if action in ("transfer", "cancel"):
            target = body.get("to", body.get("for"))
            return state == "active" or (state == "reserved" and meant == target)
        if action == "slice" and min(body["parts"]) < 1:
            return False
        return bool(state == "active")

    def apply(self, account: str, action: str, body: dict[str, Any]) -> None:
        row = self.held[body["certificate"]]
        if action in ("reserve", "cancel"):
            row[3], row[4] = ("reserved" if action == "reserve" else "cancelled"), body["for"]
            return
        row[3] = FINAL[action]
        owner = body.get("to", account)
        if action in ("slice", "transfer"):
            known = self.loop.run_until_complete(self.ledger.certificates(owner))
            fresh = [c for c in known if c.get("parent") == body["certificate"]]
            parts = body.get("parts", [row[1]])
            assert sorted(c["wh"] for c in fresh) == sorted(parts)
            for found in fresh:
                self.held[found["id"]] = [row[0], found["wh"], owner, "active", None]

    @invariant()
    def every_watt_hour_stands_in_one_place(self) -> None:
        for hour in {row[0] for row in self.held.values()}:
            rows = [row for row in self.held.values() if row[0] == hour]
            ends = [*FREE, "claimed", "withdrawn"]
            assert sum(row[1] for row in rows if row[3] in ends) == MADE

    @invariant()
    def the_ledger_holds_what_the_model_says(self) -> None:
        if not self.held:
            return
        found: dict[str, list[Any]] = {}
        for name in NAMES:
            for each in self.loop.run_until_complete(self.ledger.certificates(name)):
                if each["schema"] == "gc/1":
                    found[each["id"]] = [each["hour"], each["wh"], each["owner"], each["state"]]
        assert found == {name: row[:4] for name, row in self.held.items()}


TestCertificates = Certificates.TestCase
TestCertificates.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
