# SPDX-License-Identifier: Apache-2.0
"""Privacy end to end, on every runtime: what a subject is given, what erasing and retention leave,
and that nothing anybody may see names a person, a site, a device or a register."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import httpx2
import pytest
from fabric_protos.common.common_pb2 import Block

from pedchain_audit.archive import Archive
from pedchain_audit.collect import collect
from pedchain_audit.verify import verify
from pedchain_demo import stages
from pedchain_demo.progress import Progress
from pedchain_domain.calendar import shifted
from pedchain_domain.sim import street as sim
from pedchain_fabric.client import profile
from pedchain_fabric.errors import GatewayError, WireError
from pedchain_fabric.wire import compositekey, rwset
from pedchain_fabric.wire.transaction import parse_envelope
from tests.scenarios.certified import DAYS, Certified, certified
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network

pytestmark = pytest.mark.timeout(400)  # what a module stands on counts to its first test
A = "metering-DistrictA"
SITE = "home-1"
AROUND = [f'"day":"{shifted(day, by)}"'.encode() for day, by in ((DAYS[0], -1), (DAYS[-1], 1))]
STAY = ("--from", DAYS[0], "--through", DAYS[-1])


@pytest.fixture(scope="module", params=RUNTIMES)
def consortium(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    """The reference consortium with the product's contracts, for these scenarios alone."""
    with make_network(request.param, tmp_path_factory.mktemp("privacy")) as made:
        made.run("up")
        yield made


@pytest.fixture(scope="module")
async def place(consortium: Network) -> AsyncIterator[Certified]:
    async with certified(consortium, issue=False) as made:
        await made.wallet("acc-1", SITE)
        await asyncio.to_thread(made.command, "issue")
        yield made


async def certificates(place: Certified) -> object:
    return [await place.ask("GetCertificateHistory", day) for day in DAYS]


async def test_a_subject_gets_a_copy_with_salts_and_proofs(
    place: Certified, tmp_path: Path
) -> None:
    await asyncio.to_thread(place.command, "export-subject", str(tmp_path), "--site", SITE, *STAY)
    found = json.loads((tmp_path / "subject.json").read_text())
    assert len(found["records"]) == 2 * (25 + 24)
    assert all(len(one["salt"]) == 32 and one["proof"] for one in found["records"])
    assert [document["schema"] for document in found["days"][0]["origin"]] == ["issue/1"]
    rows = (tmp_path / "intervals.csv").read_text().splitlines()
    assert f"{DAYS[0]},newest,home-1.gen,G,12,913,M" in rows


async def test_another_district_gets_nothing_of_a_subject(place: Certified) -> None:
    async with await profile.connect(place.network.profile("DistrictB")) as gateway:
        contract = gateway.network("ped").contract(A)
        with pytest.raises(GatewayError):
            await contract.evaluate("privacy:GetSubjectDay", SITE, DAYS[0])


async def test_an_erased_subject_leaves_certificates_as_they_were_and_the_audit_says_so(
    place: Certified, tmp_path: Path
) -> None:
    before = await certificates(place)
    whole = verify(await collect(place.network.profile("DSO"), tmp_path / "before"))
    assert whole.not_checked == []
    said = await asyncio.to_thread(place.command, "erase-subject", "--site", SITE, *STAY, "--yes")
    assert "98 signed records erased" in said
    assert "not reached: backups" in said
    assert await certificates(place) == before
    await asyncio.to_thread(place.command, "export-subject", str(tmp_path), "--site", SITE, *STAY)
    again = json.loads((tmp_path / "subject.json").read_text())
    assert again["records"] == []
    for day in again["days"]:
        assert set(day["intervals"][""]["home-1.gen"]) == {"root", "proof"}
    after = verify(await collect(place.network.profile("DSO"), tmp_path / "after"))
    assert after.device_signatures == whole.device_signatures - 98
    assert after.certificates < whole.certificates
    assert any("erased or purged since" in line for line in after.not_checked)


async def test_an_erased_subject_is_in_no_private_data_a_peer_still_delivers(
    place: Certified, tmp_path: Path
) -> None:
    """History included: PurgePrivateData takes old versions too. Fabric deletes them in the
    background after the purging block, so the peer is asked until it does not tell any more."""
    for attempt in range(40):
        archive = await collect(place.network.profile("DSO"), tmp_path / str(attempt))
        left = list(delivered(archive, b"home-1.roof"))
        if not left:
            break
        await asyncio.sleep(0.5)
    assert left == []


def delivered(archive: Archive, name: bytes) -> Iterator[str]:
    """Private values that still hold a name: but for counters, and the registers of the stay's
    first and last midnight, on which the days around it rest."""
    for number in range(archive.height()):
        for held in archive.private(number).private_data_map.values():
            for namespace in rwset.decode_private(held.SerializeToString()):
                for collection in namespace.collections:
                    for write in collection.writes:
                        stays = b'"schema":"head/1"' in write.value
                        counts = write.value[16:].startswith(b'{"devices":{')
                        midnight = any(day in write.value for day in AROUND)
                        if name in write.value and not (stays or counts or midnight):
                            yield f"{number} {write.value[16:120]!r}"


async def test_what_is_past_its_retention_is_purged_and_the_audit_goes_on(
    place: Certified, tmp_path: Path
) -> None:
    before = await certificates(place)
    said = await asyncio.to_thread(place.command, "purge", "--through", DAYS[-1])
    assert f"purged through {DAYS[-1]}" in said
    assert (await place.ask("privacy:GetRetention"))["day"] == DAYS[-1]
    assert await certificates(place) == before
    figures = verify(await collect(place.network.profile("DSO"), tmp_path / "ledger"))
    assert any("erased or purged since" in line for line in figures.not_checked)


# -- the main job's run, searched for planted canaries --------------------------------------


@pytest.fixture(scope="module", params=RUNTIMES)
def canary(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[stages.Demo]:
    """The main job of two days on a network of its own, run as the demo runs it."""
    folder = tmp_path_factory.mktemp("canary")
    runtime = str(request.param)
    with ExitStack() as stack:
        network = stack.enter_context(make_network(runtime, folder))
        network.run("up")
        demo = stages.Demo(runtime, 2, folder / "demo", Progress())
        demo.folder.mkdir()
        (demo.folder / "network").symlink_to(network.state)
        stack.enter_context(stages.gateways(demo))
        stages.make_street(demo)
        stages.register(demo)
        stages.live(demo)
        yield demo


def names_of(demo: stages.Demo) -> list[str]:
    """What the operators call homes, their points and devices: nothing public may say it. The
    feeder at the district's boundary is the system operator's own, and public."""
    found = json.loads((demo.folder / "street" / "registration.json").read_text())
    ids = [one["id"] for each in found["documents"].values() for one in each if "id" in one]
    return sorted(name for name in ids if not name.startswith(("DistrictA-", "DistrictB-")))


def registers_of(demo: stages.Demo) -> list[str]:
    """Last registers of every meter, long enough not to appear by chance; but for the registers at
    a meter exchange, which stand in the public roster (docs/privacy.md says so)."""
    found = json.loads((demo.folder / "street" / "registration.json").read_text())
    exchanges = [
        one
        for documents in found["documents"].values()
        for one in documents
        if one["schema"] == "exchange/1"
    ]
    shown = {wh for one in exchanges for side in ("final", "initial") for wh in one[side].values()}
    street = sim.build(int(found["calendars"][0]["rows"][-1]["start"]), 2)
    values = [
        value
        for home in street.homes
        for meter in home.meters
        for value in meter.readings[-1][1].values()
    ]
    return sorted({str(v) for v in values if len(str(v)) >= 7 and v not in shown})


@pytest.mark.fault(21)
def test_no_canary_stands_in_a_block_an_event_a_log_line_or_a_public_answer(
    canary: stages.Demo, tmp_path: Path
) -> None:
    names, values = names_of(canary), registers_of(canary)
    assert len(names) > 200
    assert len(values) > 50
    archive = asyncio.run(collect(canary.profile("DSO"), tmp_path / "ledger"))
    blocks = b"".join(raw for _, raw in archive.blocks())
    logs = b"".join(
        path.read_bytes()
        for folder in (canary.folder, canary.network / "log")
        for path in sorted(folder.rglob("*.log"))
    )
    answers = b"".join(public_answers(canary))
    assert len(logs) > 100
    assert len(answers) > 1_000
    for where, text in (("blocks", blocks), ("logs", logs), ("answers", answers)):
        said = [name for name in names if name.encode() in text]
        # By itself, not within a hash in hex or base64, where any seven digits turn up by chance.
        numbers = set(re.findall(rb"(?<![0-9A-Za-z+/])[0-9]+(?![0-9A-Za-z+/])", text))
        said += [value for value in values if value.encode() in numbers]
        assert said == [], where


def public_answers(demo: stages.Demo) -> Iterator[bytes]:
    """What anyone gets over HTTP: certificates, health, metrics, the description."""
    day = demo.street["days"][0]
    for district, url in demo.urls.items():
        for path in (
            f"/v1/districts/{district}/certificates",
            f"/v1/districts/{district}/certificates/{day}",
            f"/v1/districts/{district}/certificates/{day}/history",
            "/healthz",
            "/metrics",
            "/openapi.json",
        ):
            answer = httpx2.get(f"{url}{path}", timeout=30)
            assert answer.status_code == httpx2.codes.OK, path
            yield answer.content


def test_no_private_keys_hash_is_of_a_guessable_key(canary: stages.Demo, tmp_path: Path) -> None:
    """Hashes of private keys are public: all that a stranger could guess is hashed and looked for,
    with every kind of key of ours and of attributes in any order."""
    archive = asyncio.run(collect(canary.profile("DSO"), tmp_path / "ledger"))
    seen = set(hashed_keys(archive))
    assert len(seen) > 100
    words = [*names_of(canary), *canary.street["days"], "DistrictA", "DistrictB", "P", "F"]
    words += [str(number) for number in range(300)]
    kinds = (
        "batch", "h", "secret", "fold", "day", "intervals", "draws", "prints", "totals", "window",
        "head", "trail", "roster", "site", "device", "member", "gc", "account", "debit", "issue",
    )  # fmt: skip
    pairs = [*((word,) for word in words), *product(canary.street["days"], words[-300:])]
    for kind, attributes in product(kinds, pairs):
        for parts in (attributes, tuple(reversed(attributes))):
            guess = compositekey.create(kind, list(parts))
            assert hashlib.sha256(guess.encode()).digest() not in seen, (kind, parts)
    for word in words:
        assert hashlib.sha256(word.encode()).digest() not in seen


def hashed_keys(archive: Archive) -> Iterator[bytes]:
    """Hashes of all private keys that any transaction read or wrote."""
    for _, raw in archive.blocks():
        for envelope in Block.FromString(raw).data.data:
            try:
                namespaces = rwset.decode(parse_envelope(envelope).results)
            except WireError:
                continue
            for namespace in namespaces:
                for collection in namespace.collections:
                    yield from (read.key_hash for read in collection.reads)
                    yield from (write.key_hash for write in collection.writes)
