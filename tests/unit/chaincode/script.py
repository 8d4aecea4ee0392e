# SPDX-License-Identifier: Apache-2.0
"""One scripted sequence over every transaction, printed call by call as digests of all its bytes.

Run as `python -m tests.unit.chaincode.script`; two runs anywhere must print the same lines.
"""

import asyncio
import hashlib
import json
import sys
from typing import Any

from pedchain_chaincode import limits
from pedchain_fabric.shim.testing import TransactionFailed, creator
from tests.unit.chaincode.district import (
    METERING,
    OPERATOR,
    START,
    Home,
    Ledger,
    Meter,
    day_name,
    site,
)
from tests.unit.chaincode.people import (
    CLAIM,
    CODE,
    claim,
    identity,
    key_of,
    membership,
    occupancy,
    possession,
    transient,
)

HOUR = 3_600


def digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()[:24]


class Printing(Ledger):
    """Prints what each endorsed call would send to be ordered."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**changes)
        self.lines: list[str] = []
        endorse = self.peer.endorse

        async def noted(chaincode: str, function: str, *args: Any, **options: Any) -> Any:
            try:
                outcome = await endorse(chaincode, function, *args, **options)
            except TransactionFailed as error:
                self.lines.append(f"{chaincode} {function} {error.status} {error.message}")
                raise
            parts = [outcome.payload, outcome.results, outcome.private_results]
            name, payload = outcome.event or ("", b"")
            shown = " ".join(digest(part) for part in (*parts, name.encode() + payload))
            self.lines.append(f"{chaincode} {function} {shown}")
            return outcome

        self.peer.endorse = noted  # type: ignore[method-assign]  # the one place all calls pass


def readings(home: Home, day: int, first: int) -> list[bytes]:
    records = []
    for hour in range(first, 25):
        n = day * 24 + hour
        at = START + n * HOUR
        values = [(at, "I", 300 * n + len(home.name)), (at, "E", 100 * n)]
        records.append(home.grid.record(values, n + 1))
        records.append(home.roof.record([(at, "G", 500 * n)], n + 1))
    return records


async def day_of(ledger: Printing, homes: list[Home], day: int) -> None:
    """File a day in a mixed order, with what goes wrong; seal, fold and close it."""
    records = [r for home in homes for r in readings(home, day, 0 if day == 0 else 1)]
    records.sort(key=digest)
    odd = [
        records[3],
        records[5][:-9],
        homes[0].grid.record([(START, "I", 7)], 3),
        homes[1].grid.record([(START, "I", 7)], None, channel="other"),
        Meter("stranger", "nowhere", ("I",)).record([(START, "I", 7)]),
        homes[2].grid.record([(START + HOUR, "I", 9)], 800 + day, state="U"),
    ]
    for start in range(0, len(records), 40):
        await ledger.file(*records[start : start + 40], *odd)
    await ledger.fold(await ledger.seal())
    await ledger.close(day_name(day))


async def people(ledger: Printing) -> None:
    """A member moves in and out, a site is shared, a device is claimed."""
    call, operator = ledger.peer.submit, {"creator": OPERATOR}
    documents = transient(membership=membership("ann"), identity=identity("ann"))
    await call(METERING, "membership:Enrol", transient=documents, **operator)
    spki = membership("ann")["key"]["spki"]
    found = await ledger.peer.evaluate(METERING, "membership:GetMemberOfKey", spki)
    member = json.loads(found)["member"]
    share = {"schema": "participation/1", "site": "home-1", "district": "DistrictB"}
    share |= {"ppm": 300_000, "from": START, "to": None}
    await call(METERING, "membership:Participate", json.dumps(share))
    await ledger.register(Home("home-9", "P0"))
    moves = occupancy("ann", member, "home-9", START)
    await call(METERING, "membership:Occupy", transient=transient(document=moves), **operator)
    vacate = {"schema": "vacate/1", "member": member, "site": "home-9", "from": START}
    vacate = {**vacate, "to": START + 9}
    await call(METERING, "membership:Vacate", transient=transient(document=vacate), **operator)
    leave = {"schema": "leave/1", "member": member, "to": START + 9}
    await call(METERING, "membership:Leave", transient=transient(document=leave), **operator)
    offer = claim("home-9.new", "home-9.gcp", through=9)
    await call(METERING, "membership:OfferClaim", transient=transient(document=offer))
    answer = transient(possession=possession(key_of("meter")), code=CODE.encode())
    await call(METERING, "membership:PresentClaim", CLAIM, transient=answer)
    await call(METERING, "membership:SettleClaim", CLAIM, transient=transient())
    await call(METERING, "membership:OfferClaim", transient=transient(document=other(offer)))
    await call(METERING, "membership:WithdrawClaim", other(offer)["id"])
    for query in (
        ("GetClaim", CLAIM),
        ("GetMember", member),
        ("GetIdentity", member),
        ("GetOccupancies", "home-9"),
        ("GetParticipations", "home-1"),
    ):
        await ledger.peer.evaluate(METERING, f"membership:{query[0]}", query[1])
    await ledger.peer.evaluate(METERING, "GetPseudonym", "home-9")
    await ledger.peer.evaluate(METERING, "GetCells", '["home-9.grid","stranger"]')
    fresh = Printing()
    await fresh.adopt()
    documents = json.dumps(Home("home-9", "P0").documents()).encode()
    await fresh.submit("Register", "", transient=transient(documents=documents))
    await fresh.file(Home("home-9").grid.record([(START, "I", 5)]))
    ledger.lines += fresh.lines


def other(offer: dict[str, Any]) -> dict[str, Any]:
    """The same claim of another device under another id."""
    return {**offer, "id": CLAIM[::-1], "device": {**offer["device"], "id": "home-9.other"}}


async def judge(ledger: Printing) -> None:
    """A site is revised, a certificate's sample recorded by somebody else than the district."""
    changed = site("home-1", heating="metered")
    revision = {"schema": "revision/1", "document": changed, "since": day_name(40)}
    await ledger.submit("Revise", json.dumps([revision]))
    certificate = await ledger.ask("GetCertificate", day_name(1))
    sample = {name: certificate[name] for name in ("day", "run", "version", "root")}
    sample |= {"schema": "sample/1", "block": 7, "hash": "ab" * 32, "opening": None}
    sample |= {"leaves": 8, "verified": 0, "missing": 8, "failed": 0}
    auditor = creator("DistrictBMSP", "auditor", attributes={"ped.role": "auditor"})
    await ledger.submit("RecordSample", json.dumps(sample), creator=auditor)


async def ask(ledger: Printing) -> None:
    """Every query once."""
    for name, function in (("DistrictA", "District"), ("cal-2026", "Calendar"), ("f1", "Factors")):
        await ledger.peer.evaluate("registry", f"Get{function}", name)
    for call in (
        ("GetFence",),
        ("GetDevice", "home-1.grid"),
        ("GetSite", "home-1"),
        ("GetPoint", "home-1.gcp"),
        ("GetLeaves", day_name(1), "0"),
        ("ListSamples", day_name(0), ""),
        ("GetCertificate", day_name(0)),
        ("ListCertificates", day_name(0), ""),
        ("GetCertificateHistory", day_name(0)),
        ("GetRolling", day_name(0)),
        ("ListMonthly", "2026-01", ""),
        ("GetMonthlyHistory", "2026-01"),
        ("GetProof", "home-1.gcp", day_name(1), f"{START + 30 * HOUR}"),
        ("GetWindow",),
        ("GetRecord", "home-1.grid", "3"),
        ("ListFindings", day_name(1)),
    ):
        await ledger.ask(*call)


async def run() -> list[str]:
    for name in ("GATHER_COST", "FOLD_COST", "DIRECT_COST", "CLOSE_VALUES"):
        setattr(limits, name, 60)
    limits.GATHER_MARKERS = 1  # type: ignore[misc]
    limits.CELL_SITES = 2  # type: ignore[misc]  # small steps, so that all of them are taken
    ledger = Printing(shards=2, parameters={"group_sites": 2, "group_share_percent": 60})
    homes = [Home(f"home-{n}") for n in range(5)]
    await ledger.adopt()
    await ledger.register(*homes)
    for day in range(2):
        await day_of(ledger, homes, day)
    revocation = {"schema": "revoke/1", "device": "home-1.grid", "counter": 900}
    document = json.dumps({**revocation, "compromised_since": START + 20 * HOUR})
    await ledger.submit("RevokeKey", document)
    fresh = Meter("home-2.grid2", homes[2].grid.point, ("I", "E"))
    late = START + 60 * HOUR
    await ledger.submit("Register", json.dumps([fresh.document(**{"from": late})]))
    exchange = {"schema": "exchange/1", "point": homes[2].grid.point, "at": late}
    meters = {"old": "home-2.grid", "new": fresh.name, "final": {"I": 1}, "initial": {"I": 0}}
    await ledger.exchange({**exchange, **meters})
    for document in (
        {"schema": "suspend/1", "device": "home-3.grid", "from": late},
        {"schema": "resume/1", "device": "home-3.grid", "at": late + 7_200},
    ):
        function = "SuspendDevice" if "from" in document else "ResumeDevice"
        await ledger.submit(function, json.dumps(document))
    for day in range(2):
        await ledger.close(day_name(day), "F")
    await people(ledger)
    from tests.unit.chaincode import script_origin  # it builds on this module

    ledger.lines += await script_origin.lines()
    await ledger.decide({**ledger.district, "rule": "R2", "from": day_name(9)})
    await ledger.peer.evaluate("registry", "GetDecision", "DistrictA", day_name(9))
    await judge(ledger)
    await ask(ledger)
    for place in (ledger.peer.state(METERING), ledger.peer.private(METERING, "readings")):
        whole = json.dumps([[key, digest(value)] for key, value in place.items()])
        ledger.lines.append(f"state {digest(whole.encode())}")
    return ledger.lines


if __name__ == "__main__":
    sys.stdout.write("\n".join(asyncio.run(run())) + "\n")
