# SPDX-License-Identifier: Apache-2.0
"""Wallets that sign debits, and a district whose generation is certified hour by hour."""

import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from pedchain_chaincode.cli import contracts
from pedchain_domain import canonical, debit, der, origincert
from tests.unit.chaincode.district import (
    OPERATOR,
    START,
    Home,
    Ledger,
    Meter,
    day_name,
    point,
    salt,
    site,
)

HOUR = 3_600
SETTLEMENT = "settlement"
ORGANIZATIONS = ["AggregatorMSP", "DSOMSP", "DistrictAMSP", "DistrictBMSP"]
DOMAIN = debit.Domain("pedchain", "ped", "metering-DistrictA:origin")


def private_key(seed: str) -> ec.EllipticCurvePrivateKey:
    """The same key on every run."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:31], "big")
    return ec.derive_private_key(number, ec.SECP256R1())


def signature(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """A deterministic signature (RFC 6979)."""
    return key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))


REGISTRY = private_key("foreign registry")


def foreign() -> str:
    """The foreign registry `north` as it is made known."""
    key = {"alg": "ES256", "spki": der.spki_hex(REGISTRY.public_key())}
    return json.dumps({"schema": "foreign/1", "id": "north", "key": key})


def receipt(certificate: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Its receipt for a certificate locked for it."""
    inner = {
        "schema": "receipt/1",
        "registry": "north",
        "lock": origincert.lock_of(certificate),
        "reference": "n-1",
        **changes,
    }
    return {"receipt": inner, "signature": signature(REGISTRY, canonical.encode(inner)).hex()}


class Wallet:
    """An account's key and its next counter."""

    def __init__(self, account: str, of: str | None = None, national: int = 0) -> None:
        self.account, self.of, self.national = account, of, national
        self.key = private_key(account)
        self.counter = 0

    @property
    def public(self) -> dict[str, str]:
        return {"alg": "ES256", "spki": der.spki_hex(self.key.public_key())}

    def request(self, **changes: Any) -> bytes:
        """account/1 asked for by its own key."""
        body = {
            "schema": "account/1",
            "id": self.account,
            "key": self.public,
            "site": self.of,
            "from": START - 30 * 86_400,
            "national": self.national,
            **changes,
        }
        named = {"network": "pedchain", "channel": "ped", "contract": DOMAIN.contract}
        message = canonical.encode({"domain": named, "body": body})
        return json.dumps(
            {"account": body, "signature": signature(self.key, message).hex()}
        ).encode()

    def signed(self, action: str, *, counter: int | None = None, **body: Any) -> bytes:
        """The next debit, signed; the counter goes up unless one is given."""
        number = self.counter + 1 if counter is None else counter
        if counter is None:
            self.counter = number
        made = debit.Debit(DOMAIN, self.account, number, action, body)
        return debit.Signed(made, signature(self.key, made.message())).encode()


class Origin(Ledger):
    """A district with accounts and issued days, beside a settlement that has not begun."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**changes)
        self.peer.install(SETTLEMENT, *contracts(SETTLEMENT), collections={"book": ORGANIZATIONS})

    def fresh(self) -> dict[str, bytes]:
        self.batches += 1
        return {"salt": salt(self.batches)}

    async def open(self, *wallets: Wallet) -> None:
        for wallet in wallets:
            cell = b"0"
            if wallet.of is not None:
                place = await self.ask("privacy:GetSubjectDay", wallet.of, day_name(0))
                cell = str(place["cell"]).encode()
            transient = {"account": wallet.request(), "cell": cell, **self.fresh()}
            await self.submit("origin:OpenAccount", transient=transient)

    async def day(self, *records: bytes, day: int = 0, run: str = "F") -> None:
        """File, seal, fold, close by P and then by `run`."""
        for at in range(0, len(records), 200):
            await self.file(*records[at : at + 200])
        await self.fold(await self.seal())
        await self.close(day_name(day))
        if run != "P":
            await self.close(day_name(day), run)

    async def issue(self, day: int = 0) -> int:
        """Issue a day; the number of steps."""
        steps = 1
        while (
            await self.submit(
                "origin:IssueDay", day_name(day), creator=OPERATOR, transient=self.fresh()
            )
            != b"done"
        ):
            steps += 1
        return steps

    async def debit(self, signed: bytes, **sent: bytes) -> None:
        transient = {"debit": signed, **sent, **self.fresh()}
        await self.submit("origin:Debit", creator=OPERATOR, transient=transient)

    async def certificates(self, account: str) -> list[dict[str, Any]]:
        """All of an account's certificates, or those cancelled for it, by hour."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = await self.ask("origin:ListCertificates", account, after)
            found += page["certificates"]
            after = page["bookmark"]
            if not after:
                return sorted(found, key=lambda each: (each.get("hour", 0), each["id"]))

    async def active(self, account: str) -> list[dict[str, Any]]:
        return [c for c in await self.certificates(account) if c.get("state") == "active"]


class Storing(Home):
    """A home with a roof and an AC battery (plan P3)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.battery = Meter(f"{self.name}.battery", f"{self.name}.sto", ("Ch", "D"))

    @property
    def meters(self) -> list[Meter]:
        return [self.grid, self.roof, self.battery]

    def documents(self) -> list[dict[str, Any]]:
        found = [site(self.name, "P3", battery_wh=5_000)]
        for meter, kind in ((self.grid, "GCP"), (self.roof, "GEN"), (self.battery, "STO")):
            found.append(point(meter.point, self.name, kind))
        return [*found, *(meter.document() for meter in self.meters)]


def registers(
    meter: Meter, flows: dict[str, list[int]], day: int = 0, begin: dict[str, int] | None = None
) -> list[bytes]:
    """One record per boundary of the day from hourly flows by role."""
    values = dict(begin or dict.fromkeys(flows, 0))
    records = []
    for hour in range(25):
        at = START + (day * 24 + hour) * HOUR
        if hour or day == 0:
            records.append(meter.record([(at, role, values[role]) for role in flows]))
        if hour < 24:
            values = {role: values[role] + flows[role][hour] for role in flows}
    return records
