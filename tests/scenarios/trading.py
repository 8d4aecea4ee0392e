# SPDX-License-Identifier: Apache-2.0
"""A market over the certified district: every organisation's gateway ticks, members' keys sign.

The ledger's clock is only what the organisations post, so a market day of last year is lived
through in seconds, and its hours are measured already.
"""

import asyncio
import hashlib
import json
import secrets
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pedchain_domain import canonical
from pedchain_domain.market.tokenid import Carrier, Product, to_hex
from pedchain_gateway.ledger.fabric import FabricLedger, open_ledger
from pedchain_gateway.ledger.port import Invalid, LedgerError, Mismatch, Refused
from pedchain_gateway.ledger.steps import submit_step
from tests.scenarios.certified import BIN, DAYS, FIRST, Certified, certified
from tests.scenarios.harness import Network
from tests.scenarios.onnetwork import LAGGING
from tests.unit.chaincode.district import DAY, START
from tests.unit.chaincode.exchange import MONEY, ORGANIZATIONS, Exchange, Prosumer, receipt
from tests.unit.chaincode.marketplace import body, reference

HOUR = 3_600
TODAY = START + (FIRST + 1) * DAY
BEFORE = TODAY - DAY
NOON = TODAY + 12 * HOUR
GATE, VOID = BEFORE + 17 * HOUR, BEFORE + 22 * HOUR
POWER = Product(Carrier.ELECTRICITY, 1, NOON)
EVENING = Product(Carrier.ELECTRICITY, 1, TODAY + 20 * HOUR)
RICH = 5_000_000
SETTLEMENT = "settlement"
_SEEN_S = 30
"""In this time every peer has seen what one of them committed."""


def prosumer(home: str, number: int, zone: int = 1) -> Prosumer:
    """An account behind a home's grid meter."""
    meter = {way: {"point": f"{home}.gcp", "role": role} for way, role in _ROLES.items()}
    return Prosumer(f"acc-{home}", number, places={"electricity": {"zone": zone, **meter}})


_ROLES = {"feeds": "E", "draws": "I"}


@dataclass
class Trading:
    """The calls of settlement through the four organisations' gateways."""

    network: Network
    district: Certified | None
    ledgers: Mapping[str, FabricLedger]
    people: dict[str, Prosumer] = field(default_factory=dict)
    receipts: int = 0
    last: str = "DSO"
    """Whose gateway committed last: its peer has seen all that was done before."""

    async def submit(
        self,
        function: str,
        *arguments: str,
        by: str = "DSO",
        **transient: bytes,
    ) -> bytes:
        """A step, repeated where a peer lags."""
        sent = {"salt": secrets.token_bytes(16), **transient}
        answer = await submit_step(
            self.ledgers[by], SETTLEMENT, function, *arguments, transient=sent, lagging=LAGGING
        )
        self.last = by
        return answer

    async def once(self, function: str, *arguments: str, by: str = "DSO", **sent: bytes) -> bytes:
        """Sent a single time, whatever becomes of it."""
        transient = {"salt": secrets.token_bytes(16), **sent}
        done = await self.ledgers[by].submit(SETTLEMENT, function, *arguments, transient=transient)
        self.last = by
        return done.result

    async def unrivalled(self, function: str, **sent: bytes) -> None:
        """As `submit`, where nobody may be in the way: a conflict is raised, only lag is not."""
        end = asyncio.get_running_loop().time() + _SEEN_S
        while True:
            try:
                await self.once(function, **sent)
                return
            except (Refused, Mismatch) as error:
                late = asyncio.get_running_loop().time() > end
                if late or (isinstance(error, Refused) and error.reason not in LAGGING):
                    raise
            await asyncio.sleep(0.1)

    async def refuses(
        self, reason: str, function: str, *arguments: str, by: str = "DSO", **sent: bytes
    ) -> None:
        """The contract refuses for this reason once its endorsers have seen all that was done."""
        end = asyncio.get_running_loop().time() + _SEEN_S
        while True:
            try:
                await self.once(function, *arguments, by=by, **sent)
            except (Refused, Mismatch, Invalid) as error:
                if isinstance(error, Refused) and error.reason == reason:
                    return
                found: LedgerError = error
            else:
                raise AssertionError(f"{function} is not refused, {reason}")
            assert asyncio.get_running_loop().time() < end, f"{function}: {found}, not {reason}"
            await asyncio.sleep(0.1)

    async def ask(self, function: str, *arguments: str, by: str = "") -> Any:
        """A query of the peer that committed last, unless another is named."""
        ledger = self.ledgers[by or self.last]
        return canonical.decode(await ledger.evaluate(SETTLEMENT, function, *arguments))

    async def begin(self) -> None:
        """What is agreed, the zone, the days and the prices; then the day's sessions open."""
        await self.submit("tokens:Begin", text(Exchange.setup()))
        zone = {"schema": "zone/1", "number": 1, "id": "z1", "carrier": "electricity"}
        zone = {**zone, "pricing": "uniform", "lot": 100}
        await self.submit("market:PutZone", text(zone))
        await self.submit("market:PutDays", text(_calendar()))
        await self.clock(BEFORE - HOUR)
        table = reference("electricity", start=TODAY)
        await self.submit("market:ProposeReference", text(table))
        digest = hashlib.sha256(canonical.encode(table)).hexdigest()
        await self.submit("market:ApproveReference", "electricity", digest, by="DistrictA")
        await self.clock(BEFORE)
        for product in (POWER, EVENING):
            await self.submit("market:OpenSession", "1", str(product.start))

    async def clock(self, instant: int, *names: str) -> None:
        """Organisations tick: all of them, unless some are named."""
        wanted = names or [msp.removesuffix("MSP") for msp in ORGANIZATIONS]
        await asyncio.gather(*(self.submit("clock:Tick", str(instant), by=name) for name in wanted))

    async def register(self, who: Prosumer, amount: int = RICH) -> None:
        """An account with money paid in for it, folded."""
        self.receipts += 1
        paid = receipt(who.name, amount, self.receipts)
        await self.submit("tokens:RegisterProsumer", account=who.request(), receipt=paid)
        self.people[who.name] = who
        await self.fold(who)

    async def spend(
        self,
        who: Prosumer,
        contract: str,
        method: str,
        action: str,
        by: str = "DSO",
        **what: Any,
    ) -> bytes:
        """A debit its key signed; the wallet counts it once it is committed."""
        signed = who.signed(contract, action, what)
        answer = await self.submit(f"{contract}:{method}", by=by, debit=signed)
        who.counter += 1
        return answer

    async def order(
        self, who: Prosumer, side: str, *lines: tuple[Product, int, int], by: str = "DSO"
    ) -> None:
        """Place an order of (product, Wh, µcur per Wh)."""
        asked = body(side, *lines)
        await self.spend(who, "market", "RegisterOrder", "register-order", by=by, **asked)

    async def take(self, who: Prosumer, *products: Product, by: str = "DSO") -> None:
        """Take what came of an account's orders."""
        names = sorted(to_hex(product.token) for product in products or (POWER,))
        await self.spend(who, "market", "Take", "take", by=by, sessions=names)

    async def fold(self, who: Prosumer) -> None:
        """Fold all that waits."""
        while waiting := await self.ask("tokens:ListCredits", who.name, ""):
            await self.spend(who, "tokens", "Fold", "fold", credits=sorted(waiting))

    async def balance(self, who: Prosumer, token: str = MONEY) -> int:
        found: int = await self.ask("tokens:BalanceOf", who.name, token)
        return found

    async def steps(self, function: str, product: Product = POWER, by: str = "DSO") -> int:
        """Call until `done`; how many steps it took."""
        taken = 1
        while await self.submit(f"market:{function}", to_hex(product.token), by=by) != b"done":
            taken += 1
        return taken

    async def attach(self, point: str, hour: int, by: str = "DistrictA") -> None:
        """Show what a point measured in an hour."""
        assert self.district is not None
        proof = await self.district.ask("GetProof", point, DAYS[1], str(hour))
        await self.submit("market:AttachCertificate", by=by, proofs=json.dumps([proof]).encode())

    async def state(self, product: Product = POWER) -> str:
        found: str = (await self.ask("market:GetSession", to_hex(product.token)))["state"]
        return found


def _calendar() -> dict[str, Any]:
    rows = [
        {
            "day": day,
            "start": BEFORE + at * DAY,
            "end": BEFORE + (at + 1) * DAY,
            "type": "working",
        }
        for at, day in enumerate(DAYS)
    ]
    return {"schema": "calendar/1", "id": "cal-market", "rows": rows}


def text(document: Mapping[str, Any]) -> str:
    return canonical.encode(document).decode()


async def command(market: Trading, who: Prosumer, folder: Path, *options: str) -> str:
    """`ped-gateway market` as a prosumer with its key in a file; its output."""
    key = folder / f"{who.name}.pem"
    key.write_bytes(who.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    named = ["--profile", str(market.network.profile("DSO")), "--account", who.name]
    done = await asyncio.to_thread(
        subprocess.run,
        [str(BIN / "ped-gateway"), "market", *options, *named, "--key", str(key)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    market.last = "DSO"
    who.counter = (await market.ask("tokens:GetAccount", who.name))["counter"]
    return done.stdout + done.stderr


@asynccontextmanager
async def trading(network: Network, *, measured: bool = True) -> AsyncIterator[Trading]:
    """A market that has opened, on a network that is up and holds nothing else."""
    async with AsyncExitStack() as stack:
        district = await stack.enter_async_context(certified(network)) if measured else None
        ledgers = {}
        for msp in ORGANIZATIONS:
            name = msp.removesuffix("MSP")
            opened = await open_ledger(network.profile(name), "gateway")
            ledgers[name] = await stack.enter_async_context(opened)
        made = Trading(network, district, ledgers)
        await asyncio.wait_for(made.begin(), 120)
        yield made
