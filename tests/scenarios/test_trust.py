# SPDX-License-Identifier: Apache-2.0
"""What organisations cannot do to each other, however they choose their endorsers."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pedchain_audit.collect import collect
from pedchain_audit.verify import verify
from pedchain_fabric.client import profile
from pedchain_fabric.wire.block import commit_hash, parse_block
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.hostile import Hostile
from tests.scenarios.recording import keep

TRUST = ("python", str(Path(__file__).parent / "trust_chaincode.py"), "serve")
A = "metering-DistrictA"
FAILED = "ENDORSEMENT_POLICY_FAILURE"
#: The ledger these attacks left on real Fabric; replayed by the auditor's own tests.
GOLDEN = Path(__file__).parents[1] / "golden" / "ledger"


@pytest.fixture(scope="module", params=RUNTIMES)
def consortium(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    """The reference consortium, its definitions served by the attackers' contract."""
    with make_network(request.param, tmp_path_factory.mktemp("trust"), TRUST) as made:
        made.run("up")
        yield made


@pytest.fixture(scope="module")
async def hostile(consortium: Network) -> AsyncIterator[Hostile]:
    async with Hostile(consortium) as made:
        yield made


async def test_the_dso_and_the_district_together_write(hostile: Hostile) -> None:
    attack = await hostile.endorse(A, "Put", "both", "x", by=["DSO", "DistrictA"])
    assert await hostile.send(attack) == "VALID"


@pytest.mark.fault(17)
@pytest.mark.parity("policy-first-write")
@pytest.mark.parametrize("alone", ["DSO", "DistrictA"])
async def test_one_organisation_alone_cannot_write(hostile: Hostile, alone: str) -> None:
    attack = await hostile.endorse(A, "Put", f"alone-{alone}", "x", by=[alone])
    assert await hostile.send(attack) == FAILED


@pytest.mark.parity("policy-first-write")
async def test_the_dso_and_another_district_cannot_certify(hostile: Hostile) -> None:
    """A certificate is always a first write, which no key-level policy can bind."""
    attack = await hostile.endorse(A, "Put", "certificate", "x", by=["DSO", "DistrictB"])
    assert await hostile.send(attack) == FAILED


async def test_the_dso_and_another_district_cannot_change_what_is_there(hostile: Hostile) -> None:
    written = await hostile.endorse(A, "Put", "there", "x", by=["DSO", "DistrictA"])
    assert await hostile.send(written) == "VALID"
    attack = await hostile.endorse(A, "Put", "there", "y", by=["DSO", "DistrictB"])
    assert await hostile.send(attack) == FAILED


async def test_the_dso_and_another_district_cannot_lock_a_key(hostile: Hostile) -> None:
    written = await hostile.endorse(A, "Put", "lock", "x", by=["DSO", "DistrictA"])
    assert await hostile.send(written) == "VALID"
    attack = await hostile.endorse(A, "Lock", "lock", "DistrictBMSP", by=["DSO", "DistrictB"])
    assert await hostile.send(attack) == FAILED
    again = await hostile.endorse(A, "Put", "lock", "z", by=["DSO", "DistrictA"])
    assert await hostile.send(again) == "VALID"


@pytest.mark.parity("key-policy-without-value")
async def test_a_key_policy_on_a_key_without_value_does_nothing(hostile: Hostile) -> None:
    lock = await hostile.endorse(A, "Lock", "future", "DistrictBMSP", by=["DSO", "DistrictA"])
    assert await hostile.send(lock) == "VALID"
    write = await hostile.endorse(A, "Put", "future", "x", by=["DSO", "DistrictA"])
    assert await hostile.send(write) == "VALID"


async def test_another_districts_peer_cannot_vouch_for_private_readings(hostile: Hostile) -> None:
    """DistrictB cannot execute it (it may not write the collection), so it signs unseen."""
    attack = await hostile.endorse(
        A, "PutPrivate", "readings", "k", by=["DSO"], transient={"text": b"forged"}
    )
    hostile.forge(attack, "DistrictB")
    assert await hostile.send(attack) == FAILED


@pytest.mark.parity("implicit-collection")
async def test_one_organisation_alone_makes_a_valid_transaction_with_any_event(
    hostile: Hostile,
) -> None:
    """Why an event proves nothing: an implicit collection is its organisation's own affair."""
    attack = await hostile.endorse(
        A,
        "Announce",
        "_implicit_org_DistrictBMSP",
        "positive",
        by=["DistrictB"],
        client="DistrictB",
    )
    assert await hostile.send(attack, client="DistrictB") == "VALID"
    # Whoever reads the key that the event names, as our gateway does, finds nothing to act on.
    for organization in hostile.network.profiles:
        async with await profile.connect(hostile.network.profile(organization)) as gateway:
            contract = gateway.network("ped").contract(A)
            assert await contract.evaluate("Get", "certificate~announced") == b""


@pytest.mark.parity("withheld")
async def test_a_withheld_transaction_fails_once_its_rule_lapsed(hostile: Hostile) -> None:
    both = ["DSO", "DistrictA"]
    assert await hostile.send(await hostile.endorse(A, "Open", by=both)) == "VALID"
    withheld = await hostile.endorse(A, "Order", "late", by=both)
    in_time = await hostile.endorse(A, "Order", "early", by=both)
    assert await hostile.send(in_time) == "VALID"
    assert await hostile.send(await hostile.endorse(A, "Close", by=both)) == "VALID"
    assert await hostile.send(withheld) == "MVCC_READ_CONFLICT"


async def test_a_definition_of_one_district_does_not_bind_the_other(hostile: Hostile) -> None:
    attack = await hostile.endorse(
        "metering-DistrictB", "Put", "mine", "x", by=["DSO", "DistrictB"]
    )
    assert await hostile.send(attack) == "VALID"


@pytest.mark.fault(24)
@pytest.mark.parity("duplicate-transaction")
async def test_a_transaction_sent_twice_counts_once(hostile: Hostile) -> None:
    attack = await hostile.endorse(A, "Put", "twice", "x", by=["DSO", "DistrictA"])
    assert await hostile.send(attack) == "VALID"
    await hostile.send(attack)
    assert await hostile.code(attack.transaction_id) == "VALID"


@pytest.mark.parity("audit")
async def test_the_auditor_redoes_the_ledger_of_all_these_attacks(
    consortium: Network, hostile: Hostile, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Its own reading of policies, reads, flags and commit hashes agrees with the peer's."""
    archive = await collect(consortium.profile("DSO"), tmp_path / "ledger")
    figures = verify(archive)
    if request.config.getoption("--record") and consortium.runtime == "native":
        keep(archive.folder, GOLDEN)
    assert figures.blocks == archive.height() > 1
    assert figures.orderer_signatures >= 3 * (figures.blocks - 1)
    assert figures.events_of_one >= 1


@pytest.mark.parity("audit")
async def test_all_organisations_hold_the_same_ledger(
    consortium: Network, hostile: Hostile, tmp_path: Path
) -> None:
    """Blocks with flags and commit hashes are equal but for the order of orderers' signatures."""
    hashes = {}
    for organization, path in consortium.profiles.items():
        archive = await collect(path, tmp_path / organization)
        blocks = [parse_block(raw) for _, raw in archive.blocks()]
        hashes[organization] = [commit_hash(block) for block in blocks[:8]]
    assert len({tuple(found) for found in hashes.values()}) == 1
