# SPDX-License-Identifier: Apache-2.0
"""A small district on a peer in memory: documents, keys, signed records, the calls of a day."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from pedchain_chaincode.cli import contracts
from pedchain_chaincode.registry.contract import RegistryContract
from pedchain_domain import batch, canonical, der, ocmf
from pedchain_fabric.shim.testing import MemoryPeer, creator

METERING = "metering-DistrictA"
SERVICE = {"ped.role": "registrar,gateway"}
DSO = creator("DSOMSP", attributes=SERVICE)
OPERATOR = creator("DistrictAMSP", attributes=SERVICE)
OTHER = creator("DistrictBMSP", attributes=SERVICE)
AUDITOR = creator("DistrictAMSP", "auditor", attributes={"ped.role": "auditor"})
DAY = 86_400
START = 1_767_225_600  # 2026-01-01 00:00:00 UTC
OBIS = {
    "I": "1-0:1.8.0*255",
    "E": "1-0:2.8.0*255",
    "G": "1-0:2.8.0*255",
    "Ch": "1-0:1.8.0*255",
    "D": "1-0:2.8.0*255",
    "Q": "6-0:1.0.0*255",
}
Values = Sequence[tuple[int, str, int]]  # instant, role, Wh


def day_name(number: int) -> str:
    """The name of day `number` of the calendar (0 is 2026-01-01; January and February only)."""
    month, day = (1, number + 1) if number < 31 else (2, number - 30)
    return f"2026-{month:02d}-{day:02d}"


def calendar(days: int = 59) -> dict[str, Any]:
    rows = [
        {
            "day": day_name(n),
            "start": START + n * DAY,
            "end": START + (n + 1) * DAY,
            "type": "working",
        }
        for n in range(days)
    ]
    return {"schema": "calendar/1", "id": "cal-2026", "rows": rows}


def factors() -> dict[str, Any]:
    return {
        "schema": "factors/1",
        "version": "f1",
        "source": "test",
        "intensity": {"year": {"2026": 300_000}},
        "primary": {
            "electricity": {
                "grid": [500, 2000, 420],
                "insitu": [1000, 0, 0],
                "export_a": [1000, 0, 0],
                "export_b": [500, 2000, 420],
            }
        },
        "reference": {},
    }


def district(**changes: Any) -> dict[str, Any]:
    return {
        "schema": "district/1",
        "id": "DistrictA",
        "boundary": {"id": "feeder-1", "kind": "feeder"},
        "zone": "zone-1",
        "grain": 3600,
        "calendar": ["cal-2026"],
        "factors": "f1",
        "dso": "DSOMSP",
        "operator": "DistrictAMSP",
        "rule": "R1",
        "shards": 1,
        "parameters": {"group_sites": 1, "group_share_percent": 100},
        **changes,
    }


@dataclass
class Meter:
    """A device with its key and its next counter."""

    name: str
    point: str
    roles: tuple[str, ...]
    seed: int = 1
    counter: int = 1
    key: ec.EllipticCurvePrivateKey = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(f"{self.name}/{self.seed}".encode()).digest()
        self.key = ec.derive_private_key(int.from_bytes(digest[:31], "big"), ec.SECP256R1())

    @property
    def spki(self) -> str:
        return der.spki_hex(self.key.public_key())

    def document(self, **changes: Any) -> dict[str, Any]:
        return {
            "schema": "device/1",
            "id": self.name,
            "point": self.point,
            "key": {"alg": "ES256", "spki": self.spki},
            "registers": {OBIS[role]: {"role": role} for role in self.roles},
            "from": START - 30 * DAY,
            "to": None,
            "first_counter": 1,
            **changes,
        }

    def payload(self, values: Values, counter: int | None = None, **domain: Any) -> bytes:
        if counter is None:
            counter, self.counter = self.counter, self.counter + 1
        texts = [(t, OBIS[role], f"{wh}", "Wh") for t, role, wh in values]
        named = {"network": "pedchain", "channel": "ped", **domain}
        return ocmf.build(device=self.name, counter=counter, readings=texts, **named)

    def record(self, values: Values, counter: int | None = None, **domain: Any) -> bytes:
        return signed(self.payload(values, counter, **domain), self.key)


def signed(payload: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """A record with a deterministic signature (RFC 6979): the same bytes on every run."""
    signature = key.sign(payload, ec.ECDSA(SHA256(), deterministic_signing=True))
    section = {"SA": ocmf.ALGORITHM, "SD": signature.hex()}
    return b"OCMF|" + payload + b"|" + json.dumps(section, separators=(",", ":")).encode()


def site(name: str, plan: str = "P1", **changes: Any) -> dict[str, Any]:
    return {
        "schema": "site/1",
        "id": name,
        "plan": plan,
        "connection_w": 20_000,
        "feeder": "feeder-1",
        "substation": "ss-1",
        "zone": "zone-1",
        "heating": "none",
        "vehicles": "none",
        "from": START - 30 * DAY,
        **changes,
    }


def point(name: str, of: str, kind: str) -> dict[str, Any]:
    return {
        "schema": "point/1",
        "id": name,
        "site": of,
        "kind": kind,
        "parent": None,
        "p_max_w": 20_000,
    }


@dataclass
class Home:
    """A site with a grid meter and, by its plan, a generation meter."""

    name: str
    plan: str = "P1"

    def __post_init__(self) -> None:
        self.grid = Meter(f"{self.name}.grid", f"{self.name}.gcp", ("I", "E"))
        self.roof = Meter(f"{self.name}.roof", f"{self.name}.gen", ("G",))

    @property
    def meters(self) -> list[Meter]:
        return [self.grid, self.roof] if self.plan == "P1" else [self.grid]

    def documents(self) -> list[dict[str, Any]]:
        found = [site(self.name, self.plan), point(self.grid.point, self.name, "GCP")]
        if self.plan == "P1":
            found.append(point(self.roof.point, self.name, "GEN"))
        return [*found, *(meter.document() for meter in self.meters)]


def private(document: Mapping[str, Any]) -> dict[str, bytes]:
    """The transient map of a document that stays private."""
    sent = canonical.encode(dict(document))
    return {"document": sent, "salt": hashlib.sha256(sent).digest()[:16]}


def salt(number: int) -> bytes:
    return hashlib.sha256(b"salt" + number.to_bytes(8, "big")).digest()[:16]


class Ledger:
    """The calls of one district, on a peer in memory."""

    def __init__(self, **changes: Any) -> None:
        self.peer = MemoryPeer(client=DSO)
        self.peer.now = START + 40 * DAY
        self.peer.install("registry", RegistryContract())
        members = {"readings": ["DSOMSP", "DistrictAMSP"]}
        self.peer.install(METERING, *contracts("metering"), collections=members)
        self.district = district(**changes)
        self.batches = 0

    async def adopt(self) -> None:
        put = self.peer.submit
        await put("registry", "PutCalendar", "cal-2026", canonical.encode(calendar()))
        await put("registry", "PutFactors", "f1", canonical.encode(factors()))
        await put("registry", "PutDistrict", canonical.encode(self.district))
        await put(METERING, "Adopt", "DistrictA")

    async def decide(self, changed: dict[str, Any], *operators: bytes) -> None:
        """Propose a change of the district on its first day, and let every operator agree."""
        now, self.peer.now = self.peer.now, START
        await self.peer.submit("registry", "PutDistrict", canonical.encode(changed))
        proposal = await self.peer.evaluate("registry", "GetProposal", str(changed["id"]))
        digest = str(json.loads(proposal)["hash"])
        for operator in operators or (OPERATOR,):
            call = ("registry", "Approve", str(changed["id"]), digest)
            await self.peer.submit(*call, creator=operator)
        self.peer.now = now

    async def register(self, *homes: Home) -> None:
        documents = [document for home in homes for document in home.documents()]
        for i in range(0, len(documents), 200):
            await self.submit("Register", json.dumps(documents[i : i + 200]))

    async def submit(self, function: str, *args: str | bytes, **options: Any) -> bytes:
        return await self.peer.submit(METERING, function, *args, **options)

    async def ask(self, function: str, *args: str | bytes, **options: Any) -> Any:
        answer = await self.peer.evaluate(METERING, function, *args, **options)
        return canonical.decode(answer)

    async def exchange(self, exchange: Mapping[str, Any]) -> None:
        """The DSO exchanges a meter."""
        await self.submit("ExchangeMeter", transient=private(exchange))

    def transient(self, records: Sequence[bytes]) -> dict[str, bytes]:
        self.batches += 1
        return {"records": batch.encode(list(records)), "salt": salt(self.batches)}

    async def file(self, *records: bytes, creator: bytes = OPERATOR) -> list[int]:
        """SubmitReadings under the open period; the status bytes."""
        period = (await self.ask("GetFence"))["period"]
        transient = self.transient(records)
        answer = await self.submit(
            "SubmitReadings", str(period), transient=transient, creator=creator
        )
        return list(answer)

    async def seal(self) -> int:
        """Seal the open period; its number."""
        period: int = (await self.ask("GetFence"))["period"]
        await self.submit("SealPeriod", str(period), creator=OPERATOR)
        return period

    async def fold(self, period: int) -> int:
        """Fold every shard of a period; the number of steps."""
        steps = 0
        for shard in range(self.district["shards"]):
            while True:
                steps += 1
                step = await self.submit("FoldShard", str(period), str(shard), creator=OPERATOR)
                if step == b"done":
                    break
        return steps

    async def close(self, day: str, run: str = "P") -> int:
        """Close a day; the number of steps."""
        steps = 1
        while await self.submit("CloseDay", day, run, creator=OPERATOR) != b"done":
            steps += 1
        return steps
