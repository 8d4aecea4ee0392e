# SPDX-License-Identifier: Apache-2.0
"""DistrictA with three homes, two days of last year closed by every run: what origin and privacy
are tried on. Calls go through the gateway's own ledger port, with its retries of lagging peers."""

import asyncio
import json
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pedchain_domain import batch, canonical
from pedchain_domain.calendar import shifted
from pedchain_gateway.ledger.fabric import FabricLedger, open_ledger
from pedchain_gateway.ledger.steps import submit_step
from tests.scenarios.harness import Network
from tests.unit.chaincode.district import DAY, METERING, START, Home, district, factors
from tests.unit.chaincode.wallets import Storing, Wallet, registers

FIRST = -300  # days from START: 2025-03-07, past the retention by now
DAYS = [shifted("2026-01-01", FIRST + n) for n in range(2)]
HOUR = 3_600
LAGGING = frozenset(
    ("not-in-registry", "not-adopted", "unknown-device", "period-not-sealed", "not-folded",
     "previous-day-open", "run-missing", "not-found", "unknown-account", "unknown-site",
     "wrong-counter", "no-readings", "private-data-missing")
)  # fmt: skip
BIN = Path(sys.executable).parent
READERS = ("DSOMSP", "DistrictAMSP")  # of the certificates and of the operators' book


def at(hour: int, amount: int) -> list[int]:
    """An hourly flow of one hour a day."""
    return [amount if each == hour else 0 for each in range(24)]


@dataclass
class Certified:
    """The district, its homes and wallets, and the ledger as the DSO and DistrictA see it."""

    network: Network
    dso: FabricLedger
    operator: FabricLedger
    homes: list[Home]

    async def submit(
        self,
        function: str,
        *arguments: str,
        by: str = "operator",
        definition: str = METERING,
        **transient: bytes,
    ) -> bytes:
        """A step, repeated where a peer lags."""
        ledger = self.dso if by == "dso" else self.operator
        sent: Mapping[str, bytes] | None = transient or None
        options: Any = {"endorsing": READERS} if function == "origin:Debit" else {}
        return await submit_step(
            ledger, definition, function, *arguments, transient=sent, lagging=LAGGING, **options
        )

    async def ask(self, function: str, *arguments: str) -> Any:
        return canonical.decode(await self.operator.evaluate(METERING, function, *arguments))

    async def until_done(self, function: str, *arguments: str, **transient: bytes) -> None:
        while await self.submit(function, *arguments, **transient) != b"done":
            pass

    async def once(self, signed: bytes) -> None:
        """A debit sent a single time, whatever becomes of it."""
        transient = {"debit": signed, "salt": secrets.token_bytes(16)}
        call = (METERING, "origin:Debit")
        await self.operator.submit(*call, transient=transient, endorsing=READERS)

    async def open(self) -> None:
        """Registry, district, sites and devices."""
        rows = [
            {
                "day": shifted("2026-01-01", FIRST + n),
                "start": START + (FIRST + n) * DAY,
                "end": START + (FIRST + n + 1) * DAY,
                "type": "working",
            }
            for n in range(-1, 4)
        ]
        calendar = {"schema": "calendar/1", "id": "cal-2026", "rows": rows}
        table = {**factors(), "intensity": {"year": {"2025": 300_000}}}
        for function, *arguments in (
            ("PutCalendar", "cal-2026", json.dumps(calendar)),
            ("PutFactors", "f1", json.dumps(table)),
            ("PutDistrict", json.dumps(district())),
        ):
            await self.submit(function, *arguments, by="dso", definition="registry")
        await self.submit("Adopt", "DistrictA", by="dso")
        documents = [
            {**each, "from": START + (FIRST - 30) * DAY} if "from" in each else each
            for home in self.homes
            for each in home.documents()
        ]
        await self.submit("Register", json.dumps(documents), by="dso")

    async def live(self) -> None:
        """Two days of readings, closed by every run."""
        for number in range(len(DAYS)):
            records = self._records(number)
            for start in range(0, len(records), 100):
                sent = batch.encode(records[start : start + 100])
                period = (await self.ask("GetFence"))["period"]
                await self.submit(
                    "SubmitReadings", str(period), records=sent, salt=secrets.token_bytes(16)
                )
            period = (await self.ask("GetFence"))["period"]
            await self.submit("SealPeriod", str(period))
            await self.until_done("FoldShard", str(period), "0")
        for run in ("P", "F", "FINAL"):
            for day in DAYS:
                await self.until_done("CloseDay", day, run)

    def _records(self, number: int) -> list[bytes]:
        day = FIRST + number
        maker, user, storing = self.homes
        evening = [a + b for a, b in zip(at(12, 400), at(20, 200), strict=True)]
        flows: list[tuple[Any, dict[str, list[int]]]] = [
            (maker.grid, {"I": [0] * 24, "E": at(12, 731)}),
            (maker.roof, {"G": at(12, 913)}),
            (user.grid, {"I": [307] * 24, "E": [0] * 24}),
            (storing.grid, {"I": at(12, 20), "E": evening}),
            (storing.roof, {"G": at(12, 1_200)}),
        ]
        assert isinstance(storing, Storing)
        flows.append((storing.battery, {"Ch": at(12, 500), "D": at(20, 300)}))
        records = []
        for meter, per_role in flows:
            begin = {role: sum(values) * number for role, values in per_role.items()}
            if number == 0:
                opening = [(START + day * DAY, role, 0) for role in per_role]
                records.append(meter.record(opening))
            records += registers(meter, per_role, day, begin)
        return records

    async def wallet(self, account: str, site: str | None) -> Wallet:
        """An account opened for a site, by the DSO."""
        made = Wallet(account, site)
        cell = b"0"
        if site is not None:
            cell = str((await self.ask("privacy:GetSubjectDay", site, DAYS[0]))["cell"]).encode()
        asked = made.request(**{"from": START + (FIRST - 30) * DAY})
        salt = secrets.token_bytes(16)
        await self.submit("origin:OpenAccount", by="dso", account=asked, cell=cell, salt=salt)
        return made

    async def debit(self, signed: bytes) -> None:
        """A signed debit; `wrong-counter` may be a peer that lags."""
        await self.submit("origin:Debit", debit=signed, salt=secrets.token_bytes(16))

    async def active(self, account: str) -> list[dict[str, Any]]:
        page = await self.ask("origin:ListCertificates", account, "")
        found = [one for one in page["certificates"] if one.get("state") == "active"]
        return sorted(found, key=lambda one: (one["hour"], one["wh"]))

    def command(self, *options: str) -> str:
        """`ped-gateway` as DistrictA; its output."""
        profile = str(self.network.profile("DistrictA"))
        done = subprocess.run(
            [str(BIN / "ped-gateway"), *options, "--profile", profile, "--district", "DistrictA"],
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@asynccontextmanager
async def certified(network: Network, *, issue: bool = True) -> AsyncIterator[Certified]:
    """The district with its days closed, on a network that is up and holds nothing else."""
    async with AsyncExitStack() as stack:
        ledgers = [
            await stack.enter_async_context(await open_ledger(network.profile(name), "gateway"))
            for name in ("DSO", "DistrictA")
        ]
        homes = [Home("home-1"), Home("home-2", "P0"), Storing("home-3")]
        made = Certified(network, *ledgers, homes)
        await made.open()
        await made.live()
        if issue:
            await asyncio.to_thread(made.command, "issue")
        yield made
