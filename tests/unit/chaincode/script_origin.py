# SPDX-License-Identifier: Apache-2.0
"""The script's part of origin and privacy: every transaction and query of both once."""

import json

from pedchain_chaincode import limits
from pedchain_domain import canonical, der, origincert
from tests.unit.chaincode.district import DAY, OPERATOR, START, day_name
from tests.unit.chaincode.people import identity, membership, occupancy, transient
from tests.unit.chaincode.script import Printing
from tests.unit.chaincode.wallets import Origin, Storing, Wallet, private_key, registers, signature


class PrintingOrigin(Printing, Origin):
    """Wallets beside what prints."""


async def filled() -> PrintingOrigin:
    """Two days of a home with roof and battery, closed by every run."""
    home = Storing("home-1")
    ledger = PrintingOrigin()
    await ledger.adopt()
    await ledger.register(home)
    flows = {"I": [40] * 24, "E": [60] * 24}
    for day in range(2):
        for meter, per_role in (
            (home.grid, flows),
            (home.roof, {"G": [50] * 24}),
            (home.battery, {"Ch": [20] * 24, "D": [10] * 24}),
        ):
            begin = {role: sum(values) * day for role, values in per_role.items()}
            await ledger.file(*registers(meter, per_role, day, begin))
        await ledger.fold(await ledger.seal())
        await ledger.close(day_name(day))
    ledger.peer.now = START + 100 * DAY
    for run in ("F", "FINAL"):
        for day in range(2):
            await ledger.close(day_name(day), run)
    return ledger


async def lines() -> list[str]:
    """What every call would send to be ordered."""
    limits.ISSUE_CERTIFICATES = 1  # type: ignore[misc]
    ledger = await filled()
    a = Wallet("acc-a", "home-1")
    await ledger.open(a, Wallet("acc-b"))
    await ledger.issue()
    for query in (("origin:GetFollowed", day_name(0)), ("origin:GetPools", day_name(0))):
        await ledger.ask(*query)
    step = ("origin:FollowDay", day_name(0), "0")
    while await ledger.submit(*step, creator=OPERATOR, transient=ledger.fresh()) == b"more":
        pass
    north = private_key("north")
    key = {"alg": "ES256", "spki": der.spki_hex(north.public_key())}
    foreign = {"schema": "foreign/1", "id": "north", "key": key}
    await ledger.submit("origin:PutForeign", json.dumps(foreign))
    one, two, three, *_ = (c["id"] for c in await ledger.active("acc-a"))
    await ledger.debit(a.signed("slice", certificate=one, parts=[10, 40]))
    await ledger.debit(a.signed("transfer", certificate=two, to="acc-b"))
    await ledger.debit(a.signed("lock", certificate=three, registry="north"))
    await ledger.debit(a.signed("discharge", day=day_name(0)))
    locked = next(c for c in await ledger.certificates("acc-a") if c["state"] == "locked")
    inner = {"schema": "receipt/1", "registry": "north", "reference": "n-1"}
    inner["lock"] = origincert.lock_of(locked)
    receipt = {"receipt": inner, "signature": signature(north, canonical.encode(inner)).hex()}
    body = {"certificate": three, "receipt": receipt, "underlying_cancelled": None}
    await ledger.debit(a.signed("export", **body))
    for query in (
        ("origin:GetIssued", day_name(0)),
        ("origin:GetIssuing",),
        ("origin:GetAccount", "acc-a"),
        ("origin:GetExported", day_name(0)),
        ("origin:GetLeft", "[]"),
        ("privacy:GetRetention",),
    ):
        await ledger.ask(*query)
    await kept(ledger)
    return ledger.lines


async def lived(ledger: PrintingOrigin) -> None:
    """Somebody lived at home-1 for a day and left the district."""
    ann, out = membership("ann"), START + DAY
    sent = transient(membership=ann, identity=identity("ann"))
    await ledger.submit("membership:Enrol", creator=OPERATOR, transient=sent)
    found = await ledger.ask("membership:GetMemberOfKey", ann["key"]["spki"])
    name = str(found["member"])
    for function, document in (
        ("Occupy", occupancy("ann", name, "home-1", START)),
        (
            "Vacate",
            {"schema": "vacate/1", "member": name, "site": "home-1", "from": START, "to": out},
        ),
        ("Leave", {"schema": "leave/1", "member": name, "to": out}),
    ):
        sent = transient(document=document)
        await ledger.submit(f"membership:{function}", creator=OPERATOR, transient=sent)


async def kept(ledger: PrintingOrigin) -> None:
    """Erasure and retention."""
    page = await ledger.ask("privacy:ListSubjectRecords", "home-1", "1", "")
    batches = sorted({one["transaction"] for one in page["records"]})
    about = {"site": "home-1", "cell": 0}
    stay = {"first": day_name(0), "last": day_name(1)}
    await lived(ledger)
    await ledger.ask("privacy:GetSubjectPeople", "home-1", *stay.values())
    for what in (
        {"batches": batches, **stay},
        {"day": day_name(0)},
        {"account": 1},
        {"person": 1, **stay},
    ):
        subject = json.dumps({**about, **what}).encode()
        sent = {"subject": subject, **ledger.fresh()}
        await ledger.submit("privacy:Erase", creator=OPERATOR, transient=sent)
    ledger.peer.now = START + (limits.RETENTION_DAYS + 2) * DAY
    while await ledger.submit("privacy:Purge", day_name(1), creator=OPERATOR) != b"done":
        pass
