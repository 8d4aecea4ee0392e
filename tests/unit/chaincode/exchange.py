# SPDX-License-Identifier: Apache-2.0
"""Settlement on a peer in memory: a clearing operator, prosumers, their debits."""

import json
from typing import Any

from pedchain_chaincode.settlement.clock import ClockContract
from pedchain_chaincode.settlement.tokens import TokensContract
from pedchain_domain import canonical, debit, der
from pedchain_domain.market import tokenid
from pedchain_fabric.shim.testing import MemoryPeer, creator
from tests.unit.chaincode.district import SERVICE, salt
from tests.unit.chaincode.wallets import ORGANIZATIONS, SETTLEMENT, private_key, signature

__all__ = ("ORGANIZATIONS", "SETTLEMENT")

GATEWAYS = {name: creator(name, attributes=SERVICE) for name in ORGANIZATIONS}
MONEY = tokenid.to_hex(tokenid.MONEY)
BANK = private_key("bank")


class Prosumer:
    """An account's key and its next counter."""

    def __init__(self, name: str, number: int, **about: Any) -> None:
        self.name, self.number, self.counter = name, number, 0
        self.key = private_key(name)
        self.about = about

    def document(self) -> dict[str, Any]:
        return {
            "schema": "account/1",
            "id": self.name,
            "number": self.number,
            "key": {"alg": "ES256", "spki": der.spki_hex(self.key.public_key())},
            "owner": f"owner-{self.name}",
            "district": "DistrictA",
            "supplier": "home",
            "places": self.places(),
            **self.about,
        }

    def places(self) -> dict[str, Any]:
        """Electricity through its grid meter in zone 1, heat through its own in zone 2."""
        grid, heat = f"{self.name}.gcp", f"{self.name}.heat"
        return {
            "electricity": {
                "zone": 1,
                "feeds": {"point": grid, "role": "E"},
                "draws": {"point": grid, "role": "I"},
            },
            "heat": {
                "zone": 2,
                "feeds": {"point": f"{heat}.out", "role": "Q"},
                "draws": {"point": heat, "role": "Q"},
            },
        }

    def request(self, **changes: Any) -> bytes:
        """account/1 asked for by its own key."""
        body = self.document() | changes
        named = {"network": "pedchain", "channel": "ped", "contract": "settlement:tokens"}
        message = canonical.encode({"domain": named, "body": body})
        return json.dumps(
            {"account": body, "signature": signature(self.key, message).hex()}
        ).encode()

    def signed(
        self, contract: str, action: str, body: dict[str, Any], counter: int | None = None
    ) -> bytes:
        """A debit; its counter is the account's next unless one is given."""
        domain = debit.Domain("pedchain", "ped", f"settlement:{contract}")
        made = debit.Debit(domain, self.name, counter or self.counter + 1, action, body)
        return debit.Signed(made, signature(self.key, made.message())).encode()


def receipt(account: str, amount: int, number: int, **changes: Any) -> bytes:
    """The clearing operator's word that it holds so much."""
    body = {
        "schema": "receipt/1",
        "id": f"r{number}",
        "account": account,
        "amount": amount,
        "network": "pedchain",
        "channel": "ped",
        "operator": "bank",
        **changes,
    }
    return json.dumps(
        {"receipt": body, "signature": signature(BANK, canonical.encode(body)).hex()}
    ).encode()


class Exchange:
    """The calls of settlement, on a peer in memory."""

    def __init__(self) -> None:
        self.peer = MemoryPeer(client=GATEWAYS["DSOMSP"])
        members = {"book": ORGANIZATIONS}
        self.peer.install(SETTLEMENT, *self.contracts(), collections=members)
        self.salts = self.receipts = 0
        self.accounts: dict[str, Prosumer] = {}

    def contracts(self) -> list[Any]:
        return [TokensContract(), ClockContract()]

    @staticmethod
    def setup() -> dict[str, Any]:
        """What the consortium agrees."""
        return {
            "schema": "settlement/1",
            "network": "pedchain",
            "organizations": ORGANIZATIONS,
            "districts": {"DistrictA": "DistrictAMSP", "DistrictB": "DistrictBMSP"},
            "clearing": {
                "id": "bank",
                "key": {"alg": "ES256", "spki": der.spki_hex(BANK.public_key())},
            },
        }

    def fresh(self, **transient: bytes) -> dict[str, bytes]:
        self.salts += 1
        return {"salt": salt(self.salts), **transient}

    async def submit(self, function: str, *args: str | bytes, **options: Any) -> bytes:
        options.setdefault("transient", self.fresh())
        return await self.peer.submit(SETTLEMENT, function, *args, **options)

    async def ask(self, function: str, *args: str | bytes, **options: Any) -> Any:
        return canonical.decode(await self.peer.evaluate(SETTLEMENT, function, *args, **options))

    async def begin(self) -> None:
        await self.submit("tokens:Begin", canonical.encode(self.setup()))

    async def register(self, prosumer: Prosumer, amount: int = 1_000_000) -> None:
        self.receipts += 1
        paid = receipt(prosumer.name, amount, self.receipts)
        transient = self.fresh(account=prosumer.request(), receipt=paid)
        await self.submit("tokens:RegisterProsumer", transient=transient)
        self.accounts[prosumer.name] = prosumer
        await self.fold(prosumer)

    async def spend(
        self, prosumer: Prosumer, contract: str, method: str, action: str, **body: Any
    ) -> bytes:
        """Sign and submit a debit; the wallet counts it once it is committed."""
        return await self.carry(
            prosumer, f"{contract}:{method}", prosumer.signed(contract, action, body)
        )

    async def carry(
        self, prosumer: Prosumer, method: str, debit_: bytes, organization: str = "DistrictAMSP"
    ) -> bytes:
        transient = self.fresh(debit=debit_)
        answer = await self.submit(method, transient=transient, creator=GATEWAYS[organization])
        prosumer.counter += 1
        return answer

    async def fold(self, prosumer: Prosumer) -> None:
        """Fold all that waits."""
        while waiting := await self.ask("tokens:ListCredits", prosumer.name, ""):
            await self.spend(prosumer, "tokens", "Fold", "fold", credits=sorted(waiting))

    async def balance(self, prosumer: Prosumer, token: str = MONEY) -> int:
        found: int = await self.ask("tokens:BalanceOf", prosumer.name, token)
        return found

    async def waiting(self, prosumer: Prosumer) -> dict[str, int]:
        """Credits not yet folded, by token."""
        found: dict[str, int] = {}
        for credit in (await self.ask("tokens:ListCredits", prosumer.name, "")).values():
            found[credit["token"]] = found.get(credit["token"], 0) + credit["amount"]
        return found

    async def supply(self, token: str = MONEY) -> int:
        after, total = "", 0
        while page := await self.ask("tokens:TotalSupply", token, after):
            total += sum(part["amount"] for part in page.values())
            after = max(page)
        return total

    async def tick(self, *instants: int) -> None:
        """The organisations tick, in their order."""
        for name, instant in zip(ORGANIZATIONS, instants, strict=False):
            await self.submit("clock:Tick", str(instant), creator=GATEWAYS[name])
