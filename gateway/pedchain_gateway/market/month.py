# SPDX-License-Identifier: Apache-2.0
"""A month of communities: hours shown, shared and corrected; statements; what the bank moves."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pedchain_domain import canonical
from pedchain_domain.market import money, statement
from pedchain_domain.market.session import session_id
from pedchain_domain.market.statement import Entry
from pedchain_domain.market.tokenid import HOUR, Carrier
from pedchain_gateway.ledger.port import Ledger, Refused, definition_of
from pedchain_gateway.ledger.queries import ask
from pedchain_gateway.ledger.steps import private, submit_step
from pedchain_gateway.limits import PROOFS_SHOWN
from pedchain_gateway.market import originmonth

Document = dict[str, Any]
SETTLEMENT = "settlement"
PURGED = ("not-found", "unknown-session", "wrong-state")
RULES = {"market": "K", "position": "P", "sharing": "S"}


@dataclass
class Months:
    """The calls of an organisation that is of the operators' book."""

    ledger: Ledger
    report: Callable[[str], None]

    async def ask(self, function: str, *arguments: str, definition: str = SETTLEMENT) -> Any:
        """A query's answer. Raises `Refused`, `Unavailable`."""
        return await ask(self.ledger, definition, function, *arguments)

    async def day(self, day: str) -> Document:
        """A market day's row. Raises `Refused` `unknown-day`."""
        for row in await self.ask("sharing:GetDays", day[:7]):
            if row["day"] == day:
                found: Document = row
                return found
        raise Refused("unknown-day", day)

    # -- hours --------------------------------------------------------------------------------

    async def show(self, district: str, day: str, points: Sequence[str]) -> int:
        """Show what points of a district measured in every hour of a day; the transactions."""
        definition, shown = definition_of(district), []
        row = await self.day(day)
        certificate = await self.ask("GetCertificate", day, definition=definition)
        for point in points:
            for instant in range(row["start"], row["end"], certificate["grain"]):
                asked = ("GetProof", point, day, str(instant))
                shown.append(await self.ask(*asked, definition=definition))
        size = PROOFS_SHOWN - PROOFS_SHOWN % (HOUR // certificate["grain"])
        parts = [shown[at : at + size] for at in range(0, len(shown), size)]
        for part in parts:
            await self._submit("market:AttachCertificate", proofs=json.dumps(part).encode())
        self.report(f"{district} {day} {len(shown)} intervals of {len(points)} points shown")
        return len(parts)

    async def share(self, community: str, day: str, *, correct: bool = False) -> int:
        """Share a day's hours, or divide them anew by run FINAL; how many were."""
        row, done = await self.day(day), 0
        function = "sharing:CorrectHour" if correct else "sharing:ShareHour"
        for hour in range(row["start"], row["end"], HOUR):
            try:
                await self._submit(function, community, str(hour))
            except Refused as error:
                if error.reason not in ("already-registered", "not-found"):
                    raise
                continue
            done += 1
        self.report(f"{community} {day} {done} hours {'corrected' if correct else 'shared'}")
        return done

    async def preview(self, community: str, day: str) -> list[Document]:
        """What sharing each hour of a day would give now."""
        row = await self.day(day)
        return [
            {"hour": hour, "members": await self.ask("sharing:PreviewHour", community, str(hour))}
            for hour in range(row["start"], row["end"], HOUR)
        ]

    # -- retention ----------------------------------------------------------------------------

    async def forget(self, communities: Sequence[str], day: str) -> int:
        """Purge what is due of a day (rules Y): communities' hours, sessions of their markets; and
        debits of periods that are. Begins another period of debits where one is due. How many
        documents were named. Refuses `too-early`."""
        row, done = await self.day(day), 0
        for community in communities:
            terms = await self.ask("sharing:GetCommunity", community)
            for hour in range(row["start"], row["end"], HOUR):
                session = session_id(Carrier(terms["carrier"]), terms["zone"], hour)
                done += await self._purge("sharing:PurgeHour", community, str(hour))
                done += await self._purge("market:PurgeSession", session)
        await self._purge("tokens:BeginPeriod", over=("too-early",))
        return done + await self._forget_debits()

    async def _forget_debits(self) -> int:
        periods, done = (await self.ask("tokens:GetSetup")).get("periods", []), 0
        for period in range(len(periods)):
            named, last = await self.ask("tokens:ListDebits", str(period), ""), None
            while named and named != last:
                sent = canonical.encode(named).decode()
                call = ("tokens:PurgeDebits", str(period), sent)
                if not await self._purge(*call, over=("too-early",)):
                    return done
                done += len(named)
                last, named = named, await self.ask("tokens:ListDebits", str(period), "")
        return done

    async def _purge(self, function: str, *arguments: str, over: Sequence[str] = PURGED) -> bool:
        """Whether there was something to purge."""
        try:
            await self._submit(function, *arguments)
        except Refused as error:
            if error.reason in over:
                return False
            raise
        return True

    async def _submit(self, function: str, *arguments: str, **transient: bytes) -> None:
        sent = private(**transient)
        await submit_step(self.ledger, SETTLEMENT, function, *arguments, transient=sent)

    # -- statements ---------------------------------------------------------------------------

    async def statement(self, account: str, month: str, tariff: Mapping[str, Any]) -> Document:
        """A member's month, statement/1."""
        entries, proof, run = await self._entries(account, month)
        rules = {**RULES, "tariff": str(tariff["version"])}
        charged = [*entries, *statement.fees(entries, tariff)]
        origin = await originmonth.of(self.ask, account, month)
        return statement.statement(
            account, month, charged, run=run, rules=rules, proof=proof, origin=origin
        )

    async def postings(self, month: str, accounts: Sequence[str]) -> str:
        """What sharing and the market come to for each account, hour by hour and trade by trade, as
        CSV: kWh, and the amount as the account's due or, negative, its debt."""
        rows = ["month,account,day,hour,carrier,posting,kwh,amount,rest_on"]
        for account in sorted(set(accounts)):
            holder = await self.ask("tokens:GetAccount", account)
            async for day, carrier, hours in self._days(holder, month):
                for row in hours:
                    found = [(one, "") for one in statement.of_hours([row])]
                    for session, trade in await self._traded(holder, carrier, [row]):
                        found += [(one, session) for one in statement.of_trades(account, [trade])]
                    at = datetime.fromtimestamp(row["hour"], UTC).strftime("%Y-%m-%dT%H:%MZ")
                    place = f"{month},{account},{day},{at},{carrier}"
                    rows += [
                        f"{place},{one.kind},{statement.decimal(one.wh, 3)},"
                        f"{statement.decimal(one.amount, 6)},{rest}"
                        for one, rest in found
                        if one.wh or one.amount
                    ]
        return "".join(f"{row}\r\n" for row in rows)

    async def bank_file(self, month: str, payees: Mapping[str, str]) -> str:
        """What a month's sharing comes to between these accounts, and what they gave back, for the
        bank."""
        positions, redeemed = {}, {}
        days = await self.ask("sharing:GetDays", month)
        for account in sorted(payees):
            holder = await self.ask("tokens:GetAccount", account)
            entries = [
                entry
                async for _, _, hours in self._days(holder, month)
                for entry in statement.of_hours(hours)
            ]
            kinds = (statement.Kind.SHARED_IN, statement.Kind.SHARED_OUT)
            positions[account] = sum(one.amount for one in entries if one.kind in kinds)
            redeemed[account] = await self._redeemed(account, days)
        return money.bank_file(month, positions, payees, redeemed)

    async def _redeemed(self, account: str, days: Sequence[Document]) -> int:
        """What an account gave back on these days, µcur."""
        total, after = 0, ""
        while page := await self.ask("tokens:ListPayouts", account, after):
            total += sum(
                one["amount"]
                for one in page.values()
                if days and days[0]["start"] <= one["at"] < days[-1]["end"]
            )
            after = max(page)
        return total

    async def _entries(self, account: str, month: str) -> tuple[list[Entry], list[str], str]:
        """An account's entries of a month, the digests of what they rest on, day by day, and the
        newest run among them."""
        holder = await self.ask("tokens:GetAccount", account)
        found: list[Entry] = []
        proof, run = [], "F"
        async for day, carrier, hours in self._days(holder, month):
            trades = await self._trades(holder, carrier, hours)
            found += [*statement.of_hours(hours), *statement.of_trades(account, trades)]
            told = canonical.encode({"hours": hours, "trades": trades})
            proof.append(f"{day} {carrier} {hashlib.sha256(told).hexdigest()}")
            if any(row.get("corrected") for row in hours):
                run = "FINAL"
        return found, proof, run

    async def _days(
        self, holder: Document, month: str
    ) -> AsyncIterator[tuple[str, str, list[Document]]]:
        """The days of a month of which an account has hours, by carrier."""
        for day in await self.ask("sharing:GetDays", month):
            for carrier in sorted(holder["places"]):
                rows = await self.ask("sharing:GetHours", holder["id"], carrier, str(day["start"]))
                hours = [row for row in rows if row["hour"] < day["end"]]
                if hours:
                    yield day["day"], carrier, hours

    async def _trades(
        self, holder: Document, carrier: str, hours: Sequence[Document]
    ) -> list[list[Any]]:
        """An account's trades of these hours, as settled; of an hour that had no session, or none
        that was settled, there are none."""
        return [trade for _, trade in await self._traded(holder, carrier, hours)]

    async def _traded(
        self, holder: Document, carrier: str, hours: Sequence[Document]
    ) -> list[tuple[str, list[Any]]]:
        """The same with the session of each."""
        name, zone = holder["id"], holder["places"][carrier]["zone"]
        found: list[tuple[str, list[Any]]] = []
        for row in hours:
            session = session_id(Carrier(carrier), zone, row["hour"])
            try:
                settled = await self.ask("market:GetSettled", session)
            except Refused as error:
                if error.reason != "not-found":
                    raise
                continue
            found += [(session, trade) for trade in settled["trades"] if name in trade[:2]]
        return found
