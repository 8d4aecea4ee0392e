# SPDX-License-Identifier: Apache-2.0
"""The main job end to end: signed readings become verified certificates, on every runtime.

The street of the demo lives two days: its agents post through the districts' gateways, the
districts certify, the auditor redoes it. What must come out is computed here from the street
itself, without the product's own accounting.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pedchain_audit import watching, witness
from pedchain_audit.archive import Archive
from pedchain_audit.batches import parts
from pedchain_audit.collect import collect
from pedchain_audit.verify import Figures, verify
from pedchain_demo import stages
from pedchain_demo.progress import Progress
from pedchain_domain import batch
from pedchain_domain.sim import street as sim
from pedchain_fabric.client import profile
from pedchain_fabric.errors import GatewayError
from pedchain_fabric.wire import rwset
from tests.scenarios.harness import Network
from tests.scenarios.hostile import Hostile
from tests.scenarios.recording import keep

DAYS = 2
A = "metering-DistrictA"
GOLDEN = Path(__file__).parents[1] / "golden" / "main-job"


@dataclass(frozen=True)
class Job:
    """The finished job: certificates by district and day, what agents reported, the street."""

    network: Network
    demo: stages.Demo
    street: sim.Street
    certificates: dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def job(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    folder = tmp_path_factory.mktemp("main-job")
    demo = stages.Demo(network.runtime, DAYS, folder, Progress())
    (folder / "network").symlink_to(network.state)
    with ExitStack() as stack:
        stack.enter_context(stages.gateways(demo))
        stages.make_street(demo)
        stages.register(demo)
        stages.live(demo)
        found = stages.certificates(demo)
        certificates = {
            (district, one["day"]): one for district, each in found.items() for one in each
        }
        end = int(
            json.loads((folder / "street" / "registration.json").read_text())["calendars"][0][
                "rows"
            ][-1]["start"]
        )
        yield Job(network, demo, sim.build(end, DAYS), certificates)


@pytest.fixture(scope="module")
async def hostile(job: Job) -> AsyncIterator[Hostile]:
    async with Hostile(job.network) as made:
        yield made


@pytest.fixture(scope="module")
def figures(job: Job, request: pytest.FixtureRequest) -> Figures:
    """The audit of the DSO's ledger, its copy kept for replay when real Fabric is recorded."""
    folder = job.demo.folder / "audited"
    archive = asyncio.run(collect(job.network.profile("DSO"), folder))
    if request.config.getoption("--record") and job.network.runtime == "native":
        keep(folder, GOLDEN)
    return verify(archive)


def expected_wh(street: sim.Street, district: str, day: int, role: str) -> int:
    """A day's energy of one role over a district, from the street's own registers.

    Each meter's own difference over the day; a gap loses nothing of it, and an exchanged meter's
    two parts add up. Chargers and heat pumps stand below a grid meter and count in no balance.
    """
    start = street.start + day * sim.DAY
    total = 0
    for home in street.homes:
        for meter in home.meters:
            if home.district != district or meter.kind not in ("GCP", "GEN", "STO"):
                continue
            for obis, its_role in meter.roles.items():
                values = [
                    registers[obis]
                    for instant, registers in meter.readings
                    if start <= instant <= start + sim.DAY
                ]
                if its_role == role and values:
                    total += values[-1] - values[0]
    return total


@pytest.mark.parametrize("district", sim.DISTRICTS)
def test_every_day_of_both_districts_is_certified(job: Job, district: str) -> None:
    assert sorted(day for name, day in job.certificates if name == district) == sorted(
        job.demo.street["days"]
    )


@pytest.mark.parametrize("district", sim.DISTRICTS)
@pytest.mark.parametrize("role", ["G", "I", "E"])
def test_published_energy_equals_that_of_the_street(job: Job, district: str, role: str) -> None:
    """Including the day with a gap, whose energy is exact, and the day of the exchange."""
    name = {"G": "generation_wh", "I": "import_wh", "E": "export_wh"}[role]
    for at, day in enumerate(job.demo.street["days"]):
        certificate = job.certificates[district, day]
        published = certificate["electricity"][name]
        if published is None:
            reason = certificate["notes"][f"electricity.{name}"]
            assert reason in ("group-too-small", "complementary")
        else:
            assert published == expected_wh(job.street, district, at, role)


def test_late_readings_leave_nothing_missing_and_a_gap_is_bridged(job: Job) -> None:
    first, second = job.demo.street["days"]
    assert job.certificates["DistrictA", first]["classes"]["X"] == 0
    classes = job.certificates["DistrictA", second]["classes"]
    assert (classes["X"], classes["S"]) == (0, 0)
    assert classes["G"] > 0


def test_before_a_year_there_is_no_verdict(job: Job) -> None:
    for certificate in job.certificates.values():
        assert certificate["verdict"]["verdict"] == "insufficient_history"


def test_the_forged_record_is_refused_and_all_others_are_recorded(job: Job) -> None:
    forged = [one for report in job.demo.reports for one in report["forged"]]
    assert [(one["status"], one["reason"]) for one in forged] == [("rejected", "bad-signature")]
    last = [one for one in job.demo.reports if one["day"] == job.demo.street["days"][-1]]
    assert [set(one["states"]) for one in last] == [{"recorded"}] * len(sim.DISTRICTS)


def test_the_auditor_redoes_every_signature_and_certificate(job: Job, figures: Figures) -> None:
    records = sum(report["records"] for report in job.demo.reports)
    assert figures.device_signatures == records
    assert figures.certificates == len(job.certificates)
    assert figures.not_checked == []


def test_another_district_cannot_audit_what_it_may_not_read(job: Job) -> None:
    """It verifies the ledger and its own readings, and is told what it could not see."""
    folder = job.demo.folder / "audited-by-b"
    seen = verify(asyncio.run(collect(job.network.profile("DistrictB"), folder)))
    assert seen.certificates == DAYS
    assert len(seen.not_checked) == 1
    assert "DistrictA" in seen.not_checked[0]


async def test_peers_show_an_auditor_the_same_ledger(job: Job, tmp_path: Path) -> None:
    """One may be some blocks behind another; what both have is the same, and a witness says so."""
    views = tuple(job.network.profile(name) for name in ("DSO", "DistrictA", "DistrictB"))
    assert (await watching.compare(views, "auditor")).endswith("SAME")
    watched = watching.Watch(views, tmp_path / "key.pem", tmp_path / "heads.jsonl", once=True)
    assert (await watching.watch(watched, lambda _: None)).endswith("SAME")
    shown = {line["view"] for line in witness.log(watched.log)}
    assert shown == {"DSO", "DistrictA", "DistrictB"}


@pytest.mark.fault(21)
def test_no_record_stands_in_any_block(job: Job, figures: Figures) -> None:
    """Registers and signatures of every home are looked for in the raw public blocks."""
    blocks = b"".join(
        path.read_bytes() for path in sorted((job.demo.folder / "audited" / "blocks").iterdir())
    )
    assert b"OCMF|" not in blocks
    for home in job.street.homes:
        for meter in home.meters:
            assert str(meter.readings[-1][1]).encode() not in blocks
            for value in meter.readings[0][1].values():
                assert f'"RV":"{value}"'.encode() not in blocks


async def test_another_district_cannot_ask_for_a_record(job: Job) -> None:
    async with await profile.connect(job.network.profile("DistrictB")) as gateway:
        contract = gateway.network("ped").contract(A)
        with pytest.raises(GatewayError):
            await contract.evaluate("GetRecord", "home-01-grid", "1")


async def test_the_dso_and_another_district_cannot_certify_or_seal(
    job: Job, hostile: Hostile
) -> None:
    """DistrictB's peer signs, unseen, what the DSO's computed; the policy names DistrictA."""
    fence = await fence_of(job)
    sealing = await hostile.endorse(A, "SealPeriod", str(fence), by=["DSO"])
    hostile.forge(sealing, "DistrictB")
    assert await hostile.send(sealing) == "ENDORSEMENT_POLICY_FAILURE"
    assert await fence_of(job) == fence


@pytest.mark.usefixtures("figures")  # the record comes from the auditor's archive
async def test_a_batch_withheld_until_its_period_was_sealed_fails(
    job: Job, hostile: Hostile
) -> None:
    """Endorsed transactions never expire; the fence it read has changed."""
    fence = await fence_of(job)
    both = ["DSO", "DistrictA"]
    record = kept_record(job)
    withheld = await hostile.endorse(
        A,
        "SubmitReadings",
        str(fence),
        by=both,
        client="DistrictA",
        transient={"records": record, "salt": bytes(16)},
    )
    sealed = await hostile.endorse(A, "SealPeriod", str(fence), by=both)
    assert await hostile.send(sealed) == "VALID"
    assert await hostile.send(withheld, client="DistrictA") == "MVCC_READ_CONFLICT"


async def fence_of(job: Job) -> int:
    async with await profile.connect(job.network.profile("DSO")) as gateway:
        answer = await gateway.network("ped").contract(A).evaluate("GetFence")
    return int(json.loads(answer)["period"])


def kept_record(job: Job) -> bytes:
    """A batch of one record that the ledger knows already: authentic, and kept again."""
    archive = Archive(job.demo.folder / "audited")
    for number in range(archive.height()):
        for held in archive.private(number).private_data_map.values():
            for namespace in rwset.decode_private(held.SerializeToString()):
                for collection in namespace.collections:
                    for write in collection.writes:
                        if namespace.name == A and write.key.startswith("\x00batch"):
                            return batch.encode(parts(write.value)[2][:1])
    raise AssertionError("no batch in the archive")
