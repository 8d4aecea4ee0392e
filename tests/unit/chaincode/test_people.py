# SPDX-License-Identifier: Apache-2.0
"""Names, members, occupancies and shares: a test per guard, and what the public can see of them."""

import hashlib
import json
from typing import Any

import pytest

from pedchain_domain import pseudonyms
from pedchain_domain.reasons import Reason, reason_of
from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.district import DSO, METERING, OPERATOR, OTHER, START, Home, Ledger, Meter
from tests.unit.chaincode.people import (
    BEGIN,
    identity,
    key_of,
    membership,
    occupancy,
    transient,
    with_signature,
)

ANN, BOB = "Ann Example", "Bob Example"


@pytest.fixture
async def ledger() -> Ledger:
    """A home registered by its operator's own names."""
    ledger = Ledger()
    await ledger.adopt()
    await named(ledger, Home("home-1"))
    return ledger


async def named(ledger: Ledger, *homes: Home) -> None:
    documents = [document for home in homes for document in home.documents()]
    sent = transient(documents=json.dumps(documents).encode())
    await ledger.submit("Register", "", transient=sent)


async def call(ledger: Ledger, function: str, creator: bytes = OPERATOR, **sent: Any) -> None:
    await ledger.submit(f"membership:{function}", creator=creator, transient=transient(**sent))


async def refused(reason: str, *args: Any, **options: Any) -> None:
    with pytest.raises(TransactionFailed) as caught:
        await call(*args, **options)
    assert caught.value.status == 400
    assert caught.value.message.split(":")[0] == reason


async def enrolled(ledger: Ledger, name: str = ANN) -> str:
    await call(ledger, "Enrol", membership=membership(name), identity=identity(name))
    spki = membership(name)["key"]["spki"]
    found = await ledger.ask("membership:GetMemberOfKey", spki)
    return str(found["member"])


async def test_names_become_pseudonyms_and_records_are_found_by_both(ledger: Ledger) -> None:
    home = Home("home-1")
    values = [(START, "I", 1_000), (START, "E", 0)]
    answers = await ledger.file(home.grid.record(values))
    found = await ledger.ask("GetDevice", "home-1.grid")
    pseudonym = found["document"]["id"]
    assert pseudonyms.is_pseudonym(pseudonym)
    assert await ledger.ask("GetDevice", pseudonym) == found
    assert (await ledger.ask("GetPseudonym", "home-1.grid"))["pseudonym"] == pseudonym
    signed_so = Meter(pseudonym, "", ("I", "E"))
    signed_so.key = home.grid.key
    answers += await ledger.file(signed_so.record(values, 2))
    assert [reason_of(answer) for answer in answers] == [Reason.RECORDED] * 2
    await ledger.fold(await ledger.seal())
    verdict = await ledger.ask("GetRecord", "home-1.grid", "1")
    assert verdict["device"] == pseudonym


async def test_a_pseudonym_of_one_district_is_unknown_in_another(ledger: Ledger) -> None:
    other = Ledger()
    await other.adopt()
    document = json.dumps(Home("home-1").documents()).encode()
    await other.submit("Register", "", transient=transient(7, documents=document))
    ids = [(await one.ask("GetPseudonym", "home-1"))["pseudonym"] for one in (ledger, other)]
    assert ids[0] != ids[1]


async def test_registering_by_name_again_changes_nothing_and_needs_a_salt(ledger: Ledger) -> None:
    before = ledger.peer.state(METERING)
    await named(ledger, Home("home-1"))
    assert ledger.peer.state(METERING) == before
    empty = Ledger()
    await empty.adopt()
    with pytest.raises(TransactionFailed, match="salt-missing"):
        await empty.submit("Register", "", transient={"documents": b"[]"})


async def test_a_district_that_never_used_names_reads_no_secret() -> None:
    ledger = Ledger()
    await ledger.adopt()
    await ledger.register(Home("home-1"))
    sent = ledger.transient([Home("home-1").grid.record([(START, "I", 1)])])
    outcome = await ledger.peer.endorse(METERING, "SubmitReadings", "1", transient=sent)
    read = [read.key for namespace in outcome.namespaces for read in namespace.reads]
    assert not any(key.startswith("\x00secret") for key in read)


@pytest.mark.fault(21)
async def test_what_a_batch_reads_names_no_meter_either(ledger: Ledger) -> None:
    """Reads are public too, of devices nobody registered as well."""
    strangers = [Home("home-1").grid, Meter("SN-1", "", ("I",))]
    sent = ledger.transient([meter.record([(START, "I", 1)]) for meter in strangers])
    outcome = await ledger.peer.endorse(METERING, "SubmitReadings", "1", transient=sent)
    for name in ("home-1", "SN-1"):
        assert name.encode() not in outcome.results


async def test_a_district_is_open_or_named_for_life(ledger: Ledger) -> None:
    with pytest.raises(TransactionFailed, match="not-a-pseudonym"):
        await ledger.register(Home("home-5"))
    other = Ledger()
    await other.adopt()
    await other.register(Home("home-5"))
    with pytest.raises(TransactionFailed, match="open-district"):
        await named(other, Home("home-6"))


@pytest.mark.fault(7)
async def test_a_name_leads_to_its_own_device_only(ledger: Ledger) -> None:
    await named(ledger, Home("home-2"))
    thief = Meter("home-2.grid", "", ("I", "E"))
    thief.key = Home("home-1").grid.key
    answers = await ledger.file(thief.record([(START, "I", 1)]))
    assert [reason_of(answer) for answer in answers] == [Reason.BAD_SIGNATURE]


async def test_a_site_outside_the_boundary_is_refused(ledger: Ledger) -> None:
    stray = json.dumps([{**Home("home-3").documents()[0], "feeder": "feeder-2"}]).encode()
    with pytest.raises(TransactionFailed, match="outside-boundary"):
        await ledger.submit("Register", "", transient=transient(documents=stray))


async def test_a_member_is_admitted_by_both_sides(ledger: Ledger) -> None:
    member = await enrolled(ledger)
    entry = await ledger.ask("membership:GetMember", member)
    assert entry["document"] == membership(ANN)
    assert await ledger.ask("membership:GetIdentity", member) == identity(ANN)
    before = ledger.peer.state(METERING)
    assert await enrolled(ledger) == member
    assert ledger.peer.state(METERING) == before


async def test_a_membership_must_be_the_members_own_and_for_this_district(ledger: Ledger) -> None:
    good, who = membership(ANN), identity(ANN)
    unsigned = {name: value for name, value in good.items() if name != "signature"}
    for document, reason in (
        ({**good, "from": BEGIN + 1}, "bad-signature"),
        (with_signature(unsigned, key_of(BOB)), "bad-signature"),
        (with_signature(unsigned, key_of(ANN), channel="other"), "bad-signature"),
        (with_signature(unsigned, key_of(ANN), network="other"), "bad-signature"),
        ({**good, "signature": "00"}, "malformed-signature"),
        (membership(ANN, district="DistrictB"), "wrong-domain"),
        (membership(BOB), "identity-mismatch"),
        (unsigned, "malformed-document"),
    ):
        await refused(reason, ledger, "Enrol", membership=document, identity=who)
    await refused("malformed-document", ledger, "Enrol", membership=good)
    for client in (DSO, OTHER):
        sent = {"membership": good, "identity": who}
        await refused("not-permitted", ledger, "Enrol", creator=client, **sent)


async def test_one_key_is_one_member(ledger: Ledger) -> None:
    await enrolled(ledger)
    again = membership(ANN, **{"from": BEGIN + 9})
    await refused("already-registered", ledger, "Enrol", membership=again, identity=identity(ANN))


@pytest.mark.fault(22)
async def test_an_unsalted_identity_is_refused(ledger: Ledger) -> None:
    for who in ({"schema": "identity/1", "name": ANN}, {**identity(ANN), "salt": "00"}):
        await refused(
            "malformed-document", ledger, "Enrol", membership=membership(ANN), identity=who
        )


async def test_nobody_lives_where_somebody_lives(ledger: Ledger) -> None:
    ann, bob = await enrolled(ledger), await enrolled(ledger, BOB)
    await call(ledger, "Occupy", document=occupancy(ANN, ann, "home-1", START))
    await call(ledger, "Occupy", document=occupancy(ANN, ann, "home-1", START))
    moves = occupancy(BOB, bob, "home-1", START + 100)
    await refused("overlaps", ledger, "Occupy", document=moves)
    out = {"schema": "vacate/1", "member": ann, "site": "home-1", "from": START, "to": START + 100}
    await call(ledger, "Vacate", document=out)
    await call(ledger, "Occupy", document=moves)
    held = (await ledger.ask("membership:GetOccupancies", "home-1"))["terms"]
    assert [(one["member"], one["from"], one["to"]) for one in held] == [
        (ann, START, START + 100),
        (bob, START + 100, None),
    ]


async def test_an_occupancy_is_signed_by_its_member_of_a_known_site(ledger: Ledger) -> None:
    ann = await enrolled(ledger)
    for document, reason in (
        (occupancy(BOB, ann, "home-1", START), "bad-signature"),
        (occupancy(ANN, "nobody", "home-1", START), "unknown-member"),
        (occupancy(ANN, ann, "home-9", START), "unknown-site"),
        (occupancy(ANN, ann, "home-1", BEGIN - 1), "not-a-member"),
        (occupancy(ANN, ann, "home-1", START, START), "malformed-document"),
    ):
        await refused(reason, ledger, "Occupy", document=document)


async def test_an_end_is_of_a_term_there_is(ledger: Ledger) -> None:
    ann, bob = await enrolled(ledger), await enrolled(ledger, BOB)
    await call(ledger, "Occupy", document=occupancy(ANN, ann, "home-1", START))
    out = {"schema": "vacate/1", "member": ann, "site": "home-1", "from": START, "to": START + 9}
    for change in ({"member": bob}, {"from": START + 1}):
        await refused("wrong-state", ledger, "Vacate", document={**out, **change})
    await call(ledger, "Vacate", document=out)
    await refused("wrong-state", ledger, "Vacate", document={**out, "to": START + 10})


async def test_who_still_lives_here_does_not_leave(ledger: Ledger) -> None:
    ann = await enrolled(ledger)
    leave = {"schema": "leave/1", "member": ann, "to": START + 500}
    await call(ledger, "Occupy", document=occupancy(ANN, ann, "home-1", START))
    await refused("still-occupies", ledger, "Leave", document=leave)
    out = {"schema": "vacate/1", "member": ann, "site": "home-1", "from": START, "to": START + 9}
    await call(ledger, "Vacate", document=out)
    await call(ledger, "Leave", document=leave)
    await call(ledger, "Leave", document=leave)
    await refused("wrong-state", ledger, "Leave", document={**leave, "to": START + 501})
    again = occupancy(ANN, ann, "home-1", START + 600)
    await refused("not-a-member", ledger, "Occupy", document=again)


async def test_shares_of_a_site_sum_to_the_whole_at_most(ledger: Ledger) -> None:
    share = {"schema": "participation/1", "site": "home-1", "district": "DistrictA"}
    share |= {"ppm": 700_000, "from": START, "to": None}

    async def put(**changes: Any) -> None:
        sent = transient(document={**share, **changes})
        await ledger.submit("membership:Participate", "", transient=sent)

    await put()
    await put(district="DistrictB", ppm=300_000)
    before = ledger.peer.state(METERING)
    await put()
    assert ledger.peer.state(METERING) == before
    for change, reason in (
        ({"district": "DistrictC", "ppm": 1}, "shares-exceed"),
        ({"from": START + 5}, "overlaps"),
        ({"site": "home-9"}, "unknown-site"),
        ({"ppm": 1_000_001}, "malformed-document"),
    ):
        with pytest.raises(TransactionFailed, match=reason):
            await put(**change)
    held = await ledger.ask("membership:GetParticipations", "home-1")
    assert [(one["district"], one["ppm"]) for one in held] == [
        ("DistrictA", 700_000),
        ("DistrictB", 300_000),
    ]


@pytest.mark.fault(21)
async def test_nothing_public_names_anybody_or_any_meter(ledger: Ledger) -> None:
    """Public state, keys' names and private keys' hashes, against all that could be guessed."""
    ann = await enrolled(ledger)
    await call(ledger, "Occupy", document=occupancy(ANN, ann, "home-1", START))
    public = ledger.peer.state(METERING)
    seen = "\n".join([*public, *(value.decode() for value in public.values())])
    for name in ("home-1", ANN, identity(ANN)["salt"]):
        assert name not in seen
    guesses = [ANN, ann, "home-1", "identity", "occupancies"]
    guesses += [f"{kind}\x00{who}" for kind in ("identity", "homes") for who in (ann, ANN)]
    hashes = {hashlib.sha256(guess.encode()).hexdigest() for guess in guesses}
    private = ledger.peer.private(METERING, "readings")
    assert not hashes & {hashlib.sha256(key.encode()).hexdigest() for key in private}
    assert not any(guess in key for key in private for guess in guesses)
    answers = [ledger.peer.last.payload] if ledger.peer.last else []
    assert answers == [b""]
