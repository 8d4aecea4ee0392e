# SPDX-License-Identifier: Apache-2.0
"""Demand response end to end, on every runtime: homes that consent, an order for less and one for
more consumption, from its issue to each home's statement, and what cheats meet on the way. The
scenarios follow each other through one day."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pedchain_domain import der, signed
from pedchain_domain.flexibility import papers
from pedchain_fabric.shim.testing import TransactionFailed
from tests.scenarios.certified import BIN
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.roles import RolePeer, role_peer
from tests.unit.chaincode.district import OPERATOR, Home, day_name
from tests.unit.chaincode.flexing import (
    BEFORE,
    EVENT,
    HOUR,
    NOTICE,
    Flexible,
    order,
)

pytestmark = pytest.mark.timeout(400)  # what a module stands on counts to its first test
ORGANIZATIONS = ("DSO", "DistrictA", "DistrictB", "Aggregator")
ALL = 20_000_000
LEVEL_S = 60


class Street(Flexible):
    """The homes on a network; queries go to the peer that committed last."""

    network: Network

    def __init__(self, peer: RolePeer) -> None:
        super().__init__()
        self.ledger.peer = self.peer = peer

    async def look(self, function: str, *args: str, by: Any = None) -> Any:
        return json.loads(await self.peer.evaluate("metering-DistrictA", function, *args))

    async def enrol(self, home: Home, code: str = "1234", **changes: Any) -> None:
        await self.level()  # a district's peer that has not seen the offer refuses the code
        await super().enrol(home, code, **changes)

    async def level(self) -> None:
        """Wait until all peers have the same chain."""
        end = asyncio.get_running_loop().time() + LEVEL_S
        while True:
            ledgers = self.peer.ledgers.values()
            found = [await one.evaluate("qscc", "GetChainInfo", "ped") for one in ledgers]
            if len(set(found)) == 1:
                return
            assert asyncio.get_running_loop().time() < end, "peers stay apart"
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module", params=RUNTIMES)
def consortium(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    """The reference consortium with the product's contracts, for these scenarios alone."""
    with make_network(request.param, tmp_path_factory.mktemp("flexibility")) as made:
        made.run("up")
        yield made


@pytest.fixture(scope="module")
async def street(consortium: Network) -> AsyncIterator[Street]:
    """Fifteen homes that consented, on the morning of the order."""
    async with AsyncExitStack() as stack:
        profiles = {name: consortium.profile(name) for name in ORGANIZATIONS}
        peer = await role_peer(profiles, stack)
        made = Street(peer)
        made.network = consortium
        await made.prepare()
        await made.clock(NOTICE)
        yield made


async def refused(awaited: Any, reason: str) -> None:
    with pytest.raises(TransactionFailed, match=reason):
        await awaited


@pytest.mark.fault(41)
async def test_a_site_is_enrolled_once_and_only_by_its_own_people(street: Street) -> None:
    """A second provider, a consent the device did not sign, a code that is not the occupant's."""
    first, second = street.homes[:2]
    await street.offer(first, "2")
    await refused(street.enrol(first, "2", provider="other"), "overlaps")
    forged = street.paper(street.consent(first, provider="other"), second.grid)
    call = street.metering("flexibility:EnrolSite", enrolment=forged, code=b"2")
    await refused(call, "bad-signature")
    await refused(street.enrol(second, "1234", **{"from": EVENT}), "claim-refused|overlaps")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"start": NOTICE - HOUR}, "past-hour"),
        ({"grain": 900, "power_w": 1_001}, "indivisible-power"),
        ({"penalty": 601_000}, "penalty-too-high"),
        ({"direction": "up", "rule": "high5of10"}, "direction-refused"),
        ({"districts": ["DistrictC"]}, "unknown-district"),
        ({"power_w": -4}, "malformed-document"),
    ],
)
async def test_a_bad_order_has_its_reason_and_locks_nothing(
    street: Street, change: dict[str, Any], reason: str
) -> None:
    await refused(street.issue(order(**change)), reason)
    assert await street.balance(street.dso) == ALL // 2


async def test_only_who_holds_the_role_issues_and_accepts(street: Street) -> None:
    signed = street.dso.signed("flexibility", "issue-order", {"order": order()})
    call = street.submit("flexibility:IssueOrder", transient=street.fresh(debit=signed))
    await refused(call, "not-permitted")


async def test_an_order_is_issued_accepted_and_dispatched_from_the_command_line(
    street: Street, tmp_path: Path
) -> None:
    await street.file(16, range(1, 9), {})
    written = tmp_path / "order.json"
    written.write_text(json.dumps(order()))
    told = await command(street, tmp_path, "DSO", "issue", str(written), account="dso")
    assert "o-1 issued" in told
    told = await command(
        street, tmp_path, "Aggregator", "accept", "o-1", "DistrictA=3000", account="aggregator"
    )
    assert "o-1 accepted" in told
    told = await command(street, tmp_path, "DSO", "dispatch", "o-1", key="dso")
    assert "DistrictA 8 sites asked" in told
    told = await command(street, tmp_path, "Aggregator", "accuracy", "o-1")
    assert "DistrictA 10 days" in told
    assert "no doubts" in told
    await street.ledger.fold((await street.ledger.ask("GetFence"))["period"] - 1)


async def test_steps_are_taken_by_those_who_read_every_district(street: Street) -> None:
    for step in ("FreezeOrder", "SettleDistrict"):
        await refused(street.step(step, "o-1", "DistrictA", by=OPERATOR), "not-permitted")
    call = street.metering("flexibility:MeasureCells", "{}")
    await refused(call, "called-directly")


async def test_agents_answer_to_what_the_issuer_signed(street: Street, tmp_path: Path) -> None:
    asked = await street.asked()
    for home in asked:
        paper = await street.look("flexibility:GetDispatch", "o-1", home.name)
        message = papers.message(paper["document"], "pedchain", "ped", papers.ORDERS)
        key = der.spki_hex(street.dso.key.public_key())
        signed.verify(key, message, paper["signature"])
    first, second = asked[:2]
    forged = {
        **street.answer_of(first, papers.OPT_OUT),
        "signature": street.answer_of(second, papers.OPT_OUT)["signature"],
    }
    call = street.step(
        "AnswerOrder", "o-1", "DistrictA", by=OPERATOR, answers=json.dumps([forged]).encode()
    )
    await refused(call, "bad-signature")
    files = []
    for home in asked:
        path = tmp_path / f"{home.name}.json"
        path.write_text(json.dumps(street.answer_of(home, papers.ACKNOWLEDGE)))
        files.append(str(path))
    await command(street, tmp_path, "DistrictA", "answer", "o-1", *files, district=True)


async def test_a_second_order_asks_for_more_at_another_hour(street: Street) -> None:
    """The homes the first one asks nothing of; one plant's, for they are fewer than fifteen."""
    await street.issue(order(id="o-2", direction="up", start=EVENT + HOUR, power_w=2_000))
    await street.level()
    await street.accept(2_000, "o-2", plant=True)
    await street.level()
    await street.steps("FreezeOrder", "o-2")
    await street.level()
    await street.dispatch("o-2")
    others = await street.asked("o-2")
    assert not {home.name for home in others} & {home.name for home in await street.asked()}
    await street.answer(others, name="o-2")


@pytest.mark.fault(41)
async def test_both_orders_are_settled_and_everybody_reads_why(
    street: Street, tmp_path: Path
) -> None:
    """One home pumps its load up after the notice, and earns nothing by it."""
    asked, others = await street.asked(), await street.asked("o-2")
    pump = {(asked[0].name, hour): 1_500 for hour in (9, 10, 11)}
    less = {(home.name, hour): 200 for home in asked for hour in (12, 13)}
    more = {(home.name, hour): 1_100 for home in others for hour in (13, 14)}
    await street.event(pump | less | more)
    told = await command(street, tmp_path, "DSO", "settle", "o-1")
    assert "delivered 6000 Wh, missing 0 Wh" in told
    assert (await street.settle("o-2"))["delivered_wh"] == 4_000
    plot = tmp_path / "plot.svg"
    told = await statement(street, tmp_path, asked[0], plot)
    assert "Note: more was drawn between notice and start than on other days." in told
    assert "Not adjusted to the day: the load rose after the notice." in told
    told = await statement(street, tmp_path, asked[1], plot)
    assert "Contributed: 750 Wh. Your part: 0.180000, credited to acc-h01." in told
    assert "Adjusted to the day: times" in told
    drawn = plot.read_text()
    assert drawn.count("<title>") == 3
    assert "2026-01-17T12:00Z" in drawn
    assert await street.everything() == ALL


async def test_run_final_puts_a_settled_order_right(street: Street, tmp_path: Path) -> None:
    """Nothing was read late, so that nobody owes anything; the settled result stands beside it."""
    result = (await street.state())["result"]
    for day in range(BEFORE + 1):
        await street.ledger.close(day_name(day), "FINAL")
    await street.share(BEFORE)
    told = await command(street, tmp_path, "Aggregator", "correct", "o-1")
    assert "DistrictA measured by run FINAL" in told
    assert told.count("0.000000") >= 3  # owed by issuer and provider, to the supplier
    found = await street.state()
    assert found["result"] == result
    assert found["correction"]["pools"] == result["pools"]
    told = await statement(street, tmp_path, (await street.asked())[1], tmp_path / "plot.svg")
    assert "Run FINAL changed nothing." in told
    assert await street.everything() == ALL


async def statement(street: Street, folder: Path, home: Home, plot: Path) -> str:
    options = ("statement", "o-1", home.name, "--plot", str(plot))
    return await command(street, folder, "Aggregator", *options, district=True)


async def command(
    street: Street,
    folder: Path,
    by: str,
    *options: str,
    account: str = "",
    key: str = "",
    district: bool = False,
) -> str:
    """`ped-gateway flexibility` as an organisation; its output, once every peer has seen it."""
    await street.level()
    wallets = {one.name: one for one in (street.dso, street.provider)}
    named = ["--profile", str(street.network.profile(by))]
    if account or key:
        who = wallets[account or key]
        file = folder / f"{who.name}.pem"
        pem = who.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(pem)
        named += ["--key", str(file)]
    named += ["--account", account] if account else []
    named += ["--district", "DistrictA"] if district else []
    done = await asyncio.to_thread(
        subprocess.run,
        [str(BIN / "ped-gateway"), "flexibility", *options, *named],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    await street.level()
    for one in wallets.values():
        one.counter = (await street.ask("tokens:GetAccount", one.name))["counter"]
    return done.stdout
