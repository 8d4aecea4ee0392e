# SPDX-License-Identifier: Apache-2.0
"""A district's registry as its administrators live with it, on every runtime.

A network of its own: meters nobody reads would be missing in other scenarios' certificates. The
tests are steps of one story, in the order they stand.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pedchain_audit.archive import Archive
from pedchain_audit.collect import collect
from pedchain_audit.verify import verify
from pedchain_domain import batch, pseudonyms
from pedchain_domain.reasons import Reason, reason_of
from pedchain_fabric.client import profile
from pedchain_fabric.errors import GatewayError
from pedchain_fabric.wire import compositekey, rwset
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import network as make_network
from tests.scenarios.registering import (
    CLAIMED,
    GRID,
    PERSON,
    SITE,
    TODAY,
    Desk,
    Person,
    calendar,
    day,
    device,
    district,
    factors,
    home,
    key_document,
    new_key,
    record,
    rotation,
    with_signature,
)

A = "metering-DistrictA"
METER, CLAIMING, THIEF = new_key(), new_key(), new_key()
CORNELIA, OTHER = Person(), Person("Somebody Else")
BEGUN = TODAY * 86_400


@pytest.fixture(scope="module", params=RUNTIMES)
def desk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("registry")
    with make_network(request.param, folder) as made:
        made.run("up")
        desk = Desk(made, folder)
        desk.register(
            {
                "factors": [factors()],
                "calendars": [calendar()],
                "districts": [district("DistrictA"), district("DistrictB")],
                "documents": {"DistrictA": home(METER)},
            }
        )
        yield desk


@pytest.fixture(scope="module")
def secrets_() -> list[str]:
    """What must stand in no block and no log: names, and codes as they are made."""
    return [SITE, GRID, CLAIMED, PERSON, OTHER.name, CORNELIA.salt]


@pytest.fixture(scope="module")
def member(desk: Desk) -> str:
    """The first member's pseudonym."""
    words = enrolling(desk, CORNELIA)
    return str(desk.done("DistrictA", *words)["member"])


def enrolling(desk: Desk, person: Person) -> list[str]:
    who = desk.file("identity.json", person.identity)
    signed = desk.file("membership.json", person.membership())
    return ["member", "add", signed, "--identity", who]


async def filed(desk: Desk, *records: bytes) -> list[Reason]:
    """What the district's contract says to records."""
    async with await profile.connect(desk.network.profile("DistrictA")) as gateway:
        contract = gateway.network("ped").contract(A)
        sent = {"records": batch.encode(list(records)), "salt": bytes(range(16))}
        answer = await contract.submit("SubmitReadings", "1", transient=sent)
    return [reason_of(status) for status in answer]


def test_a_device_registered_by_name_stands_under_a_pseudonym(desk: Desk) -> None:
    found = desk.done("DistrictA", "device", "show", GRID)
    assert pseudonyms.is_pseudonym(found["document"]["id"])
    assert pseudonyms.is_pseudonym(found["site"])
    assert found == desk.done("DSO", "device", "show", found["document"]["id"])


async def test_its_records_name_it_as_ever(desk: Desk) -> None:
    found = await filed(desk, record(GRID, 1, METER), record(GRID, 2, THIEF))
    assert found == [Reason.RECORDED, Reason.BAD_SIGNATURE]


async def test_another_district_can_turn_no_name_into_a_pseudonym(desk: Desk) -> None:
    async with await profile.connect(desk.network.profile("DistrictB")) as gateway:
        contract = gateway.network("ped").contract(A)
        for call in (("GetPseudonym", GRID), ("GetDevice", GRID)):
            with pytest.raises(GatewayError):
                await contract.evaluate(*call)


@pytest.mark.fault(14)
async def test_a_device_claims_its_place_once(desk: Desk, secrets_: list[str]) -> None:
    waiting = desk.file("device.json", device(CLAIMED, None))
    offered = desk.done("DSO", "claim", "offer", waiting)
    secrets_.append(offered["code"])
    body = {"schema": "possession/1", "claim": offered["claim"], "key": key_document(CLAIMING)}
    answer = desk.file("possession.json", with_signature(body, CLAIMING))
    code, wrong = desk.file("code", offered["code"]), desk.file("wrong", "A" * 32)
    present = ("claim", "present", offered["claim"], answer, "--code")
    assert desk.refused("DistrictB", *present, code) != ""
    assert desk.refused("DistrictA", *present, wrong) == "claim-refused"
    assert desk.done("DistrictA", *present, code)["state"] == "used"
    stolen = {**body, "key": key_document(THIEF)}
    again = desk.file("stolen.json", with_signature(stolen, THIEF))
    late = ("claim", "present", offered["claim"], again, "--code", code)
    assert desk.refused("DistrictA", *late) == "claim-refused"
    assert desk.done("DSO", "claim", "show", offered["claim"])["tries"] == 2
    found = await filed(desk, record(CLAIMED, 1, CLAIMING), record(CLAIMED, 2, THIEF))
    assert found == [Reason.RECORDED, Reason.BAD_SIGNATURE]


@pytest.mark.fault(14)
def test_a_claim_taken_back_is_no_claim(desk: Desk) -> None:
    waiting = desk.file("device.json", device("SN-1", None))
    offered = desk.done("DSO", "claim", "offer", waiting)
    assert desk.refused("DistrictA", "claim", "withdraw", offered["claim"]) == "not-permitted"
    desk.done("DSO", "claim", "withdraw", offered["claim"])
    body = {"schema": "possession/1", "claim": offered["claim"], "key": key_document(THIEF)}
    answer = desk.file("possession.json", with_signature(body, THIEF))
    code = desk.file("code", offered["code"])
    words = ("claim", "present", offered["claim"], answer, "--code", code)
    assert desk.refused("DistrictA", *words) == "claim-refused"


async def test_a_member_is_admitted_by_the_operator_and_its_own_signature(
    desk: Desk, member: str
) -> None:
    assert desk.refused("DSO", *enrolling(desk, OTHER)) == "not-permitted"
    assert desk.done("DistrictB", "member", "show", member)["id"] == member
    async with await profile.connect(desk.network.profile("DistrictA")) as gateway:
        contract = gateway.network("ped").contract(A)
        who = json.loads(await contract.evaluate("membership:GetIdentity", member))
    assert who["name"] == PERSON
    async with await profile.connect(desk.network.profile("DistrictB")) as gateway:
        contract = gateway.network("ped").contract(A)
        with pytest.raises(GatewayError):
            await contract.evaluate("membership:GetIdentity", member)


def test_one_home_is_one_members_at_a_time(desk: Desk, member: str) -> None:
    moves = desk.file("moves.json", CORNELIA.occupancy(member, BEGUN))
    desk.done("DistrictA", "member", "occupy", moves)
    second = str(desk.done("DistrictA", *enrolling(desk, OTHER))["member"])
    also = desk.file("also.json", OTHER.occupancy(second, BEGUN + 60))
    assert desk.refused("DistrictA", "member", "occupy", also) == "overlaps"
    out = {"schema": "vacate/1", "member": member, "site": SITE, "from": BEGUN, "to": BEGUN + 60}
    desk.done("DistrictA", "member", "vacate", desk.file("out.json", out))
    desk.done("DistrictA", "member", "occupy", also)


def test_a_site_is_shared_but_never_twice(desk: Desk) -> None:
    share = {"schema": "participation/1", "site": SITE, "district": "DistrictA", "ppm": 700_000}
    share |= {"from": BEGUN, "to": None}
    desk.done("DSO", "participation", "put", desk.file("share.json", share))
    more = desk.file("more.json", {**share, "district": "DistrictB", "ppm": 300_001})
    assert desk.refused("DSO", "participation", "put", more) == "shares-exceed"
    rest = desk.file("rest.json", {**share, "district": "DistrictB", "ppm": 300_000})
    desk.done("DSO", "participation", "put", rest)
    found = desk.done("DistrictB", "participation", "show", site_id(desk))
    assert [one["ppm"] for one in found["items"]] == [700_000, 300_000]


def site_id(desk: Desk) -> str:
    return str(desk.done("DistrictA", "device", "show", GRID)["site"])


async def test_a_suspended_device_is_kept_and_not_certified(desk: Desk) -> None:
    since = ("--since", str((TODAY - 1) * 86_400))
    desk.done("DistrictA", "device", "suspend", GRID, *since)
    assert await filed(desk, record(GRID, 3, METER)) == [Reason.NOT_CERTIFIABLE]
    at = ("--at", str(BEGUN - 3_600))
    assert desk.refused("DistrictA", "device", "resume", GRID, *at) == "not-permitted"
    desk.done("DSO", "device", "resume", GRID, *at)
    assert await filed(desk, record(GRID, 4, METER)) == [Reason.RECORDED]


@pytest.mark.fault(13)
async def test_a_rotated_key_signs_from_its_counter_on(desk: Desk) -> None:
    fresh = new_key()
    signed = desk.file("rotate.json", rotation(GRID, METER, fresh, 5))
    desk.done("DistrictA", "device", "rotate", signed)
    said = await filed(desk, record(GRID, 5, METER), record(GRID, 5, fresh))
    assert said == [Reason.BAD_SIGNATURE, Reason.RECORDED]


@pytest.mark.fault(13)
async def test_a_revoked_device_is_refused_and_gets_no_other_key(desk: Desk) -> None:
    desk.done("DSO", "device", "revoke", CLAIMED, "--counter", "5", "--since", str(BEGUN))
    assert await filed(desk, record(CLAIMED, 5, CLAIMING)) == [Reason.REVOKED_KEY]
    assert desk.done("DSO", "device", "show", CLAIMED)["state"] == "revoked"


def test_a_rule_changes_when_every_district_agrees_and_from_a_later_day(desk: Desk) -> None:
    changed = district("DistrictA", factors="f2", **{"from": day(3)})
    second = {"factors": [factors("f2")], "districts": [changed]}
    desk.register(second)
    waiting = desk.done("DistrictB", "decision", "show", "DistrictA", district=None)
    agree = ("decision", "approve", "DistrictA", "--hash", waiting["hash"])
    assert waiting["required"] == ["DistrictAMSP", "DistrictBMSP"]
    assert desk.refused("Aggregator", *agree, district=None) == "not-permitted"
    for organization in ("DistrictA", "DistrictB"):
        assert desk.done(organization, *agree, district=None)["factors"] == "f2"
    desk.register(second)
    assert desk.refused("DSO", "decision", "show", "DistrictA", district=None) == "not-found"


@pytest.mark.fault(12)
def test_another_meter_under_a_known_name_is_refused(desk: Desk) -> None:
    stranger = [*home(METER)[:2], device(GRID, THIEF)]
    path = desk.file("again.json", {"documents": {"DistrictA": stranger}})
    assert desk.refused("DSO", "register", path, district=None) == "already-registered"
    assert desk.refused("DistrictA", "register", path, district=None) == "not-permitted"


@pytest.mark.fault(21)
async def test_no_name_stands_in_any_block_or_log(desk: Desk, secrets_: list[str]) -> None:
    """And no private key's hash is that of something one could guess."""
    folder = desk.folder / "ledger"
    archive = await collect(desk.network.profile("DSO"), folder)
    strangers = ("orderer0.", "peer0.districtb", "peer0.aggregator")
    files = [*(folder / "blocks").iterdir(), *(desk.network.state / "log").rglob("*")]
    files += [
        path
        for place in (desk.network.state / "data").iterdir()
        if place.name.startswith(strangers)  # what members' peers keep to themselves is theirs
        for path in place.rglob("*")
    ]
    places = {path: path.read_bytes() for path in files if path.is_file()}
    for name in secrets_:
        assert not [path for path, seen in places.items() if name.encode() in seen], name
    kinds = ("identity", "occupancies", "homes", "claim", "attempt", "secret", "h")
    words = [*secrets_, *kinds]
    guesses = {rwset.hash_key(word) for word in words}
    guesses |= {rwset.hash_key(compositekey.create(kind, [w])) for kind in kinds for w in words}
    seen = set(hashed_keys(archive))
    assert seen
    assert not seen & guesses


def hashed_keys(archive: Archive) -> Iterator[bytes]:
    """Hashes of all private keys written under DistrictA's definition."""
    for number in range(archive.height()):
        for held in archive.private(number).private_data_map.values():
            for namespace in rwset.decode_private(held.SerializeToString()):
                for collection in namespace.collections:
                    yield from (rwset.hash_key(write.key) for write in collection.writes)


async def test_the_auditor_follows_all_of_it(desk: Desk, tmp_path: Path) -> None:
    figures = verify(await collect(desk.network.profile("DSO"), tmp_path / "dso"))
    assert figures.device_signatures == 5
    assert figures.not_checked == []


def test_an_auditors_certificate_only_reads(desk: Desk) -> None:
    path = desk.file("audit.json", {"calendars": [calendar()], "factors": [factors("f3")]})
    words = ("register", path, "--user", "auditor")
    assert desk.refused("DSO", *words, district=None) == "not-permitted"
